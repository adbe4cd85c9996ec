//! A model service on a local port with scripted replies in a provider's wire format.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response, body::Bytes, body::Incoming, server::conn::http1, service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::wires::Wire;

/// The service's reply to one request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// An answer in the requested form.
    Answers(Value),
    /// A text.
    Says(String),
    /// A text, truncated by the output limit.
    IsCut(String),
    /// A refusal of the model.
    Refuses,
    /// A failure with a status, a code, and a message that must not be passed on.
    Fails(u16, &'static str),
    /// A status, headers and a body.
    Http(u16, Vec<(&'static str, String)>, String),
    /// A reply after 600 ms.
    Slowly(Box<Self>),
    /// No reply for longer than any test waits.
    Hang,
    /// A connection closed without a reply.
    Close,
}

/// A reply with this answer.
pub fn answers(answer: &Value) -> Reply {
    Reply::Answers(answer.clone())
}

/// A reply with this text.
pub fn says(text: &str) -> Reply {
    Reply::Says(text.to_owned())
}

/// A running service.
pub struct ModelServer {
    pub wire: Wire,
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Value>>>,
    task: tokio::task::JoinHandle<()>,
}

impl ModelServer {
    /// Starts on a free port. The last reply of the script is repeated.
    pub async fn start(wire: Wire, script: impl IntoIterator<Item = Reply>) -> Self {
        let script: Arc<[Reply]> = script.into_iter().collect();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = seen.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (script, requests) = (script.clone(), requests.clone());
                let service = service_fn(move |request| {
                    answer(wire, script.clone(), requests.clone(), request)
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Self {
            wire,
            address,
            seen,
            task,
        }
    }

    /// The service's address.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The received requests: `{path, headers, body}`.
    pub fn requests(&self) -> Vec<Value> {
        self.seen.lock().unwrap().clone()
    }

    /// The system prompt of a request.
    pub fn system(&self, request: usize) -> String {
        self.wire.system(&self.requests()[request]["body"])
    }

    /// The text of a request's message, counted from the first after the system prompt.
    pub fn message(&self, request: usize, message: usize) -> String {
        self.wire
            .messages(&self.requests()[request]["body"])
            .swap_remove(message)
    }

    /// The answer schema in a request.
    pub fn schema(&self, request: usize) -> Value {
        self.wire.schema(&self.requests()[request]["body"])
    }
}

impl Drop for ModelServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(
    wire: Wire,
    script: Arc<[Reply]>,
    seen: Arc<Mutex<Vec<Value>>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, std::io::Error> {
    let path = request.uri().path().to_owned();
    let headers = request.headers().iter();
    let headers: serde_json::Map<String, Value> = headers
        .map(|(name, value)| (name.to_string(), json!(value.to_str().unwrap())))
        .collect();
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let body: Value = serde_json::from_slice(&body).unwrap();
    let turn = {
        let mut seen = seen.lock().unwrap();
        seen.push(json!({"path": path, "headers": headers, "body": body}));
        seen.len() - 1
    };
    let mut reply = script[turn.min(script.len() - 1)].clone();
    if let Reply::Slowly(later) = reply {
        tokio::time::sleep(Duration::from_millis(600)).await;
        reply = *later;
    }
    match wire.render(reply) {
        Reply::Http(status, headers, body) => {
            let response = headers.into_iter().fold(
                Response::builder().status(status),
                |response, (name, value)| response.header(name, value),
            );
            Ok(response.body(Full::from(body)).unwrap())
        }
        Reply::Hang => {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            Ok(Response::new(Full::default()))
        }
        _ => Err(std::io::Error::other("closed by the script")),
    }
}
