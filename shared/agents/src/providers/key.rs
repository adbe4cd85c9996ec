//! The key of a service, from the environment or from a key store, which is read at the first use.
//! A fetched key is cached until its TTL ends or the service refuses it, so a rotated key costs one
//! refused request.
//!
//! The TTL uses the wall clock, which advances while a function's process is frozen.

use std::{
    error::Error,
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio::sync::Mutex;
use tracing::warn;

use crate::{ProviderError, Secret};

/// The source of a key.
#[derive(Clone, Debug)]
pub enum Key {
    /// The key itself.
    Given(Secret),
    /// A key store.
    Kept(Arc<dyn KeyStore>),
}

/// A store of one key.
pub trait KeyStore: fmt::Debug + Send + Sync {
    /// Reads the key. Results are cached, so calls are rare.
    fn fetch(&self) -> Fetching<'_>;
}

/// The result of [`KeyStore::fetch`].
pub type Fetching<'a> = Pin<Box<dyn Future<Output = Result<Secret, KeyError>> + Send + 'a>>;

/// A key that could not be read.
#[derive(Debug, thiserror::Error)]
#[error("the key could not be read")]
pub struct KeyError {
    /// Whether a later attempt may succeed.
    pub passes: bool,
    /// The cause.
    #[source]
    pub source: Box<dyn Error + Send + Sync>,
}

/// A key and its cached value.
#[derive(Debug)]
pub(crate) struct Keyring {
    key: Key,
    ttl: Duration,
    fetched: Mutex<Option<Fetched>>,
}

#[derive(Clone, Debug)]
struct Fetched {
    secret: Secret,
    at: SystemTime,
}

impl Keyring {
    pub(crate) fn new(key: Key, ttl: Duration) -> Self {
        Self {
            key,
            ttl,
            fetched: Mutex::new(None),
        }
    }

    /// The current key. An expired one is still used when no newer one can be read.
    pub(crate) async fn current(&self) -> Result<Secret, ProviderError> {
        let store = match &self.key {
            Key::Given(secret) => return Ok(secret.clone()),
            Key::Kept(store) => store,
        };
        let mut fetched = self.fetched.lock().await;
        match fetched.as_ref() {
            Some(held) if held.is_younger_than(self.ttl) => return Ok(held.secret.clone()),
            _ => {}
        }
        match store.fetch().await {
            Ok(secret) => Ok(fetched.insert(Fetched::now(secret)).secret.clone()),
            Err(error) => match fetched.as_ref() {
                Some(held) => {
                    warn!(error = %error.source, "an aged key is used on: no newer one could be read");
                    Ok(held.secret.clone())
                }
                None => Err(ProviderError::Key(error)),
            },
        }
    }

    /// A key other than the refused one, if the store has one.
    pub(crate) async fn instead_of(&self, refused: &Secret) -> Option<Secret> {
        let Key::Kept(store) = &self.key else {
            return None;
        };
        let mut fetched = self.fetched.lock().await;
        if let Some(held) = fetched.as_ref().filter(|held| held.secret != *refused) {
            return Some(held.secret.clone());
        }
        let newest = store.fetch().await.ok()?;
        *fetched = Some(Fetched::now(newest.clone()));
        (newest != *refused).then_some(newest)
    }
}

impl Fetched {
    fn now(secret: Secret) -> Self {
        Self {
            secret,
            at: SystemTime::now(),
        }
    }

    /// After the clock was set back, a key counts as expired.
    fn is_younger_than(&self, ttl: Duration) -> bool {
        self.at.elapsed().is_ok_and(|age| age < ttl)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex as StdMutex;

    use super::*;

    /// Returns these results in turn; `None` is a failure.
    #[derive(Debug)]
    struct Store(StdMutex<Vec<Option<&'static str>>>);

    impl KeyStore for Store {
        fn fetch(&self) -> Fetching<'_> {
            let next = self.0.lock().unwrap().remove(0);
            Box::pin(async move {
                next.map(Secret::new).ok_or_else(|| KeyError {
                    passes: true,
                    source: "throttled".into(),
                })
            })
        }
    }

    fn kept(ttl: Duration, answers: &[Option<&'static str>]) -> Keyring {
        let store = Store(StdMutex::new(answers.to_vec()));
        Keyring::new(Key::Kept(Arc::new(store)), ttl)
    }

    const LONG: Duration = Duration::from_secs(600);

    async fn current(keys: &Keyring) -> String {
        keys.current().await.unwrap().expose().to_owned()
    }

    #[tokio::test]
    async fn a_key_is_fetched_once_until_it_expires() {
        let keys = kept(LONG, &[Some("one")]);
        assert_eq!(current(&keys).await, "one");
        assert_eq!(current(&keys).await, "one");
        let aged = kept(Duration::ZERO, &[Some("one"), Some("two")]);
        assert_eq!(current(&aged).await, "one");
        assert_eq!(current(&aged).await, "two");
    }

    #[tokio::test]
    async fn an_expired_key_is_used_when_no_newer_one_can_be_read() {
        let keys = kept(Duration::ZERO, &[Some("one"), None]);
        assert_eq!(current(&keys).await, "one");
        assert_eq!(current(&keys).await, "one");
        let error = kept(LONG, &[None]).current().await.unwrap_err();
        assert!(matches!(&error, ProviderError::Key(_)) && error.is_transient());
    }

    #[tokio::test]
    async fn a_refused_key_is_fetched_again_and_returned_if_it_changed() {
        let keys = kept(LONG, &[Some("old"), Some("old"), Some("new")]);
        let refused = keys.current().await.unwrap();
        assert_eq!(keys.instead_of(&refused).await, None);
        assert_eq!(keys.instead_of(&refused).await, Some(Secret::new("new")));
        assert_eq!(
            keys.instead_of(&refused).await,
            Some(Secret::new("new")),
            "without a further look"
        );
        let given = Keyring::new(Key::Given(Secret::new("k")), LONG);
        assert_eq!(given.instead_of(&Secret::new("k")).await, None);
    }
}
