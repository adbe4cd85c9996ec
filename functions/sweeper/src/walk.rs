//! The way through one shard: page after page, to the end or until the time is up.
//!
//! Each page begins behind the last one. What cannot be done now, or not by this version, keeps its place in the index and
//! must not keep the others from theirs.

use std::future::ready;
use std::pin::pin;
use std::time::Instant;

use futures::{FutureExt as _, StreamExt as _};
use lambda_kit::recover::Recovered;
use lambda_kit::{Problem, logs};
use session_manager::Overdue;
use tracing::Instrument as _;

/// How many sessions of a shard are looked at together.
const AT_ONCE: usize = 4;

/// How it went.
#[derive(Debug)]
pub struct Walked {
    /// For how many sessions something was done.
    pub done: usize,
    /// Whether everything was looked at.
    pub whole: bool,
    /// What went wrong last.
    pub trouble: Option<Problem>,
}

impl Default for Walked {
    fn default() -> Self {
        Self {
            done: 0,
            whole: true,
            trouble: None,
        }
    }
}

impl Walked {
    /// Both ways together.
    pub fn and(self, other: Self) -> Self {
        Self {
            done: self.done + other.done,
            whole: self.whole && other.whole,
            trouble: other.trouble.or(self.trouble),
        }
    }

    fn note(&mut self, looked: Result<Recovered, Problem>) {
        match looked {
            Ok(Recovered::Nothing) => {}
            Ok(_) => self.done += 1,
            Err(problem) => {
                problem.log();
                self.trouble = Some(problem);
            }
        }
    }
}

/// Looks at what `page` brings from behind a place on, until it brings nothing more.
pub async fn walk(
    until: Instant,
    page: impl AsyncFn(Option<&Overdue>) -> Result<Vec<Overdue>, Problem>,
    look: impl AsyncFn(Overdue) -> Result<Recovered, Problem>,
) -> Walked {
    let mut walked = Walked::default();
    let mut behind = None;
    while Instant::now() < until {
        let due = match page(behind.as_ref()).await {
            Ok(due) => due,
            Err(problem) => {
                walked.note(Err(problem));
                break;
            }
        };
        let Some(last) = due.last() else {
            return walked;
        };
        behind = Some(*last);
        let in_time = futures::stream::iter(due).take_while(|_| ready(Instant::now() < until));
        let looks = in_time.map(|overdue| {
            let span = logs::session(overdue.session);
            let look = look(overdue).instrument(span.clone());
            look.map(|looked| (looked, span))
        });
        let mut looks = pin!(looks.buffer_unordered(AT_ONCE));
        while let Some((looked, span)) = looks.next().await {
            span.in_scope(|| walked.note(looked));
        }
    }
    walked.whole = false;
    walked
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
        }
    }

    /// The index of a shard with `all`, two on a page.
    fn pages(all: Vec<Overdue>) -> impl AsyncFn(Option<&Overdue>) -> Result<Vec<Overdue>, Problem> {
        async move |behind| {
            let all = all.iter().copied();
            let rest = all.skip_while(|one| behind.is_some_and(|behind| one.since <= behind.since));
            Ok(rest.take(2).collect())
        }
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    #[tokio::test]
    async fn what_keeps_its_place_does_not_keep_the_others_from_theirs() {
        let seen = RefCell::new(Vec::new());
        let walked = walk(
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
        assert_eq!((walked.done, walked.whole), (3, true));
        assert!(walked.trouble.is_some(), "the alarm must ring");
    }

    #[tokio::test]
    async fn a_shard_that_cannot_be_read_is_trouble() {
        let broken = async |_: Option<&Overdue>| Err(Problem::unavailable("throttled"));
        let look = async |_| Ok(Recovered::Nothing);
        let walked = walk(soon(), broken, look).await;
        assert!(walked.trouble.is_some() && !walked.whole);
    }

    #[tokio::test]
    async fn a_walk_ends_with_its_time() {
        let until = Instant::now() + Duration::from_millis(50);
        let look = async |_| {
            tokio::time::sleep(Duration::from_millis(30)).await;
            Ok(Recovered::Did(DueAction::Wake))
        };
        let walked = walk(until, pages((1..=1_000).map(overdue).collect()), look).await;
        assert!(walked.done < 1_000 && !walked.whole && walked.trouble.is_none());
    }
}
