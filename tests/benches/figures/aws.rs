//! Stand-ins of SQS, of Lambda's pollers and of `@connections`, for a worker's binary.
//!
//! The pollers follow AWS's documentation of standard queues ("Configuring scaling behavior for SQS
//! event source mappings", Lambda Developer Guide): they begin with five invocations at a time and
//! add up to 300 a minute, up to the mapping's `MaximumConcurrency`. How messages are distributed
//! over free pollers is not documented. Here each takes its share, so that few messages make small
//! batches: batches are full only where many messages wait for one poller.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use futures::stream::{FuturesUnordered, StreamExt as _};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::{Request, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::Result;
use crate::function::Function;
use crate::server::serve;
use crate::world::World;

const POLLERS: usize = 5;
/// `MaximumConcurrency` in infra/template.yaml.
const MAX_POLLERS: usize = 50;
/// How often the pollers look for messages.
const PAUSE: Duration = Duration::from_millis(10);

#[derive(Default)]
struct Messages {
    waiting: VecDeque<Message>,
    /// Sent and not yet delivered, because of a delay.
    delayed: usize,
    /// Events that were pushed to connections.
    pushed: usize,
}

struct Message {
    body: String,
    sent: SystemTime,
}

/// The services that a worker calls besides the table and the model.
pub struct Services {
    pub endpoint: String,
    messages: Arc<Mutex<Messages>>,
    server: JoinHandle<()>,
}

/// The worker and its mapping.
pub struct Mapping<'a> {
    pub binary: &'a Path,
    pub dynamodb: &'a str,
    pub variables: &'a [(&'a str, &'a str)],
    pub timeout: Duration,
    pub batch_size: usize,
    /// How many pollers are added in a second.
    pub growth: f64,
}

/// What the invocations took together.
pub struct Work {
    pub invocations: usize,
    pub billed: Duration,
    pub computed: Duration,
    pub peak_memory: f64,
    pub pushed: usize,
}

impl Services {
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let messages: Arc<Mutex<Messages>> = Arc::default();
        let shared = Arc::clone(&messages);
        let server = serve(listener, move |request| {
            answer(Arc::clone(&shared), request)
        });
        Ok(Self {
            endpoint,
            messages,
            server,
        })
    }

    /// Sends a message.
    pub fn send(&self, body: String) {
        send(&self.messages, body);
    }

    /// Invokes workers until no message is left.
    pub async fn work_off(&self, world: &World, mapping: &Mapping<'_>) -> Result<Work> {
        let started = Instant::now();
        let (mut idle, mut at_work) = (Vec::new(), FuturesUnordered::new());
        let (mut invocations, mut billed) = (0, Duration::ZERO);
        loop {
            let grown = (started.elapsed().as_secs_f64() * mapping.growth) as usize;
            let pollers = MAX_POLLERS.min(POLLERS + grown);
            while at_work.len() < pollers
                && let Some(batch) = self.batch(pollers - at_work.len(), mapping.batch_size)
            {
                at_work.push(invoke(idle.pop(), world, mapping, batch));
                invocations += 1;
            }
            if at_work.is_empty() && self.waiting() == 0 && lock(&self.messages).delayed == 0 {
                break;
            }
            if let Ok(Some(ended)) = tokio::time::timeout(PAUSE, at_work.next()).await {
                let (worker, took) = ended?;
                billed += took;
                idle.push(worker);
            } else if at_work.is_empty() {
                tokio::time::sleep(PAUSE).await;
            }
        }
        let (mut computed, mut peak_memory) = (Duration::ZERO, 0.0_f64);
        for worker in &idle {
            computed += worker.computed()?;
            peak_memory = peak_memory.max(worker.peak_memory()?);
        }
        let pushed = std::mem::take(&mut lock(&self.messages).pushed);
        Ok(Work {
            invocations,
            billed,
            computed,
            peak_memory,
            pushed,
        })
    }

    /// The share of one of several free pollers; none if no message waits.
    fn batch(&self, free: usize, batch_size: usize) -> Option<Vec<Message>> {
        let waiting = &mut lock(&self.messages).waiting;
        let share = waiting.len().div_ceil(free).min(batch_size);
        (share > 0).then(|| waiting.drain(..share).collect())
    }

    fn waiting(&self) -> usize {
        lock(&self.messages).waiting.len()
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Invokes a worker, a new one if there is none, and returns it with the time that is billed: also
/// its start (since August 2025), in whole milliseconds.
async fn invoke(
    worker: Option<Function>,
    world: &World,
    mapping: &Mapping<'_>,
    batch: Vec<Message>,
) -> Result<(Function, Duration)> {
    let mut billed = Duration::ZERO;
    let mut worker = match worker {
        Some(worker) => worker,
        None => {
            let Mapping {
                binary,
                dynamodb,
                variables,
                timeout,
                ..
            } = mapping;
            let new = Function::start_with(binary, world, dynamodb, *timeout, variables).await?;
            billed += new.cold_start;
            new
        }
    };
    let answer = worker.invoke(&event(&batch)).await?;
    let reply: Value = serde_json::from_slice(&answer.body)?;
    if reply["batchItemFailures"] != json!([]) {
        return Err(format!("the worker failed: {reply}").into());
    }
    billed += answer.arrived.duration_since(answer.sent);
    let millis = billed.as_secs_f64() * 1e3;
    Ok((worker, Duration::from_secs_f64(millis.ceil() / 1e3)))
}

fn event(batch: &[Message]) -> String {
    let records = batch.iter().enumerate().map(|(number, message)| {
        let sent = message.sent.duration_since(SystemTime::UNIX_EPOCH);
        let sent = sent.unwrap_or_default().as_millis().to_string();
        json!({
            "messageId": number.to_string(),
            "body": message.body,
            "attributes": {"SentTimestamp": sent, "ApproximateReceiveCount": "1"},
            "eventSource": "aws:sqs",
        })
    });
    json!({"Records": records.collect::<Vec<_>>()}).to_string()
}

async fn answer(
    messages: Arc<Mutex<Messages>>,
    request: Request<Incoming>,
) -> std::result::Result<Response<Full<Bytes>>, Infallible> {
    let is_push = request.uri().path().contains("@connections");
    let body = request.into_body().collect().await;
    if is_push {
        lock(&messages).pushed += 1;
        return Ok(Response::new(Full::default()));
    }
    let body = body.map(|body| body.to_bytes()).unwrap_or_default();
    let message: Value = serde_json::from_slice(&body).unwrap_or_default();
    let text = message["MessageBody"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    match message["DelaySeconds"].as_u64() {
        None => send(&messages, text),
        Some(seconds) => {
            lock(&messages).delayed += 1;
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_secs(seconds)).await;
                send(&messages, text);
                lock(&messages).delayed -= 1;
            });
        }
    }
    Ok(Response::new(Full::from(r#"{"MessageId":"m"}"#)))
}

fn send(messages: &Mutex<Messages>, body: String) {
    let sent = SystemTime::now();
    lock(messages).waiting.push_back(Message { body, sent });
}

fn lock(messages: &Mutex<Messages>) -> std::sync::MutexGuard<'_, Messages> {
    messages.lock().unwrap_or_else(PoisonError::into_inner)
}
