//! `$default`: handles one frame of a client. Frames of one connection may run at the same time.
//!
//! A refused frame gets an `error` reply and changes nothing. The events of a change reach the
//! client by the push, as they reach every other follower.

mod commands;
pub mod forms;
mod frame;
mod frame_context;
mod task;

use agents::Models;
use lambda_kit::websocket::{ReplyContext, SocketEvent, connection_id};
use lambda_kit::{App, Code, Outbox, Problem, logs, now};
use session_manager::ConnectionId;

use frame::{Frame, FrameKind};
use frame_context::FrameContext;

/// The services of the function.
#[derive(Debug, Clone)]
pub struct Deps {
    /// Authentication and sessions.
    pub app: App,
    /// Push and queue.
    pub outbox: Outbox,
    /// The models, whose names runs show.
    pub models: Models,
}

/// Answers a frame. An error goes to the client, not to API Gateway.
///
/// # Errors
/// `internal` for an event without a connection.
pub async fn handle(deps: &Deps, event: SocketEvent) -> Result<(), Problem> {
    let id = connection_id(&event)?;
    let (frame, problem) = match connected(deps, &id).await {
        Ok(frame) => match answer(&frame, &event).await {
            Ok(()) => return Ok(()),
            Err(problem) => (Some(frame), problem),
        },
        Err(problem) => (None, problem),
    };
    problem.log();
    let push = deps.outbox.push();
    let context = frame.as_ref().map(FrameContext::reply_context);
    let error = context.unwrap_or_default().error(&problem, now());
    push.one(&id, &error).await;
    // A client waits for the end of a refused task, and has closed its form of a refused answer. A
    // connection that is over gets the error alone.
    let kind = FrameKind::of_text(event.body.as_deref().unwrap_or_default());
    match (kind, frame) {
        (Some(FrameKind::Task), Some(_)) => {
            let end = ReplyContext::default().not_started(&problem, now());
            push.one(&id, &end).await;
        }
        (Some(FrameKind::Answer), Some(frame)) => commands::ask_again(&frame).await,
        _ => {}
    }
    Ok(())
}

async fn connected<'a>(deps: &'a Deps, id: &ConnectionId) -> Result<FrameContext<'a>, Problem> {
    let connection = deps.app.sessions.connection(id, now()).await?;
    let connection = connection.ok_or_else(|| {
        Problem::new(
            Code::Unauthenticated,
            "The connection is over; connect again.",
        )
    })?;
    if let Some(session) = connection.session_id {
        logs::is_about(session);
    }
    Ok(FrameContext {
        deps,
        id: id.clone(),
        connection,
    })
}

async fn answer(frame: &FrameContext<'_>, event: &SocketEvent) -> Result<(), Problem> {
    let task_id = &frame.connection.task_id;
    match Frame::parse(event.body.as_deref().unwrap_or_default())? {
        Frame::Task { task, config } => task::answer(frame, &task, &config).await,
        Frame::Ping => commands::ping(frame).await,
        Frame::Subscribe { session, after } => commands::subscribe(frame, session, after).await,
        Frame::RequestState { after } => commands::request_state(frame, after).await,
        Frame::Answer { approval, given } => {
            let authenticator = &frame.deps.app.authenticator;
            let person = authenticator.connected(&event.request_context.authorizer)?;
            commands::resolve(frame, approval, given, person.subject).await
        }
        Frame::Pause(run) => commands::pause(frame, run.run(task_id)?).await,
        Frame::Resume(run) => commands::resume(frame, run.run(task_id)?).await,
        Frame::Cancel(run) => commands::cancel(frame, run.run(task_id)?).await,
    }
}
