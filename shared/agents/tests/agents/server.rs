//! A model service on a local port that speaks the chat completions wire format and answers by a script.

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

/// What the service does with one request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// A status, headers and a body.
    Http(u16, Vec<(&'static str, String)>, String),
    /// Nothing at all, for longer than any test waits.
    Hang,
    /// The connection is closed without a reply.
    Close,
}

/// A completion whose message is this JSON.
pub fn says(answer: &Value) -> Reply {
    says_text(&answer.to_string())
}

/// A completion whose message is this text.
pub fn says_text(text: &str) -> Reply {
    choice(json!({"role": "assistant", "content": text}), "stop")
}

/// A completion with this message and `finish_reason`. Its usage is 100 tokens in and 20 out.
pub fn choice(message: Value, finish_reason: &str) -> Reply {
    let body = json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m",
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
    });
    Reply::Http(
        200,
        vec![("content-type", "application/json".to_owned())],
        body.to_string(),
    )
}

/// An error as OpenAI words it.
pub fn refuses(status: u16, code: &str) -> Reply {
    let body = json!({"error": {"message": "the provider's own words", "type": "t", "param": null, "code": code}});
    Reply::Http(status, vec![], body.to_string())
}

/// A running service.
pub struct ModelServer {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Value>>>,
    task: tokio::task::JoinHandle<()>,
}

impl ModelServer {
    /// Starts on a free port. Once the script is over, its last reply is repeated.
    pub async fn start(script: impl IntoIterator<Item = Reply>) -> Self {
        let script: Arc<[Reply]> = script.into_iter().collect();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = seen.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (script, requests) = (script.clone(), requests.clone());
                let service =
                    service_fn(move |request| answer(script.clone(), requests.clone(), request));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Self {
            address,
            seen,
            task,
        }
    }

    /// What `OPENAI_BASE_URL` has to be.
    pub fn url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// The requests so far: `{path, authorization, body}`.
    pub fn requests(&self) -> Vec<Value> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for ModelServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(
    script: Arc<[Reply]>,
    seen: Arc<Mutex<Vec<Value>>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, std::io::Error> {
    let path = request.uri().path().to_owned();
    let authorization = request
        .headers()
        .get("authorization")
        .map(|v| v.to_str().unwrap().to_owned());
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let body: Value = serde_json::from_slice(&body).unwrap();
    let turn = {
        let mut seen = seen.lock().unwrap();
        seen.push(json!({"path": path, "authorization": authorization, "body": body}));
        seen.len() - 1
    };
    match script[turn.min(script.len() - 1)].clone() {
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
        Reply::Close => Err(std::io::Error::other("closed by the script")),
    }
}
