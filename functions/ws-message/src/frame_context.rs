//! The context of one frame: its connection, and its replies.

use lambda_kit::websocket::{Replay, ReplyContext, ReplyFrame};
use lambda_kit::{Code, Delivery, Problem, now};
use session::{RunId, Seq, SessionId, State};
use session_manager::{Actor, Connection, ConnectionId, Followed};

use crate::Deps;

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

    /// Makes the connection follow a session, live from now on.
    pub async fn follow(&self, session: SessionId, run: Option<RunId>) -> Result<(), Problem> {
        let sessions = &self.deps.app.sessions;
        sessions.follow(&self.id, session, run, now()).await?;
        Ok(())
    }

    /// Makes the connection follow a session behind a replay of the events after `after`.
    pub async fn follow_behind(
        &self,
        session: SessionId,
        run: Option<RunId>,
        after: Seq,
    ) -> Result<Replay, Problem> {
        let replay = Replay::new(self.id.clone(), session, after);
        let (sessions, new) = (&self.deps.app.sessions, (replay.replay_id, after));
        let followed = sessions.follow_behind(&self.id, session, run, new, now());
        match followed.await? {
            Followed::TooOften => {
                let detail =
                    "The connection has asked for the same events too often; wait a second.";
                Err(Problem::new(Code::TooManyReplays, detail))
            }
            Followed::Behind | Followed::Ended => Ok(replay),
        }
    }

    /// Sends a replay to its end, without being asked for its parts.
    pub async fn replay(&self, replay: Replay, context: ReplyContext) -> Result<(), Problem> {
        let (sessions, outbox) = (&self.deps.app.sessions, &self.deps.outbox);
        replay.go_on(sessions, outbox, &self.actor(), context).await
    }
}
