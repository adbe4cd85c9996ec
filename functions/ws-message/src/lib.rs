//! `$default`: every frame that a client sends, each handled by itself. Frames of one connection may run at the same time.
//!
//! A frame that cannot be done is answered with an `error` event, and nothing else happens. What a frame does to a session
//! reaches the client as the recorded event, by the same push as everybody else who follows.

mod commands;
pub mod forms;
mod frame;
mod replay;
mod reply;
mod talk;
mod task;

use lambda_kit::socket::{SocketEvent, connection_id};
use lambda_kit::{App, Code, Models, Outbox, Problem, logs, now};
use session_manager::ConnectionId;

use frame::Frame;
use reply::About;
use talk::Talk;

/// What frames are answered with.
#[derive(Debug, Clone)]
pub struct Desk {
    /// Who may, and on what.
    pub app: App,
    /// Push and queue.
    pub outbox: Outbox,
    /// Whose name a run shows.
    pub models: Models,
}

/// Answers a frame. What is wrong with it is told to the client, not to API Gateway.
///
/// # Errors
/// `internal` for an event without a connection.
pub async fn handle(desk: &Desk, event: SocketEvent) -> Result<(), Problem> {
    let id = connection_id(&event)?;
    let (about, answered) = match connected(desk, &id).await {
        Ok(talk) => (talk.about(), answer(&talk, &event).await),
        Err(problem) => (About::default(), Err(problem)),
    };
    if let Err(problem) = answered {
        problem.log();
        desk.outbox
            .push()
            .one(&id, &about.error(&problem, now()))
            .await;
    }
    Ok(())
}

async fn connected<'a>(desk: &'a Desk, id: &ConnectionId) -> Result<Talk<'a>, Problem> {
    let connection = desk.app.sessions.connection(id, now()).await?;
    let connection = connection.ok_or_else(|| {
        Problem::new(
            Code::Unauthenticated,
            "The connection is over; connect again.",
        )
    })?;
    if let Some(session) = connection.session_id {
        logs::is_about(session);
    }
    Ok(Talk {
        desk,
        id: id.clone(),
        connection,
    })
}

async fn answer(talk: &Talk<'_>, event: &SocketEvent) -> Result<(), Problem> {
    match Frame::parse(event.body.as_deref().unwrap_or_default())? {
        Frame::Task { task, config } => task::answer(talk, &task, &config).await,
        Frame::Ping => commands::ping(talk).await,
        Frame::Subscribe { session, after } => commands::subscribe(talk, session, after).await,
        Frame::RequestState { after } => commands::request_state(talk, after).await,
        Frame::Answer { approval, given } => {
            let gate = &talk.desk.app.gate;
            let person = gate.connected(&event.request_context.authorizer)?;
            commands::resolve(talk, approval, given, person.subject).await
        }
        Frame::Pause(run) => commands::pause(talk, run).await,
        Frame::Resume(run) => commands::resume(talk, run).await,
        Frame::Cancel(run) => commands::cancel(talk, run).await,
    }
}
