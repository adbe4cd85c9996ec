//! An event with its session, its position and its time, as clients receive it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{EventBody, Role, StoredEventBody};
use crate::{RunId, Seq, SessionId, Timestamp};

/// A server frame, and an element of `GET …/events`: the contract's envelope.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Envelope {
    /// When it was committed.
    pub timestamp: Timestamp,
    /// The run that it belongs to, if any.
    pub run_id: Option<RunId>,
    /// The session.
    pub session_id: SessionId,
    /// Its position; null for a reply, which is not part of the record.
    pub seq: Option<Seq>,
    /// `event_type` and `data`.
    #[serde(flatten)]
    #[schemars(with = "EventBody")]
    pub body: StoredEventBody,
}

/// A message of the history, in the shape of the contract.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Message {
    /// The position of its event.
    pub seq: Seq,
    /// The author.
    pub role: Role,
    /// The text; of a text above 32 KiB, its beginning.
    pub content: String,
    /// The agent that wrote it, if an agent did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The run that it belongs to, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<RunId>,
    /// When it was committed.
    pub timestamp: Timestamp,
}

impl Envelope {
    /// Returns the event as a message of the history, or `None` if it is not a message.
    pub fn as_message(&self) -> Option<Message> {
        let (role, content, agent) = match &self.body {
            StoredEventBody::Known(EventBody::UserMessage { role, content, .. }) => {
                (*role, content, None)
            }
            StoredEventBody::Known(EventBody::AgentMessage {
                agent,
                role,
                message,
                ..
            }) => (*role, message, Some(agent.clone())),
            // It may have been a message.
            StoredEventBody::Known(EventBody::Unreadable {
                original_type,
                message,
            }) if original_type
                .as_deref()
                .is_none_or(|kind| matches!(kind, "user_message" | "agent_message")) =>
            {
                (Role::System, message, None)
            }
            _ => return None,
        };
        Some(Message {
            seq: self.seq?,
            role,
            content: content.clone(),
            agent,
            run_id: self.run_id,
            timestamp: self.timestamp,
        })
    }
}
