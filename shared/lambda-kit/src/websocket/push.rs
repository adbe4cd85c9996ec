//! Pushes the events of a commit to every connection that follows the session.
//!
//! Ten connections are served at once, each for at most two seconds, and one connection gets its
//! events in their order. No delivery is guaranteed: a client that misses an event sees a gap in
//! `seq` and asks for the rest. A connection that fails is skipped; one that is gone is deleted.

use std::time::Duration;

use aws_sdk_apigatewaymanagement::Client;
use aws_sdk_apigatewaymanagement::error::SdkError;
use aws_sdk_apigatewaymanagement::operation::post_to_connection::PostToConnectionError;
use aws_sdk_apigatewaymanagement::primitives::Blob;
use futures::StreamExt as _;
use serde::Serialize;
use serde_json::json;
use session::{Envelope, FRAME_BYTES, Seq, SessionId, StoredEventBody};
use session_manager::{ConnectionId, Follower, SessionManager};

/// How many connections are written to at the same time.
const AT_ONCE: usize = 10;

/// How long the events of one commit may take on one connection.
const TIME_EACH: Duration = Duration::from_secs(2);

/// The result of sending a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// API Gateway took it.
    Sent,
    /// The connection is closed.
    Gone,
    /// Sending failed; the client asks for the events that it misses.
    Failed,
}

/// Sends frames to connections.
#[derive(Debug, Clone)]
pub struct Push {
    client: Client,
    sessions: SessionManager,
}

impl Push {
    /// Uses a client whose endpoint is the WebSocket API's `@connections` URL.
    pub const fn new(client: Client, sessions: SessionManager) -> Self {
        Self { client, sessions }
    }

    /// Sends events to every follower of the session. It never fails; errors are logged.
    pub async fn events(&self, session: SessionId, envelopes: &[Envelope]) {
        if envelopes.is_empty() {
            return;
        }
        let followers = match self.sessions.followers(session, crate::now()).await {
            Ok(followers) => followers,
            Err(error) => {
                tracing::error!(%session, error = %error, "followers not read");
                return;
            }
        };
        if followers.is_empty() {
            return;
        }
        let frames: Vec<(Option<Seq>, String)> = envelopes
            .iter()
            .filter_map(|event| Some((event.seq, frame(event)?)))
            .collect();
        futures::stream::iter(&followers)
            .for_each_concurrent(AT_ONCE, |follower| {
                self.follower(session, follower, &frames)
            })
            .await;
    }

    /// Sends one frame to one connection: an event or a reply.
    pub async fn one(&self, connection: &ConnectionId, frame: &impl Serialize) -> Delivery {
        match serde_json::to_string(frame) {
            Ok(text) => timed(connection, self.post(connection, &text)).await,
            Err(error) => {
                tracing::error!(%error, "frame not written");
                Delivery::Failed
            }
        }
    }

    /// Sends one event to one connection, as [`Push::events`] would.
    pub async fn event(&self, connection: &ConnectionId, envelope: &Envelope) -> Delivery {
        match frame(envelope) {
            Some(text) => timed(connection, self.post(connection, &text)).await,
            None => Delivery::Failed,
        }
    }

    async fn follower(
        &self,
        session: SessionId,
        follower: &Follower,
        frames: &[(Option<Seq>, String)],
    ) {
        let connection = &follower.connection;
        let in_order = async {
            for (seq, frame) in frames {
                if seq.is_some_and(|seq| seq <= follower.after) {
                    continue; // a replay has sent it
                }
                let delivery = self.post(connection, frame).await;
                if delivery != Delivery::Sent {
                    return delivery;
                }
            }
            Delivery::Sent
        };
        if timed(connection, in_order).await == Delivery::Gone
            && let Err(error) = self.sessions.forget_follower(session, connection).await
        {
            tracing::warn!(%connection, error = %error, "connection not forgotten");
        }
    }

    async fn post(&self, connection: &ConnectionId, text: &str) -> Delivery {
        let posted = self
            .client
            .post_to_connection()
            .connection_id(connection.as_str())
            .data(Blob::new(text))
            .send()
            .await;
        match posted {
            Ok(_) => Delivery::Sent,
            Err(error) if is_gone(&error) => Delivery::Gone,
            Err(error) => {
                tracing::warn!(%connection, error = %error, "push failed");
                Delivery::Failed
            }
        }
    }
}

fn is_gone(error: &SdkError<PostToConnectionError>) -> bool {
    error
        .as_service_error()
        .is_some_and(PostToConnectionError::is_gone_exception)
}

async fn timed(connection: &ConnectionId, posting: impl Future<Output = Delivery>) -> Delivery {
    let timed = tokio::time::timeout(TIME_EACH, posting).await;
    timed.unwrap_or_else(|_| {
        tracing::warn!(%connection, "push timed out");
        Delivery::Failed
    })
}

/// An event as a frame. A too large event keeps its place and type, and names the route that has
/// it.
fn frame(envelope: &Envelope) -> Option<String> {
    let text = serde_json::to_string(envelope).ok()?;
    if text.len() <= FRAME_BYTES {
        return Some(text);
    }
    let seq = envelope.seq?.0;
    let event_type = serde_json::to_value(&envelope.body).ok()?["event_type"]
        .as_str()?
        .to_owned();
    let read = format!(
        "/api/sessions/{}/events?after={}&limit=1",
        envelope.session_id,
        seq - 1
    );
    let body = StoredEventBody::Unknown {
        event_type,
        data: json!({"too_large": text.len(), "read": read}),
    };
    serde_json::to_string(&Envelope {
        body,
        ..envelope.clone()
    })
    .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use session::{EventBody, Timestamp};

    fn output(message: String) -> Envelope {
        Envelope {
            timestamp: Timestamp::from_micros(0).unwrap(),
            run_id: None,
            session_id: "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap(),
            seq: Some(Seq(7)),
            body: EventBody::Output { message }.into(),
        }
    }

    #[test]
    fn a_frame_is_the_envelope_of_the_contract() {
        let frame: serde_json::Value =
            serde_json::from_str(&frame(&output("a line".into())).unwrap()).unwrap();
        let expected = json!({
            "event_type": "output", "timestamp": "1970-01-01T00:00:00.000000Z", "run_id": null,
            "session_id": "01890a5d-ac96-774b-bcce-b302099a8057", "seq": 7, "data": {"message": "a line"}
        });
        assert_eq!(frame, expected);
    }

    #[test]
    fn an_event_above_the_limit_keeps_its_place_and_says_where_it_is() {
        let frame = frame(&output("x".repeat(200_000))).unwrap();
        assert!(frame.len() < FRAME_BYTES);
        let frame: serde_json::Value = serde_json::from_str(&frame).unwrap();
        assert_eq!(frame["event_type"], "output");
        assert_eq!(frame["seq"], 7);
        assert!(
            frame["data"]["read"]
                .as_str()
                .unwrap()
                .ends_with("after=6&limit=1")
        );
    }
}
