//! When the events of a commit are pushed.
//!
//! A client's connection gets events in the order of `seq`, and no process knows what another one
//! has pushed. Each commit therefore stores its turn: one that follows another process's commit
//! waits until that one's turn is over. The turns of one worker need no wait, because it pushes its
//! own commits in order. Nothing waits unless two processes commit within one turn. A push that
//! takes longer than its turn may be overtaken; the client's rule mends that.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// The time within which one commit's events reach the connections.
const TURN: Duration = Duration::from_millis(500);

/// The longest wait, however many commits are ahead. A request waits for its own pushes.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// The turn of one commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushTurn {
    /// When the push begins.
    pub from: Timestamp,
    /// Whether the worker that holds the lease pushes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub worker: bool,
}

impl PushTurn {
    /// A turn that waits for no other: of a new session, or of a worker that takes the lease, for
    /// which the message that woke it was sent after the last push.
    pub(crate) const fn at_once(worker: bool, now: Timestamp) -> Self {
        Self { from: now, worker }
    }

    /// The turn after `before`.
    pub(crate) fn after(before: Option<Self>, worker: bool, now: Timestamp) -> Self {
        let ends = before
            .filter(|before| !(before.worker && worker))
            .map_or(now, |before| before.from.plus(TURN));
        Self {
            from: ends.clamp(now, now.plus(LONGEST_WAIT)),
            worker,
        }
    }

    /// How long the push still waits.
    pub fn wait(self, now: Timestamp) -> Duration {
        self.from.since(now).min(LONGEST_WAIT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_micros(millis * 1_000).unwrap()
    }

    fn from(before: PushTurn, worker: bool, now: i64) -> i64 {
        let turn = PushTurn::after(Some(before), worker, at(now));
        turn.from.as_micros() / 1_000
    }

    #[test]
    fn a_client_waits_for_the_turn_of_a_worker_and_a_worker_for_that_of_a_client() {
        let worker = PushTurn::at_once(true, at(1_000));
        let client = PushTurn::at_once(false, at(1_000));
        assert_eq!(
            from(worker, true, 1_010),
            1_010,
            "its own pushes are in order"
        );
        assert_eq!(from(worker, false, 1_010), 1_500);
        assert_eq!(from(client, true, 1_010), 1_500);
        assert_eq!(from(client, false, 1_010), 1_500);
        assert_eq!(from(worker, false, 1_600), 1_600, "the turn is over");
    }

    #[test]
    fn turns_queue_up_to_two_seconds() {
        let mut turn = PushTurn::at_once(true, at(0));
        let mut begins = Vec::new();
        for worker in [false, true, false, true, false] {
            turn = PushTurn::after(Some(turn), worker, at(10));
            begins.push(turn.from.as_micros() / 1_000);
        }
        assert_eq!(begins, [500, 1_000, 1_500, 2_000, 2_010]);
        assert_eq!(turn.wait(at(10)), LONGEST_WAIT);
        assert_eq!(turn.wait(at(5_000)), Duration::ZERO);
    }
}
