//! A stand-in for DynamoDB with constant answers. The first request is forwarded to the real
//! DynamoDB; repetitions get the same answer. This separates a handler's own time from that of its
//! table.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::Result;
use crate::server::serve;

/// An operation and its input with sorted keys, because the SDK writes maps in any order.
type Question = (String, String);

#[derive(Default)]
struct Memory {
    answers: HashMap<Question, Response<Full<Bytes>>>,
    /// The times of each request and its answer.
    busy: Vec<(Instant, Instant)>,
}

pub struct StandIn {
    pub endpoint: String,
    memory: Arc<Mutex<Memory>>,
    server: JoinHandle<()>,
}

impl StandIn {
    /// For the DynamoDB at an endpoint `http://host:port`.
    pub async fn start(endpoint: &str) -> Result<Self> {
        let upstream: Arc<str> = endpoint
            .trim_start_matches("http://")
            .trim_end_matches('/')
            .into();
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let memory: Arc<Mutex<Memory>> = Arc::default();
        let shared = Arc::clone(&memory);
        let server = serve(listener, move |request| {
            answer(Arc::clone(&shared), Arc::clone(&upstream), request)
        });
        Ok(Self {
            endpoint,
            memory,
            server,
        })
    }

    /// The number of requests since the last call, and the time during which at least one was open.
    pub fn take_busy(&self) -> (usize, Duration) {
        let mut busy = std::mem::take(&mut lock(&self.memory).busy);
        busy.sort_unstable();
        let mut sum = Duration::ZERO;
        let mut covered: Option<Instant> = None;
        for (from, to) in &busy {
            let from = covered.map_or(*from, |covered| covered.max(*from));
            sum += to.saturating_duration_since(from);
            covered = Some(covered.map_or(*to, |covered| covered.max(*to)));
        }
        (busy.len(), sum)
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn lock(memory: &Mutex<Memory>) -> std::sync::MutexGuard<'_, Memory> {
    memory.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn answer(
    memory: Arc<Mutex<Memory>>,
    upstream: Arc<str>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>> {
    let came = Instant::now();
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let target = head
        .headers
        .get("x-amz-target")
        .and_then(|target| target.to_str().ok());
    let input: Value = serde_json::from_slice(&body)?;
    let question = (target.unwrap_or_default().to_owned(), input.to_string());
    let known = lock(&memory).answers.get(&question).cloned();
    let answer = match known {
        Some(answer) => answer,
        None => {
            let answer = ask(&upstream, Request::from_parts(head, Full::new(body))).await?;
            lock(&memory).answers.insert(question, answer.clone());
            answer
        }
    };
    lock(&memory).busy.push((came, Instant::now()));
    Ok(answer)
}

async fn ask(upstream: &str, request: Request<Full<Bytes>>) -> Result<Response<Full<Bytes>>> {
    let stream = TcpStream::connect(upstream).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let (head, body) = sender.send_request(request).await?.into_parts();
    let body = body.collect().await?.to_bytes();
    let mut answer = Response::new(Full::new(body));
    *answer.status_mut() = head.status;
    for name in ["content-type", "x-amz-crc32", "x-amzn-requestid"] {
        if let Some(value) = head.headers.get(name) {
            answer.headers_mut().insert(name, value.clone());
        }
    }
    Ok(answer)
}
