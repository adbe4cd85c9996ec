//! The context of one frame: its connection, and its replies.

use lambda_kit::{Code, Delivery, Problem, now};
use session::{RunId, SessionId, State};
use session_manager::{Actor, Connection, ConnectionId};

use crate::Deps;
use crate::reply::{ReplyContext, ReplyFrame};

/// A frame's connection.
#[derive(Debug)]
pub struct FrameContext<'a> {
    pub deps: &'a Deps,
    pub id: ConnectionId,
    pub connection: Connection,
}

impl FrameContext<'_> {
    /// The client as an actor: the owner of the token that opened the connection.
    pub fn actor(&self) -> Actor {
        Actor::Client(self.connection.owner.clone())
    }

    /// The newest state of one of the client's sessions.
    pub async fn state(&self, session: SessionId) -> Result<State, Problem> {
        Ok(self.deps.app.sessions.state(session, &self.actor()).await?)
    }

    /// The context of replies about the followed session.
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

    /// Makes the connection follow a session. The replay is read after this, so that no event is
    /// lost between replay and push.
    pub async fn follow(&self, session: SessionId, run: Option<RunId>) -> Result<(), Problem> {
        self.deps
            .app
            .sessions
            .follow(&self.id, session, run, now())
            .await?;
        Ok(())
    }
}
