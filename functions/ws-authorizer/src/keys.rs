//! The issuer's keys, kept in the process: fetched at the first token, again when their time is over, and once for a `kid`
//! that nobody knows, so that a new key is accepted at once.
//!
//! Anybody can invent a `kid`. So an unknown one sends nobody to the issuer within 30 seconds of the last time. A key that the
//! issuer has withdrawn is refused when its time is over, also while the issuer does not answer. Time is the wall clock's: a
//! monotonic one may stand still while Lambda has frozen the process.

use std::time::{Duration, SystemTime};

use jsonwebtoken::DecodingKey;
use tokio::sync::Mutex;

use crate::issuer::{FetchError, Issuer, KeySet};

/// Between two fetches that unknown keys bring about.
const UNKNOWN_KEY_PAUSE: Duration = Duration::from_secs(30);

/// After a fetch that failed: clients come back by themselves, and each would ask.
const FAILURE_PAUSE: Duration = Duration::from_secs(1);

/// The keys of one issuer.
#[derive(Debug)]
pub struct KeyCache {
    issuer: Issuer,
    ttl: Duration,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    keys: KeySet,
    fetched: Option<SystemTime>,
    /// When the issuer was asked last, whatever came of it.
    asked: Option<SystemTime>,
}

impl KeyCache {
    /// Of an issuer that is asked when the first token comes.
    pub fn new(issuer: Issuer, ttl: Duration) -> Self {
        Self {
            issuer,
            ttl,
            known: Mutex::default(),
        }
    }

    /// The key of this name, if the issuer publishes it.
    pub async fn get(&self, id: &str, now: SystemTime) -> Result<Option<DecodingKey>, FetchError> {
        let mut known = self.known.lock().await;
        let fresh = within(known.fetched, now, self.ttl);
        if fresh && let Some(key) = known.keys.get(id) {
            return Ok(Some(key.clone()));
        }
        let pause = if fresh {
            UNKNOWN_KEY_PAUSE
        } else {
            FAILURE_PAUSE
        };
        if within(known.asked, now, pause) {
            return if fresh {
                Ok(None)
            } else {
                Err(FetchError::TooSoon)
            };
        }
        known.asked = Some(now);
        match self.issuer.keys().await {
            Ok(keys) => {
                known.keys = keys;
                known.fetched = Some(now);
                Ok(known.keys.get(id).cloned())
            }
            // What is fresh still says that there is no such key.
            Err(error) if fresh => {
                tracing::warn!(%error, "issuer not asked about an unknown key");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// Whether `at` lies less than `span` back. A time that lies ahead, because the clock was put back, does not.
fn within(at: Option<SystemTime>, now: SystemTime, span: Duration) -> bool {
    let age = at.and_then(|at| now.duration_since(at).ok());
    age.is_some_and(|age| age < span)
}
