//! Replays the events after a place in the record, as many as one invocation sends.
//!
//! Every replay ends with `replay_end`, also after a failed post: a client waits for it.

use std::time::{Duration, Instant};

use lambda_kit::{Delivery, Problem, now};
use session::{Envelope, Seq, SessionId};

use crate::frame_context::FrameContext;
use crate::reply::ReplyContext;

/// The most events that one replay sends.
const MAX_REPLAY: usize = 500;

/// The longest time of one replay. API Gateway waits 29 seconds for the function.
const REPLAY_TIME: Duration = Duration::from_secs(10);

impl FrameContext<'_> {
    /// Sends the events after `after`, then `replay_end` with the last event sent.
    pub async fn replay(
        &self,
        context: ReplyContext,
        session: SessionId,
        after: Seq,
    ) -> Result<(), Problem> {
        let (sessions, push) = (&self.deps.app.sessions, self.deps.outbox.push());
        let actor = self.actor();
        let mut walk = Walk::from(after);
        let last_seq = loop {
            let page = sessions
                .events(session, &actor, walk.reached, walk.left())
                .await?;
            let post = async |event: &Envelope| push.event(&self.id, event).await;
            match walk.send(&page.envelopes, post).await {
                Went::Gone => return Ok(()),
                Went::On if page.next_after.is_some() && walk.left() > 0 => {}
                Went::On | Went::Stopped => break page.last_seq,
            }
        };
        let reached = walk.reached.min(last_seq);
        self.reply(&context.replay_end(last_seq, reached, now()))
            .await;
        Ok(())
    }
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
    /// The time is up, or the connection is too slow: the client asks for the rest.
    Stopped,
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
        MAX_REPLAY.saturating_sub(self.sent)
    }

    async fn send(
        &mut self,
        events: &[Envelope],
        post: impl AsyncFn(&Envelope) -> Delivery,
    ) -> Went {
        for event in events {
            if self.begun.elapsed() > REPLAY_TIME {
                return Went::Stopped;
            }
            match post(event).await {
                Delivery::Sent => {}
                Delivery::Failed => return Went::Stopped,
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
            (Delivery::Failed, Went::Stopped),
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
            .checked_sub(REPLAY_TIME + Duration::from_secs(1))
            .unwrap();
        let post = async |_: &Envelope| Delivery::Sent;
        assert_eq!(walk.send(&events(1..=2), post).await, Went::Stopped);
        assert_eq!(walk.reached, Seq(0));
    }
}
