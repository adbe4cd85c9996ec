//! One frame's conversation: the connection that it came from, and what the frame is answered with.

use std::time::{Duration, Instant};

use lambda_kit::{Code, Delivery, Problem, now};
use session::{RunId, Seq, SessionId};
use session_manager::{Actor, Connection, ConnectionId};

use crate::Desk;
use crate::reply::{About, Reply};

/// The most events that one replay sends.
const MAX_REPLAY: usize = 500;

/// The longest that one replay takes; API Gateway waits 29 seconds for all of it.
const REPLAY_TIME: Duration = Duration::from_secs(10);

/// A connection that has said something.
#[derive(Debug)]
pub struct Talk<'a> {
    pub desk: &'a Desk,
    pub id: ConnectionId,
    pub connection: Connection,
}

impl Talk<'_> {
    /// As whom the client acts: the owner whose verified token opened the connection.
    pub fn actor(&self) -> Actor {
        Actor::Client(self.connection.owner.clone())
    }

    /// What replies are about that concern no other session.
    pub const fn about(&self) -> About {
        About {
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

    pub async fn reply(&self, reply: &Reply) -> Delivery {
        self.desk.outbox.push().one(&self.id, reply).await
    }

    /// Lets the connection follow a session. From here on its events are pushed; what lies before is read afterwards, so that
    /// nothing falls between.
    pub async fn follow(&self, session: SessionId, run: Option<RunId>) -> Result<(), Problem> {
        self.desk
            .app
            .sessions
            .follow(&self.id, session, run, now())
            .await?;
        Ok(())
    }

    /// Sends the events behind `after`, then says how far that was.
    pub async fn replay(
        &self,
        about: About,
        session: SessionId,
        after: Seq,
    ) -> Result<(), Problem> {
        let (begun, actor) = (Instant::now(), self.actor());
        let (mut reached, mut sent) = (after, 0);
        let last_seq = loop {
            let sessions = &self.desk.app.sessions;
            let page = sessions
                .events(session, &actor, reached, MAX_REPLAY - sent)
                .await?;
            for envelope in &page.envelopes {
                if begun.elapsed() > REPLAY_TIME {
                    break;
                }
                if self.desk.outbox.push().event(&self.id, envelope).await != Delivery::Sent {
                    // Gone, or too slow: it asks again if it is there.
                    return Ok(());
                }
                reached = envelope.seq.unwrap_or(reached);
                sent += 1;
            }
            let time_is_up = begun.elapsed() > REPLAY_TIME;
            if page.next_after.is_none() || sent >= MAX_REPLAY || time_is_up {
                break page.last_seq;
            }
        };
        self.reply(&about.replay_end(last_seq, reached.min(last_seq), now()))
            .await;
        Ok(())
    }
}
