//! One frame's conversation: the connection that it came from, and what the frame is answered with.

use lambda_kit::{Code, Delivery, Problem, now};
use session::{RunId, SessionId, State};
use session_manager::{Actor, Connection, ConnectionId};

use crate::Deps;
use crate::reply::{ReplyContext, ReplyFrame};

/// A connection that has said something.
#[derive(Debug)]
pub struct FrameContext<'a> {
    pub deps: &'a Deps,
    pub id: ConnectionId,
    pub connection: Connection,
}

impl FrameContext<'_> {
    /// As whom the client acts: the owner whose verified token opened the connection.
    pub fn actor(&self) -> Actor {
        Actor::Client(self.connection.owner.clone())
    }

    /// The newest state of a session of the client's own.
    pub async fn state(&self, session: SessionId) -> Result<State, Problem> {
        Ok(self.deps.app.sessions.state(session, &self.actor()).await?)
    }

    /// What replies are about that concern no other session.
    pub const fn reply_context(&self) -> ReplyContext {
        ReplyContext {
            session: self.connection.session_id,
            run: self.connection.run_id,
        }
    }

    /// The session that the connection follows.
    pub fn followed(&self) -> Result<SessionId, Problem> {
        self.connection.session_id.ok_or_else(|| {
            let detail = "The connection follows no session; send a task or subscribe first.";
            Problem::new(Code::NoSessionFollowed, detail)
        })
    }

    pub async fn reply(&self, reply: &ReplyFrame) -> Delivery {
        self.deps.outbox.push().one(&self.id, reply).await
    }

    /// Lets the connection follow a session. From here on its events are pushed; what lies before is read afterwards, so that
    /// nothing falls between.
    pub async fn follow(&self, session: SessionId, run: Option<RunId>) -> Result<(), Problem> {
        self.deps
            .app
            .sessions
            .follow(&self.id, session, run, now())
            .await?;
        Ok(())
    }
}
