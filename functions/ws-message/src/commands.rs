//! The frames that have a `type`: their changes of the followed session, and their replies.

use lambda_kit::websocket::{Replayed, ReplyContext};
use lambda_kit::{AnswerInput, Caller, Problem, Resolved, now};
use session::{ApprovalId, ApprovalStatus, Command, RunId, Seq, SessionId};

use crate::frame_context::FrameContext;

pub async fn ping(frame: &FrameContext<'_>) -> Result<(), Problem> {
    let last_seq = match frame.connection.session_id {
        Some(session) => frame.state(session).await?.last_seq,
        None => Seq::default(),
    };
    frame
        .reply(&frame.reply_context().pong(last_seq, now()))
        .await;
    Ok(())
}

/// Sends a part of the record, and says where the client asks for the next one.
pub async fn subscribe(
    frame: &FrameContext<'_>,
    session: SessionId,
    after: Seq,
) -> Result<(), Problem> {
    let state = frame.state(session).await?;
    let context = ReplyContext::state(&state);
    let mut replay = frame.follow_behind(session, context.run, after).await?;
    let (sessions, push) = (&frame.deps.app.sessions, frame.deps.outbox.push());
    let sent = replay
        .send_part(sessions, push, &frame.actor(), context)
        .await;
    let last_seq = match sent {
        Ok(Replayed::Over) => return Ok(()),
        Ok(Replayed::Rest(last_seq)) => {
            replay.note(sessions).await;
            last_seq
        }
        Ok(Replayed::Failed(last_seq)) => {
            replay.abandon(sessions).await;
            last_seq
        }
        Err(problem) => {
            replay.abandon(sessions).await;
            return Err(problem);
        }
    };
    let end = context.replay_end(last_seq, replay.after, now());
    frame.reply(&end).await;
    Ok(())
}

/// Sends the state and the record after an event. Existing clients ask for no further part.
pub async fn request_state(frame: &FrameContext<'_>, after: Seq) -> Result<(), Problem> {
    let session = frame.followed()?;
    let state = frame.state(session).await?;
    let context = ReplyContext::state(&state);
    let replay = frame.follow_behind(session, context.run, after).await?;
    frame.reply(&context.state_of(&state, now())).await;
    frame.replay(replay, context).await
}

pub async fn pause(frame: &FrameContext<'_>, run: Option<RunId>) -> Result<(), Problem> {
    change(frame, &Command::Suspend { run }).await
}

pub async fn resume(frame: &FrameContext<'_>, run: Option<RunId>) -> Result<(), Problem> {
    let app = &frame.deps.app;
    let state = frame.state(frame.followed()?).await?;
    let command = Command::Resume {
        run,
        context: None,
        takeover: app.takeover(&state).await?,
    };
    app.change_on(&frame.deps.outbox, state, &command, now())
        .await?;
    Ok(())
}

pub async fn cancel(frame: &FrameContext<'_>, run: Option<RunId>) -> Result<(), Problem> {
    change(frame, &Command::Cancel { run }).await
}

/// Answers an approval of the followed session. The recorded `approval_received` reaches the client
/// by the push; the same answer again gets it as a reply.
pub async fn resolve(
    frame: &FrameContext<'_>,
    approval: ApprovalId,
    given: AnswerInput,
    subject: String,
) -> Result<(), Problem> {
    let question = (frame.followed()?, approval);
    let caller = Caller {
        owner: frame.connection.owner.clone(),
        subject,
    };
    let deps = frame.deps;
    let resolved = deps
        .app
        .resolve(&deps.outbox, &caller, question, given, now())
        .await?;
    if let Resolved::Before(row) = resolved
        && let Some(received) = row.received()
    {
        let reply = frame.reply_context().approval_received(received, now());
        frame.reply(&reply).await;
    }
    Ok(())
}

/// Sends the open approval of the followed session again, if it has one.
pub async fn ask_again(frame: &FrameContext<'_>) {
    let Ok(session) = frame.followed() else {
        return;
    };
    let (sessions, actor) = (&frame.deps.app.sessions, frame.actor());
    let pending = Some(ApprovalStatus::Pending);
    let open = sessions.approvals(session, &actor, pending, 1, None).await;
    match open.map(|page| page.approvals.into_iter().next()) {
        Ok(Some(row)) => {
            let context = frame.reply_context();
            frame
                .reply(&context.approval_requested(workflow::asked_again(row), now()))
                .await;
        }
        Ok(None) => {}
        Err(error) => tracing::warn!(%error, "the open approval was not read"),
    }
}

async fn change(frame: &FrameContext<'_>, command: &Command) -> Result<(), Problem> {
    let session = frame.followed()?;
    let deps = frame.deps;
    deps.app
        .change(&deps.outbox, &frame.actor(), session, command, now())
        .await?;
    Ok(())
}
