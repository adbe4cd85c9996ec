//! The WebSocket client of the tests. It follows the contract's rule: apply the next `seq`, drop
//! lower ones, and subscribe from the last one after a gap.

use std::time::{Duration, Instant};

use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::issuer::owner_token;
use crate::schema::hold_frame;
use crate::stack::{PATIENCE, stack};

/// How long the server may send nothing before a client asks for the last event.
const SILENCE: Duration = Duration::from_secs(10);

/// A connection, and the events that it has applied.
pub struct Client {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    session: Option<String>,
    last: u64,
    asked: Option<u64>,
    /// The applied events of the record, in order.
    pub events: Vec<Value>,
    /// The number of frames that were dropped as duplicates.
    pub doubled: usize,
}

/// Connects with a task id.
pub async fn connect(task_id: &str) -> Client {
    try_connect(&format!("?task_id={task_id}")).await.unwrap()
}

/// Connects with a given query. The error contains the reason of a refusal.
///
/// # Errors
/// The handshake's refusal.
pub async fn try_connect(query: &str) -> Result<Client, Error> {
    connect_as(query, owner_token().as_deref()).await
}

/// Connects with a query and, optionally, a token in the header.
///
/// # Errors
/// The handshake's refusal.
pub async fn connect_as(query: &str, token: Option<&str>) -> Result<Client, Error> {
    let bearer = token.map(|token| format!("Bearer {token}"));
    connect_with(query, bearer.map(|value| ("authorization", value))).await
}

/// Connects with a query as the page of an origin, as a browser does.
///
/// # Errors
/// The handshake's refusal.
pub async fn connect_from(query: &str, origin: &str) -> Result<Client, Error> {
    connect_with(query, Some(("origin", origin.to_owned()))).await
}

async fn connect_with(
    query: &str,
    header: Option<(&'static str, String)>,
) -> Result<Client, Error> {
    let url = format!("{}{query}", stack().get("WS_URL"));
    let mut request = url.into_client_request()?;
    if let Some((name, value)) = header {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    let (socket, _) = connect_async(request).await?;
    Ok(Client {
        socket,
        session: None,
        last: 0,
        asked: None,
        events: Vec::new(),
        doubled: 0,
    })
}

impl Client {
    /// Sends a frame.
    pub async fn send(&mut self, frame: &Value) {
        self.send_text(&frame.to_string()).await;
    }

    /// Sends any text.
    pub async fn send_text(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.unwrap();
    }

    /// The next frame, applied if it belongs to the record; `None` when the server closed.
    ///
    /// A push can be lost, and a run that waits for a person sends nothing after it. So a silent
    /// server is asked for its last event, as the README says.
    pub async fn next(&mut self) -> Option<Value> {
        let deadline = Instant::now() + PATIENCE;
        let mut asked = false;
        loop {
            let Ok(frame) = tokio::time::timeout(SILENCE, self.receive()).await else {
                assert!(Instant::now() < deadline, "the server says nothing");
                self.send(&json!({"type": "ping"})).await;
                asked = true;
                continue;
            };
            let frame = frame?;
            if asked && frame["event_type"] == "pong" {
                asked = false;
                if frame["data"]["last_seq"].as_u64() > Some(self.last) && self.session.is_some() {
                    self.subscribe_again().await;
                }
                continue;
            }
            if self.apply(&frame).await {
                return Some(frame);
            }
        }
    }

    /// The next frame, not applied.
    ///
    /// # Panics
    /// When the server closed.
    pub async fn frame(&mut self) -> Value {
        self.receive().await.unwrap()
    }

    /// The next frame with any `seq`. API Gateway's own frames are passed over.
    async fn receive(&mut self) -> Option<Value> {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.socket.next())
                .await
                .expect("the server says nothing");
            let frame: Value = match message? {
                Ok(Message::Text(text)) => serde_json::from_str(&text).unwrap(),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => continue,
            };
            hold_frame(&frame);
            if frame["event_type"].is_string() {
                return Some(frame);
            }
        }
    }

    /// Sends a frame and returns all frames up to the end of its answer, without their times.
    pub async fn exchange(&mut self, frame: &Value) -> Vec<Value> {
        self.send(frame).await;
        let is_task = frame["type"].is_null();
        let mut frames = Vec::new();
        loop {
            let mut frame = self.receive().await.expect("closed before the answer");
            frame["timestamp"].take();
            let kind = frame["event_type"].as_str().unwrap();
            // A refused task gets `workflow_failed` behind its `error`, but on an ended connection.
            let is_over = frame["data"]["code"] == "unauthenticated";
            let refused_task = kind == "error" && is_task && !is_over;
            let last = !["status", "workflow_state_changed"].contains(&kind);
            let last = last && frame["seq"].is_null() && !refused_task;
            frames.push(frame);
            if last {
                return frames;
            }
        }
    }

    /// Closes the connection and waits until the server has closed it too.
    pub async fn close(mut self) {
        self.socket.close(None).await.unwrap();
        while self.socket.next().await.is_some_and(|frame| frame.is_ok()) {}
    }

    async fn apply(&mut self, frame: &Value) -> bool {
        let Some(seq) = frame["seq"].as_u64() else {
            return true;
        };
        self.session = frame["session_id"].as_str().map(str::to_owned);
        if seq <= self.last {
            self.doubled += 1;
            return false;
        }
        if seq > self.last + 1 {
            // One question is enough for all events behind a gap.
            if self.asked.replace(self.last) != Some(self.last) {
                self.subscribe_again().await;
            }
            return false;
        }
        self.last = seq;
        self.events.push(frame.clone());
        true
    }

    async fn subscribe_again(&mut self) {
        let frame = json!({"type": "subscribe", "session_id": self.session, "after": self.last});
        self.send(&frame).await;
    }

    /// Reads until a frame of this type and returns it.
    pub async fn until(&mut self, event_type: &str) -> Value {
        loop {
            let Some(frame) = self.next().await else {
                panic!("closed before {event_type}")
            };
            if frame["event_type"] == event_type {
                return frame;
            }
            let ended = ["workflow_failed", "workflow_cancelled"]
                .iter()
                .any(|end| frame["event_type"] == *end);
            assert!(!ended, "instead of {event_type}: {frame}");
        }
    }

    /// Sends a frame and reads until its reply.
    pub async fn ask(&mut self, frame: &Value, reply: &str) -> Value {
        self.send(frame).await;
        self.until(reply).await
    }

    /// Follows a session from its beginning.
    pub async fn follow(&mut self, session: &str) {
        let frame = json!({"type": "subscribe", "session_id": session});
        self.ask(&frame, "replay_end").await;
    }

    /// Sends an answer to a question and reads until its recorded `approval_received`, or until
    /// the reply: `approval_received` of the same answer before, or an `error`.
    pub async fn answer(&mut self, given: &Value) -> Value {
        self.send(given).await;
        let words = given["feedback"].as_str().unwrap_or_default().trim();
        loop {
            let frame = self.next().await.expect("closed before the reply");
            let data = &frame["data"];
            // The record may have the answer of another client, or an end without an answer. A
            // failed run has an `error` there.
            let is_own = data["approval_id"] == given["approval_id"]
                && !data["resolved_by"].is_null()
                && (words.is_empty() || data["feedback"] == words);
            let is_reply = frame["seq"].is_null();
            if match frame["event_type"].as_str().unwrap() {
                "approval_received" => is_reply || is_own,
                "error" => is_reply,
                _ => false,
            } {
                return frame;
            }
        }
    }

    /// Whether no frame arrives within this time.
    pub async fn is_silent_for(&mut self, time: Duration) -> bool {
        tokio::time::timeout(time, self.socket.next())
            .await
            .is_err()
    }

    /// The first frame of a run, and its `status` reply.
    pub async fn start(&mut self, task: &str, config: Value) -> Value {
        self.ask(&json!({"task": task, "config": config}), "status")
            .await
    }
}
