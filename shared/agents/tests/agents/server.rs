//! A model service on a local port that answers by a script, in one of the providers' wire formats.

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

/// What the service does with one request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// The model gives an answer of the form that was asked for.
    Answers(Value),
    /// The model says a text.
    Says(String),
    /// The model says a text and is cut by the length limit.
    IsCut(String),
    /// The model would not answer.
    Refuses,
    /// The service fails with a status and a code of its own, and with words that are nobody's business.
    Fails(u16, &'static str),
    /// A status, headers and a body.
    Http(u16, Vec<(&'static str, String)>, String),
    /// A reply, but not at once: after 600 ms.
    Slowly(Box<Self>),
    /// Nothing at all, for longer than any test waits.
    Hang,
    /// The connection is closed without a reply.
    Close,
}

/// The model gives this answer.
pub fn answers(answer: &Value) -> Reply {
    Reply::Answers(answer.clone())
}

/// The model says this text.
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
    /// Starts on a free port. Once the script is over, its last reply is repeated.
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

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests so far: `{path, headers, body}`.
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

    /// The schema that a request asks an answer of.
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
