//! The cache of the issuer's keys. They are fetched for the first token, after their TTL, and for
//! an unknown `kid`, so that a new key is accepted at once.
//!
//! Any client can invent a `kid`, so an unknown one causes no fetch within 30 seconds of the last
//! fetch. A withdrawn key is refused after the TTL, also while the issuer does not reply. Times are
//! the wall clock's, because a monotonic clock may stop while Lambda freezes the process.

use std::time::{Duration, SystemTime};

use jsonwebtoken::DecodingKey;
use tokio::sync::Mutex;

use crate::issuer::{FetchError, Issuer, KeySet};

/// The least time between two fetches for unknown keys.
const UNKNOWN_KEY_PAUSE: Duration = Duration::from_secs(30);

/// The least time after a failed fetch: each client that tries again would cause one.
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
    /// The time of the last attempt, successful or not.
    attempted: Option<SystemTime>,
}

impl KeyCache {
    /// An empty cache.
    pub fn new(issuer: Issuer, ttl: Duration) -> Self {
        Self {
            issuer,
            ttl,
            known: Mutex::default(),
        }
    }

    /// Returns the key with this `kid`, or `None` if the issuer publishes none.
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
        if within(known.attempted, now, pause) {
            return if fresh {
                Ok(None)
            } else {
                Err(FetchError::TooSoon)
            };
        }
        known.attempted = Some(now);
        match self.issuer.keys().await {
            Ok(keys) => {
                known.keys = keys;
                known.fetched = Some(now);
                Ok(known.keys.get(id).cloned())
            }
            // The keys within their TTL do not include this one.
            Err(error) if fresh => {
                tracing::warn!(%error, "keys not fetched for an unknown kid");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// Whether `at` is less than `span` ago. A time in the future, after the clock was put back, is
/// not.
fn within(at: Option<SystemTime>, now: SystemTime, span: Duration) -> bool {
    let age = at.and_then(|at| now.duration_since(at).ok());
    age.is_some_and(|age| age < span)
}
