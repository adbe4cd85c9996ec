//! What a client calls its request, so that the same request twice is one: a task id, or an `Idempotency-Key`.
//!
//! The key is written with the entry that it led to. An `Idempotency-Key` is kept for 24 hours from then on, a task id until 24
//! hours after its run has ended. It outlives a purge, so it holds ids and digests alone: the first answer is drawn up anew.

use std::time::Duration;

use session::{OwnerId, TaskId, Timestamp, digest};

use crate::error::ReadError;
use crate::items::{Item, from_item};
use crate::{RequestKeyItem, SessionManager, keys};

/// How long a key is kept: from its use, or from the end of the run that it led to.
pub(crate) const KEY_TTL: Duration = Duration::from_secs(24 * 3600);

const TASK: &str = "task";

/// A client's name for a request. The client's own text is in it only as a digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestKey {
    owner: OwnerId,
    scope: String,
    key: String,
    request: String,
}

impl RequestKey {
    /// A task id; the task's text decides whether it is the same request.
    pub fn task(owner: OwnerId, task_id: &TaskId, task: &str) -> Self {
        Self {
            owner,
            scope: TASK.into(),
            key: task_id.digest.clone(),
            request: digest(&[task]),
        }
    }

    /// An `Idempotency-Key`, for one path; the body decides whether it is the same request.
    pub fn idempotency(owner: OwnerId, path: &str, key: &str, body: &str) -> Self {
        Self {
            owner,
            // A digest, because a path may be of any length.
            scope: digest(&[path]),
            key: digest(&[key]),
            request: digest(&[body]),
        }
    }

    /// Whether the record of this key was made by the same request.
    pub fn is_same_request(&self, record: &RequestKeyItem) -> bool {
        self.request == record.request
    }

    /// Whether its time begins with its use, and not with the end of a run.
    pub(crate) fn ends_by_itself(&self) -> bool {
        self.scope != TASK
    }

    pub(crate) fn request(&self) -> &str {
        &self.request
    }

    pub(crate) fn key(&self) -> Item {
        let pk = keys::request_key(&self.owner, &self.scope, &self.key);
        keys::key(pk, keys::META)
    }

    /// The partition of a task id, by its digest.
    pub(crate) fn task_pk(owner: &OwnerId, task_key: &str) -> String {
        keys::request_key(owner, TASK, task_key)
    }
}

impl SessionManager {
    /// What a key led to, unless its time is over. The session may have been deleted since.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`], [`ReadError::Malformed`].
    pub async fn request_key(
        &self,
        key: &RequestKey,
        now: Timestamp,
    ) -> Result<Option<RequestKeyItem>, ReadError> {
        let Some(item) = self.get(key.key()).await? else {
            return Ok(None);
        };
        let record: RequestKeyItem = from_item("request key", item)?;
        Ok(Some(record).filter(|record| record.counts(now)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ada() -> OwnerId {
        OwnerId::of("issuer", "ada")
    }

    #[test]
    fn no_text_of_the_client_is_in_a_key() {
        let key = RequestKey::idempotency(ada(), "/api/sessions", "my#key", "{}");
        let pk = key.key()["PK"].as_s().unwrap().clone();
        assert!(!pk.contains("my#key") && pk.starts_with(&format!("KEY#{}#", ada())));
        assert_eq!(pk.matches('#').count(), 3);
    }

    #[test]
    fn path_owner_and_key_each_make_another_key() {
        let key = |owner, path, key| RequestKey::idempotency(owner, path, key, "{}").key();
        let one = key(ada(), "/a", "1");
        assert_eq!(one, key(ada(), "/a", "1"));
        assert_ne!(one, key(ada(), "/b", "1"));
        assert_ne!(one, key(ada(), "/a", "2"));
        assert_ne!(one, key(OwnerId::of("issuer", "bob"), "/a", "1"));
    }

    #[test]
    fn a_task_key_is_found_again_by_the_digest_in_the_state() {
        let task_id = TaskId {
            text: "mine".into(),
            digest: digest(&["mine"]),
        };
        let key = RequestKey::task(ada(), &task_id, "do it");
        let pk = RequestKey::task_pk(&ada(), &task_id.digest);
        assert_eq!(key.key(), keys::key(pk, keys::META));
        assert!(!key.ends_by_itself());
    }
}
