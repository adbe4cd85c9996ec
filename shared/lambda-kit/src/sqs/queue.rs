//! The queues that wake the workers. A message has ids alone; the session's state says what to do.
//!
//! The message decides the queue, and every function sends through [`Queues`], so that this is
//! decided in one place. Purges have their own queue, so that no run waits behind many of them.
//!
//! A lost message of a session does no harm: the session has a due time, at which the sweeper sends
//! it again. After a lost message of a replay live events go on within a minute, behind a gap.
//!
//! The owner is the message group, which makes the standard queue a fair one: while one owner's
//! messages take more than their share of the workers, SQS delivers the others' first
//! (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html>).

use std::time::Duration;

use aws_sdk_sqs::Client;
use serde::{Deserialize, Serialize};
use session::{OwnerId, RunId, SessionId, Wake, WorkerKind};

use crate::websocket::Replay;

/// The longest delay that SQS takes.
const MAX_DELAY: Duration = Duration::from_secs(900);

/// A message of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueueMessage {
    /// Continue a run.
    Wake(Wake),
    /// Remove the items and files of a deleted session.
    Purge(SessionId),
    /// Continue a replay.
    Replay(Replay),
}

/// The message's body: `{"session_id", "run_id", "epoch", "worker", …}`,
/// `{"session_id", "purge": true}` or
/// `{"connection_id", "session_id", "replay_id", "after", "tries"}`.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum MessageBody {
    Wake(Wake),
    Purge { session_id: SessionId, purge: bool },
    Replay(Replay),
}

/// A message that is not one of this queue's.
#[derive(Debug, thiserror::Error)]
pub enum UnknownMessage {
    /// Not JSON, or of no known shape.
    #[error("the message's body is of no known shape")]
    Malformed(#[from] serde_json::Error),
    /// `"purge": false`.
    #[error("the message asks for nothing")]
    Empty,
}

impl QueueMessage {
    /// Reads a message's body.
    ///
    /// # Errors
    /// [`UnknownMessage`].
    pub fn parse(body: &str) -> Result<Self, UnknownMessage> {
        match serde_json::from_str(body)? {
            MessageBody::Wake(wake) => Ok(Self::Wake(wake)),
            MessageBody::Purge {
                session_id,
                purge: true,
            } => Ok(Self::Purge(session_id)),
            MessageBody::Purge { purge: false, .. } => Err(UnknownMessage::Empty),
            MessageBody::Replay(replay) => Ok(Self::Replay(replay)),
        }
    }

    /// The session that it is about.
    pub const fn session(&self) -> SessionId {
        match self {
            Self::Wake(wake) => wake.session_id,
            Self::Purge(session) => *session,
            Self::Replay(replay) => replay.session_id,
        }
    }

    /// The run that it is about.
    pub const fn run(&self) -> Option<RunId> {
        match self {
            Self::Wake(wake) => Some(wake.run_id),
            Self::Purge(_) | Self::Replay(_) => None,
        }
    }

    /// The worker that it is for. The newest state of a run may name another one.
    pub const fn worker(&self) -> WorkerKind {
        match self {
            Self::Wake(wake) => wake.worker,
            Self::Purge(_) => WorkerKind::Documents,
            Self::Replay(_) => WorkerKind::Models,
        }
    }

    fn body(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(&match self {
            Self::Wake(wake) => MessageBody::Wake(*wake),
            Self::Purge(session_id) => MessageBody::Purge {
                session_id: *session_id,
                purge: true,
            },
            Self::Replay(replay) => MessageBody::Replay(replay.clone()),
        })
    }
}

/// A message could not be sent.
#[derive(Debug, thiserror::Error)]
#[error("the queue did not take the message")]
pub struct QueueError(#[source] Box<dyn std::error::Error + Send + Sync>);

/// The function has no queue for the message.
#[derive(Debug, thiserror::Error)]
#[error("this function sends no such message")]
struct NoQueue;

/// The URLs of the queues.
#[derive(Debug, Clone)]
pub struct QueueUrls {
    /// Runs that need a model or a person, and replays.
    pub models: String,
    /// Runs that need a document.
    pub documents: String,
    /// Purges, for the functions that send them.
    pub purges: Option<String>,
}

/// Sends messages to the queues.
#[derive(Debug, Clone)]
pub struct Queues {
    client: Client,
    urls: QueueUrls,
}

impl Queues {
    /// The queues at these URLs.
    pub const fn new(client: Client, urls: QueueUrls) -> Self {
        Self { client, urls }
    }

    /// Sends a message to its queue, to be delivered after `delay`: whole seconds, at most 15
    /// minutes. `owner` is the session's; a message without an owner is in no group.
    ///
    /// # Errors
    /// [`QueueError`].
    pub async fn send(
        &self,
        message: &QueueMessage,
        owner: Option<&OwnerId>,
        delay: Duration,
    ) -> Result<(), QueueError> {
        let url = self.url(message).ok_or(NoQueue);
        let url = url.map_err(|error| QueueError(error.into()))?;
        let body = message.body().map_err(|error| QueueError(error.into()))?;
        let seconds = delay.min(MAX_DELAY).as_secs();
        let sending = self
            .client
            .send_message()
            .queue_url(url)
            .message_body(body)
            // 22 letters, digits, `-` and `_`, of the 128 characters that SQS accepts.
            .set_message_group_id(owner.map(ToString::to_string))
            // Without a delay the queue's own default counts, which is 0.
            .set_delay_seconds(i32::try_from(seconds).ok().filter(|seconds| *seconds > 0))
            .send();
        // Boxed: the future of an SDK call is large, and each caller would hold it in full.
        Box::pin(sending)
            .await
            .map_err(|error| QueueError(error.into()))?;
        Ok(())
    }

    fn url(&self, message: &QueueMessage) -> Option<&str> {
        match (message, message.worker()) {
            (QueueMessage::Purge(_), _) => self.urls.purges.as_deref(),
            (_, WorkerKind::Models) => Some(&self.urls.models),
            (_, WorkerKind::Documents) => Some(&self.urls.documents),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqs::stub::{PURGES, stub_queues};
    use proptest::prelude::*;
    use serde_json::Value;
    use session::{Epoch, Seq};
    use session_manager::{ConnectionId, ReplayId};
    use uuid::Uuid;

    const ID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

    #[test]
    fn a_message_holds_ids_alone_and_comes_back() {
        let wake = QueueMessage::Wake(Wake {
            session_id: ID.parse().unwrap(),
            run_id: ID.parse().unwrap(),
            epoch: Epoch(3),
            worker: WorkerKind::Models,
            place: None,
            alone: false,
        });
        let turn = QueueMessage::Wake(Wake {
            session_id: ID.parse().unwrap(),
            run_id: ID.parse().unwrap(),
            epoch: Epoch(3),
            worker: WorkerKind::Documents,
            place: Some("2026-11-27T06:00:00.000000Z".parse().unwrap()),
            alone: true,
        });
        let purge = QueueMessage::Purge(ID.parse().unwrap());
        for (message, body) in [
            (
                wake,
                format!(r#"{{"session_id":"{ID}","run_id":"{ID}","epoch":3,"worker":"models"}}"#),
            ),
            (
                turn,
                format!(
                    r#"{{"session_id":"{ID}","run_id":"{ID}","epoch":3,"worker":"documents","place":"2026-11-27T06:00:00.000000Z","alone":true}}"#
                ),
            ),
            (purge, format!(r#"{{"session_id":"{ID}","purge":true}}"#)),
            (
                replay(),
                format!(
                    r#"{{"connection_id":"c=","session_id":"{ID}","replay_id":"{ID}","after":500,"tries":0}}"#
                ),
            ),
        ] {
            assert_eq!(message.body().unwrap(), body);
            assert_eq!(QueueMessage::parse(&body).unwrap(), message);
        }
    }

    #[test]
    fn a_message_of_before_there_were_kinds_of_workers_is_read() {
        let body = format!(r#"{{"session_id":"{ID}","run_id":"{ID}","epoch":3}}"#);
        let message = QueueMessage::parse(&body).unwrap();
        assert_eq!(message.worker(), WorkerKind::Models);
        assert_eq!(message.run(), Some(ID.parse().unwrap()));
    }

    fn replay() -> QueueMessage {
        QueueMessage::Replay(Replay {
            connection_id: ConnectionId::new("c="),
            session_id: ID.parse().unwrap(),
            replay_id: ReplayId::new(ID.parse().unwrap()),
            after: Seq(500),
            tries: 0,
        })
    }

    fn wake(worker: WorkerKind) -> QueueMessage {
        QueueMessage::Wake(Wake {
            session_id: ID.parse().unwrap(),
            run_id: ID.parse().unwrap(),
            epoch: Epoch(3),
            worker,
            place: None,
            alone: false,
        })
    }

    #[tokio::test]
    async fn a_message_goes_to_the_queue_of_its_worker() {
        let (queues, sent) = stub_queues(200, Some(PURGES));
        for (message, queue) in [
            (wake(WorkerKind::Models), "models"),
            (wake(WorkerKind::Documents), "documents"),
            (replay(), "models"),
            (QueueMessage::Purge(ID.parse().unwrap()), "purges"),
        ] {
            queues.send(&message, None, Duration::ZERO).await.unwrap();
            let last = sent.lock().unwrap().pop().unwrap();
            assert_eq!(last["QueueUrl"], format!("http://queue.test/{queue}"));
        }
    }

    #[tokio::test]
    async fn a_function_without_a_queue_for_purges_says_so_and_sends_nothing() {
        let (queues, sent) = stub_queues(200, None);
        let purge = QueueMessage::Purge(ID.parse().unwrap());
        let error = queues.send(&purge, None, Duration::ZERO).await.unwrap_err();
        assert!(crate::causes(&error).contains("sends no such message"));
        assert!(sent.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_message_is_in_the_group_of_its_owner() {
        let (queues, sent) = stub_queues(200, None);
        let message = wake(WorkerKind::Models);
        let owner = OwnerId::of("https://issuer.example/", "a b#c/d");
        for owner in [Some(&owner), None] {
            queues.send(&message, owner, Duration::ZERO).await.unwrap();
        }
        let sent = sent.lock().unwrap();
        let group = sent[0]["MessageGroupId"].as_str().unwrap();
        assert_eq!(group, owner.as_str());
        let accepted = |char: char| char.is_ascii_alphanumeric() || "-_".contains(char);
        assert!(group.len() <= 128 && group.chars().all(accepted), "{group}");
        assert_eq!(sent[1]["MessageGroupId"], Value::Null);
    }

    proptest! {
        #[test]
        fn every_message_comes_back_and_any_text_is_one_or_is_none(
            (session, run, epoch, of_documents) in any::<(u128, u128, u64, bool)>(),
            text in "\\PC*",
            cut in 0..150_usize,
        ) {
            let session_id = SessionId::new(Uuid::from_u128(session));
            let run_id = RunId::new(Uuid::from_u128(run));
            let worker = match of_documents {
                true => WorkerKind::Documents,
                false => WorkerKind::Models,
            };
            let wake = Wake {
                session_id,
                run_id,
                epoch: Epoch(epoch),
                worker,
                place: None,
                alone: false,
            };
            for message in [QueueMessage::Wake(wake), QueueMessage::Purge(session_id)] {
                let body = message.body().unwrap();
                prop_assert_eq!(QueueMessage::parse(&body).unwrap(), message);
                let beginning: String = body.chars().take(cut).collect();
                let whole = beginning.len() == body.len();
                prop_assert_eq!(QueueMessage::parse(&beginning).is_ok(), whole);
            }
            let _ = QueueMessage::parse(&text);
        }
    }

    #[test]
    fn a_body_of_another_shape_is_told_apart() {
        for body in [
            String::new(),
            "{}".into(),
            format!(r#"{{"session_id":"{ID}"}}"#),
            format!(r#"{{"session_id":"{ID}","purge":false}}"#),
            r#"{"session_id":"x","purge":true}"#.into(),
        ] {
            assert!(QueueMessage::parse(&body).is_err(), "{body}");
        }
    }
}
