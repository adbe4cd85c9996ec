//! The frames that have a `type`: what each does to the followed session, and what it is answered with.

use lambda_kit::{Caller, GivenAnswer, Problem, now};
use session::{ApprovalId, Command, RunId, Seq, SessionId};

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
    change(talk, &Command::Suspend { run }).await
}

pub async fn resume(talk: &Talk<'_>, run: Option<RunId>) -> Result<(), Problem> {
    let app = &talk.desk.app;
    let state = app.sessions.state(talk.followed()?, &talk.actor()).await?;
    let command = Command::Resume {
        run,
        context: None,
        takeover: app.takeover(&state).await?,
    };
    change(talk, &command).await
}

pub async fn cancel(talk: &Talk<'_>, run: Option<RunId>) -> Result<(), Problem> {
    change(talk, &Command::Cancel { run }).await
}

/// Gives a person's answer to a question of the followed session. The same answer again is received again.
pub async fn resolve(
    talk: &Talk<'_>,
    approval: ApprovalId,
    given: GivenAnswer,
    subject: String,
) -> Result<(), Problem> {
    let question = (talk.followed()?, approval);
    let caller = Caller {
        owner: talk.connection.owner.clone(),
        subject,
    };
    let desk = talk.desk;
    let row = desk
        .app
        .resolve(&desk.outbox, &caller, question, given, now())
        .await?;
    talk.reply(&talk.about().approval_received(&row, now()))
        .await;
    Ok(())
}

async fn change(talk: &Talk<'_>, command: &Command) -> Result<(), Problem> {
    let session = talk.followed()?;
    let desk = talk.desk;
    desk.app
        .change(&desk.outbox, &talk.actor(), session, command, now())
        .await?;
    Ok(())
}
