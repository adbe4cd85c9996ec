//! Goes through one shard of the index, page by page, to the end or until the time is up.
//!
//! Each page begins after the last session of the page before, so a session that stays in the index
//! does not stop the others.

use std::future::ready;
use std::pin::pin;
use std::time::Instant;

use futures::{FutureExt as _, StreamExt as _};
use lambda_kit::recover::Recovered;
use lambda_kit::{Problem, logs};
use session_manager::Overdue;
use tracing::Instrument as _;

/// The number of sessions of a shard that are recovered concurrently.
const CONCURRENT_RECOVERIES: usize = 4;

/// The result for one shard, or for several.
#[derive(Debug)]
pub struct ShardResult {
    /// The number of sessions that were recovered.
    pub recovered: usize,
    /// Whether every due session was handled.
    pub is_complete: bool,
    /// The last failure.
    pub problem: Option<Problem>,
}

impl Default for ShardResult {
    fn default() -> Self {
        Self {
            recovered: 0,
            is_complete: true,
            problem: None,
        }
    }
}

impl ShardResult {
    /// Both results together.
    pub fn and(self, other: Self) -> Self {
        Self {
            recovered: self.recovered + other.recovered,
            is_complete: self.is_complete && other.is_complete,
            problem: other.problem.or(self.problem),
        }
    }

    fn add(&mut self, recovered: Result<Recovered, Problem>) {
        match recovered {
            Ok(Recovered::Nothing | Recovered::PutOff) => {}
            Ok(_) => self.recovered += 1,
            Err(problem) => {
                problem.log();
                self.problem = Some(problem);
            }
        }
    }
}

/// Calls `recover` for each session that `page` returns, until `page` returns none or the time is
/// up.
pub async fn recover_shard(
    until: Instant,
    page: impl AsyncFn(Option<&Overdue>) -> Result<Vec<Overdue>, Problem>,
    recover: impl AsyncFn(Overdue) -> Result<Recovered, Problem>,
) -> ShardResult {
    let mut result = ShardResult::default();
    let mut after = None;
    while Instant::now() < until {
        let due = match page(after.as_ref()).await {
            Ok(due) => due,
            Err(problem) => {
                result.add(Err(problem));
                break;
            }
        };
        let Some(last) = due.last() else {
            return result;
        };
        after = Some(*last);
        let in_time = futures::stream::iter(due).take_while(|_| ready(Instant::now() < until));
        let recoveries = in_time.map(|overdue| {
            let span = logs::session(overdue.session);
            let recovery = recover(overdue).instrument(span.clone());
            recovery.map(|recovered| (recovered, span))
        });
        let mut recoveries = pin!(recoveries.buffer_unordered(CONCURRENT_RECOVERIES));
        while let Some((recovered, span)) = recoveries.next().await {
            span.in_scope(|| result.add(recovered));
        }
    }
    result.is_complete = false;
    result
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::time::Duration;

    use session::{DueAction, SessionId, Timestamp};

    use super::*;

    fn overdue(n: u32) -> Overdue {
        Overdue {
            session: SessionId::new(uuid::Uuid::from_u128(n.into())),
            since: Timestamp::from_micros(n.into()).unwrap(),
            put_off_since: None,
        }
    }

    /// The index of a shard with `all`, two on a page.
    fn pages(all: Vec<Overdue>) -> impl AsyncFn(Option<&Overdue>) -> Result<Vec<Overdue>, Problem> {
        async move |after| {
            let all = all.iter().copied();
            let rest = all.skip_while(|one| after.is_some_and(|after| one.since <= after.since));
            Ok(rest.take(2).collect())
        }
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    #[tokio::test]
    async fn a_session_that_stays_due_does_not_stop_the_others() {
        let seen = RefCell::new(Vec::new());
        let result = recover_shard(
            soon(),
            pages((1..=7).map(overdue).collect()),
            async |one: Overdue| {
                seen.borrow_mut().push(one);
                match one.since.as_micros() {
                    1..=3 => Err(Problem::unavailable("unreadable")),
                    4 => Ok(Recovered::Nothing),
                    _ => Ok(Recovered::Did(DueAction::Wake)),
                }
            },
        )
        .await;
        let mut seen = seen.into_inner();
        seen.sort_by_key(|one| one.since);
        assert_eq!(seen, (1..=7).map(overdue).collect::<Vec<_>>());
        assert_eq!((result.recovered, result.is_complete), (3, true));
        assert!(result.problem.is_some(), "the alarm must be raised");
    }

    #[tokio::test]
    async fn a_shard_that_cannot_be_read_is_a_problem() {
        let broken = async |_: Option<&Overdue>| Err(Problem::unavailable("throttled"));
        let recover = async |_| Ok(Recovered::Nothing);
        let result = recover_shard(soon(), broken, recover).await;
        assert!(result.problem.is_some() && !result.is_complete);
    }

    #[tokio::test]
    async fn a_shard_ends_when_the_time_is_up() {
        let until = Instant::now() + Duration::from_millis(50);
        let recover = async |_| {
            tokio::time::sleep(Duration::from_millis(30)).await;
            Ok(Recovered::Did(DueAction::Wake))
        };
        let result = recover_shard(until, pages((1..=1_000).map(overdue).collect()), recover).await;
        assert!(result.recovered < 1_000 && !result.is_complete && result.problem.is_none());
    }
}
