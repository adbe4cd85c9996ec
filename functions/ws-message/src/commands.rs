//! The frames that have a `type`: what each does to the followed session, and what it is answered with.

use lambda_kit::{Problem, now};
use session::{
    Answer, Command, EventBody, Recorded, Refusal, RunId, Seq, SessionId, State, resolution_for,
};
use session_manager::Committed;

use crate::frame::{self, Choice};
use crate::reply::About;
use crate::talk::Talk;

pub async fn ping(talk: &Talk<'_>) -> Result<(), Problem> {
    let last_seq = match talk.connection.session_id {
        Some(session) => {
            talk.desk
                .app
                .sessions
                .state(session, &talk.actor())
                .await?
                .last_seq
        }
        None => Seq::default(),
    };
    talk.reply(&talk.about().pong(last_seq, now())).await;
    Ok(())
}

pub async fn subscribe(talk: &Talk<'_>, session: SessionId, after: Seq) -> Result<(), Problem> {
    let state = talk.desk.app.sessions.state(session, &talk.actor()).await?;
    let about = About::state(&state);
    talk.follow(session, about.run).await?;
    talk.replay(about, session, after).await
}

pub async fn request_state(talk: &Talk<'_>, after: Seq) -> Result<(), Problem> {
    let session = talk.followed()?;
    let state = talk.desk.app.sessions.state(session, &talk.actor()).await?;
    let about = About::state(&state);
    talk.reply(&about.state_of(&state, now())).await;
    talk.replay(about, session, after).await
}

pub async fn pause(talk: &Talk<'_>, run: Option<RunId>) -> Result<(), Problem> {
    change(talk, &Command::Suspend { run }).await?;
    Ok(())
}

pub async fn resume(talk: &Talk<'_>, run: Option<RunId>) -> Result<(), Problem> {
    let app = &talk.desk.app;
    let state = app.sessions.state(talk.followed()?, &talk.actor()).await?;
    let command = Command::Resume {
        run,
        context: None,
        takeover: app.takeover(&state).await?,
    };
    change(talk, &command).await?;
    Ok(())
}

pub async fn cancel(talk: &Talk<'_>, run: Option<RunId>) -> Result<(), Problem> {
    change(talk, &Command::Cancel { run }).await?;
    Ok(())
}

/// Gives a person's answer to the open question.
pub async fn resolve(talk: &Talk<'_>, given: frame::Answer, by: String) -> Result<(), Problem> {
    let state = talk
        .desk
        .app
        .sessions
        .state(talk.followed()?, &talk.actor())
        .await?;
    let answer = Answer {
        resolution: resolution(&state, &given)?,
        approval: given.approval,
        feedback: given.feedback,
        modifications: given.modifications,
        by,
    };
    let committed = change(talk, &Command::Answer(answer.clone())).await?;
    let approved = committed.envelopes.iter().any(|envelope| {
        matches!(
            envelope.body,
            Recorded::Known(EventBody::ApprovalResolved { approved: true, .. })
        )
    });
    talk.reply(&talk.about().approval_received(&answer, approved, now()))
        .await;
    Ok(())
}

/// What yes or no means depends on the question.
fn resolution(state: &State, given: &frame::Answer) -> Result<String, Refusal> {
    let open = state
        .approval
        .as_ref()
        .filter(|open| open.id == given.approval);
    let open = open.ok_or(Refusal::NoSuchApproval)?;
    match &given.choice {
        Choice::Resolution(resolution) => Ok(resolution.clone()),
        Choice::Approved(approved) => resolution_for(*approved, &open.options)
            .map(str::to_owned)
            .ok_or_else(|| Refusal::NotAnOption(open.options.join(", "))),
    }
}

async fn change(talk: &Talk<'_>, command: &Command) -> Result<Committed, Problem> {
    let session = talk.followed()?;
    let desk = talk.desk;
    desk.app
        .change(&desk.outbox, &talk.actor(), session, command, now())
        .await
}
