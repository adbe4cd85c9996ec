//! Replays the events after a place in the record to one connection, in parts.
//!
//! Live events wait behind a replay (`session_manager::replay`), so the connection gets all events
//! in their order. A replay ends with `replay_end`, unless another one has replaced it.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use session::{Envelope, Seq, SessionId, Timestamp};
use session_manager::{Actor, ConnectionId, ReplayEnd, ReplayId, SessionManager};
use uuid::Uuid;

use super::reply::ReplyContext;
use crate::{Code, Delivery, Outbox, Problem, Push, QueueMessage, now};

/// The most events of one part.
const MAX_EVENTS: usize = 500;

/// The most events of one read. A replay that is replaced has read them in vain.
const PAGE: usize = 100;

/// How many events are sent before a replay asks whether another one has replaced it.
const UNWATCHED: usize = 20;

/// The longest time of one part. API Gateway waits 29 seconds for the function.
const PART_TIME: Duration = Duration::from_secs(10);

/// The pause before a part that failed is tried again, and how often that is done.
const PAUSE: Duration = Duration::from_secs(1);
const MAX_TRIES: u32 = 5;

/// A replay, as a message of the queue has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replay {
    /// The connection.
    pub connection_id: ConnectionId,
    /// The session that it follows.
    pub session_id: SessionId,
    /// The mark at the follower.
    pub replay_id: ReplayId,
    /// The last event that was sent.
    pub after: Seq,
    /// How many parts in a row have failed.
    #[serde(default)]
    pub tries: u32,
}

/// What a part of a replay leaves.
#[derive(Debug, PartialEq, Eq)]
pub enum Replayed {
    /// Nothing: the replay is over.
    Over,
    /// Events up to this one, and perhaps more by now.
    Rest(Seq),
    /// The same, and a post has failed.
    Failed(Seq),
}

impl Replay {
    /// A replay of the events after `after`.
    pub fn new(connection_id: ConnectionId, session_id: SessionId, after: Seq) -> Self {
        Self {
            connection_id,
            session_id,
            replay_id: ReplayId::new(Uuid::now_v7()),
            after,
            tries: 0,
        }
    }

    /// Sends the next part, and `replay_end` if it is the last one.
    ///
    /// # Errors
    /// `session_not_found`, `unavailable`.
    pub async fn send_part(
        &mut self,
        sessions: &SessionManager,
        push: &Push,
        actor: &Actor,
        context: ReplyContext,
    ) -> Result<Replayed, Problem> {
        let mut walk = Walk::from(self.after);
        let mut ahead = false;
        loop {
            let limit = walk.left().min(PAGE);
            let page = sessions
                .events(self.session_id, actor, walk.reached, limit)
                .await?;
            let post = async |event: &Envelope| push.event(&self.connection_id, event).await;
            let mut went = Went::On;
            for events in page.envelopes.chunks(UNWATCHED) {
                if !self.is_own(sessions).await? {
                    return Ok(Replayed::Over);
                }
                went = walk.send(events, post).await;
                if went != Went::On {
                    break;
                }
            }
            ahead |= page.cursor_ahead;
            walk.reached = walk.reached.min(page.last_seq);
            self.after = walk.reached;
            match went {
                Went::Gone => return Ok(Replayed::Over),
                Went::Failed => return Ok(Replayed::Failed(page.last_seq)),
                Went::On if page.next_after.is_none() => {
                    match self.end(sessions).await? {
                        ReplayEnd::More => {}
                        ReplayEnd::Replaced => return Ok(Replayed::Over),
                        ReplayEnd::Live => {
                            let end = match ahead {
                                true => context.cursor_ahead(page.last_seq, now()),
                                false => context.replay_end(page.last_seq, self.after, now()),
                            };
                            push.one(&self.connection_id, &end).await;
                            return Ok(Replayed::Over);
                        }
                    }
                    if walk.left() == 0 {
                        return Ok(Replayed::Rest(page.last_seq));
                    }
                }
                Went::On if walk.left() > 0 => {}
                Went::On | Went::Paused => return Ok(Replayed::Rest(page.last_seq)),
            }
        }
    }

    /// Ends the replay, unless the record has grown meanwhile.
    async fn end(&self, sessions: &SessionManager) -> Result<ReplayEnd, Problem> {
        let (id, session) = (&self.connection_id, self.session_id);
        let ended = sessions.end_replay(id, session, self.replay_id, self.after);
        Ok(ended.await?)
    }

    /// Whether no other replay has replaced this one.
    async fn is_own(&self, sessions: &SessionManager) -> Result<bool, Problem> {
        let (id, session) = (&self.connection_id, self.session_id);
        let goes_on = sessions.replay_goes_on(id, session, self.replay_id);
        Ok(goes_on.await?)
    }

    /// Leaves the next part to the client. What it has so far counts as sent.
    pub async fn note(&self, sessions: &SessionManager) {
        let (id, session) = (&self.connection_id, self.session_id);
        let noted = sessions.note_replay(id, session, self.replay_id, self.after);
        if let Err(error) = noted.await {
            tracing::warn!(connection = %id, error = %error, "replay not noted");
        }
    }

    /// Gives the replay up: live events go on behind a gap, which the client sees in their `seq`.
    pub async fn abandon(&self, sessions: &SessionManager) {
        let (id, session) = (&self.connection_id, self.session_id);
        let abandoned = sessions.abandon_replay(id, session, self.replay_id, self.after);
        if let Err(error) = abandoned.await {
            tracing::warn!(connection = %id, error = %error, "replay not ended; its time will");
        }
    }

    /// Sends one part after another without being asked: the next ones by the queue.
    ///
    /// # Errors
    /// `session_not_found`, `unavailable`. The replay is over then.
    pub async fn go_on(
        mut self,
        sessions: &SessionManager,
        outbox: &Outbox,
        actor: &Actor,
        context: ReplyContext,
    ) -> Result<(), Problem> {
        let before = self.after;
        let sent = self
            .send_part(sessions, outbox.push(), actor, context)
            .await;
        let failed = match sent {
            Ok(Replayed::Over) => return Ok(()),
            Ok(Replayed::Rest(_)) => None,
            Ok(Replayed::Failed(last_seq)) => Some(Ok(last_seq)),
            Err(problem) => Some(Err(problem)),
        };
        self.tries = match failed {
            Some(_) if self.after == before => self.tries + 1,
            _ => 0,
        };
        let lasting = matches!(&failed, Some(Err(problem)) if problem.code() != Code::Unavailable);
        if lasting || self.tries > MAX_TRIES {
            self.abandon(sessions).await;
            return match failed {
                Some(Err(problem)) => Err(problem),
                Some(Ok(last_seq)) => {
                    let end = context.replay_end(last_seq, self.after, now());
                    outbox.push().one(&self.connection_id, &end).await;
                    Ok(())
                }
                None => Ok(()),
            };
        }
        let pause = if failed.is_some() {
            PAUSE
        } else {
            Duration::ZERO
        };
        outbox
            .enqueue_after(QueueMessage::Replay(self), actor.owner(), pause)
            .await;
        Ok(())
    }
}

/// Continues a replay that an earlier function began, unless the connection has ended, another
/// replay has begun, or another function continues it.
///
/// # Errors
/// `unavailable`.
pub async fn continue_replay(
    sessions: &SessionManager,
    outbox: &Outbox,
    mut replay: Replay,
    now: Timestamp,
) -> Result<(), Problem> {
    let id = &replay.connection_id;
    let Some(connection) = sessions.connection(id, now).await? else {
        return Ok(());
    };
    let (session, before) = (replay.session_id, replay.replay_id);
    let claim = ReplayId::new(Uuid::now_v7());
    let claimed = sessions.claim_replay(id, session, before, claim, now);
    if !claimed.await? {
        return Ok(());
    }
    replay.replay_id = claim;
    let context = ReplyContext {
        session: Some(session),
        run: connection.run_id,
    };
    let actor = Actor::Client(connection.owner);
    if let Err(problem) = replay.go_on(sessions, outbox, &actor, context).await {
        // A second delivery has nothing to continue.
        problem.log();
    }
    Ok(())
}

/// The progress of a replay.
#[derive(Debug)]
struct Walk {
    reached: Seq,
    sent: usize,
    begun: Instant,
}

/// The result of a part of a replay.
#[derive(Debug, PartialEq, Eq)]
enum Went {
    /// All of it was sent.
    On,
    /// The time is up.
    Paused,
    /// A post failed: the client asks for the rest.
    Failed,
    /// The connection is closed.
    Gone,
}

impl Walk {
    fn from(after: Seq) -> Self {
        Self {
            reached: after,
            sent: 0,
            begun: Instant::now(),
        }
    }

    const fn left(&self) -> usize {
        MAX_EVENTS.saturating_sub(self.sent)
    }

    async fn send(
        &mut self,
        events: &[Envelope],
        post: impl AsyncFn(&Envelope) -> Delivery,
    ) -> Went {
        for event in events {
            if self.begun.elapsed() > PART_TIME {
                return Went::Paused;
            }
            match post(event).await {
                Delivery::Sent => {}
                Delivery::Failed => return Went::Failed,
                Delivery::Gone => return Went::Gone,
            }
            self.reached = event.seq.unwrap_or(self.reached);
            self.sent += 1;
        }
        Went::On
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use session::{EventBody, Timestamp};

    fn events(seqs: std::ops::RangeInclusive<u64>) -> Vec<Envelope> {
        let event = |seq| Envelope {
            timestamp: Timestamp::from_micros(0).unwrap(),
            run_id: None,
            session_id: "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap(),
            seq: Some(Seq(seq)),
            body: EventBody::Output {
                message: String::new(),
            }
            .into(),
        };
        seqs.map(event).collect()
    }

    #[tokio::test]
    async fn a_post_that_fails_stops_the_walk_where_it_was() {
        for (third, went) in [
            (Delivery::Failed, Went::Failed),
            (Delivery::Gone, Went::Gone),
        ] {
            let mut walk = Walk::from(Seq(4));
            let post = async |event: &Envelope| match event.seq {
                Some(Seq(7)) => third,
                _ => Delivery::Sent,
            };
            assert_eq!(walk.send(&events(5..=9), post).await, went);
            assert_eq!((walk.reached, walk.sent), (Seq(6), 2));
        }
    }

    #[tokio::test]
    async fn a_walk_goes_on_over_pages_until_all_is_sent() {
        let mut walk = Walk::from(Seq(0));
        let post = async |_: &Envelope| Delivery::Sent;
        assert_eq!(walk.send(&events(1..=300), post).await, Went::On);
        assert_eq!((walk.reached, walk.left()), (Seq(300), 200));
        assert_eq!(walk.send(&events(301..=500), post).await, Went::On);
        assert_eq!((walk.reached, walk.left()), (Seq(500), 0));
    }

    #[tokio::test]
    async fn a_walk_stops_when_its_time_is_up() {
        let mut walk = Walk::from(Seq(0));
        walk.begun = Instant::now()
            .checked_sub(PART_TIME + Duration::from_secs(1))
            .unwrap();
        let post = async |_: &Envelope| Delivery::Sent;
        assert_eq!(walk.send(&events(1..=2), post).await, Went::Paused);
        assert_eq!(walk.reached, Seq(0));
    }
}
