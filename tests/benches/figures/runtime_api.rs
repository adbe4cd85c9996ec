//! The part of Lambda's Runtime API that one function needs: `next` and the result of an
//! invocation.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::{Method, Request, Response, StatusCode};
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;

use crate::Result;
use crate::server::serve;

/// The time limit for each action of a function.
const PATIENCE: Duration = Duration::from_secs(30);

/// The function's progress.
enum PublishedStatus {
    /// It requested an event.
    Next(Instant),
    /// It received an event.
    Handed(Instant),
    /// It answered: success, body and time.
    Answered(bool, Bytes, Instant),
}

/// An answer of a function.
pub struct Answer {
    pub body: Bytes,
    /// When the event was sent. `arrived` is when the whole answer was received.
    pub sent: Instant,
    pub arrived: Instant,
}

struct Desk {
    events: Mutex<mpsc::UnboundedReceiver<String>>,
    told: mpsc::UnboundedSender<PublishedStatus>,
    /// The time-out of the function.
    timeout: Duration,
}

pub struct RuntimeApi {
    pub address: String,
    events: mpsc::UnboundedSender<String>,
    told: mpsc::UnboundedReceiver<PublishedStatus>,
    server: JoinHandle<()>,
}

impl RuntimeApi {
    /// For a function with this time-out, below [`PATIENCE`].
    pub async fn start(timeout: Duration) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        let (events, waiting) = mpsc::unbounded_channel();
        let (tell, told) = mpsc::unbounded_channel();
        let desk = Arc::new(Desk {
            events: Mutex::new(waiting),
            told: tell,
            timeout,
        });
        let server = serve(listener, move |request| reply(Arc::clone(&desk), request));
        Ok(Self {
            address,
            events,
            told,
            server,
        })
    }

    /// The time at which the function requested its first event.
    pub async fn first_next(&mut self) -> Result<Instant> {
        loop {
            match self.hear().await? {
                PublishedStatus::Next(at) => return Ok(at),
                PublishedStatus::Answered(false, body, _) => return Err(refused(&body)),
                PublishedStatus::Handed(_) | PublishedStatus::Answered(..) => {}
            }
        }
    }

    /// Sends an event to the function and waits for its answer.
    pub async fn invoke(&mut self, event: &str) -> Result<Answer> {
        self.events.send(event.to_owned())?;
        let mut sent = Instant::now();
        loop {
            match self.hear().await? {
                PublishedStatus::Next(_) => {}
                PublishedStatus::Handed(at) => sent = at,
                PublishedStatus::Answered(true, body, arrived) => {
                    return Ok(Answer {
                        body,
                        sent,
                        arrived,
                    });
                }
                PublishedStatus::Answered(false, body, _) => return Err(refused(&body)),
            }
        }
    }

    async fn hear(&mut self) -> Result<PublishedStatus> {
        let told = tokio::time::timeout(PATIENCE, self.told.recv()).await;
        Ok(told
            .map_err(|_| "the function is silent")?
            .ok_or("nobody serves the function")?)
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn refused(body: &Bytes) -> Box<dyn std::error::Error + Send + Sync> {
    format!("the function failed: {}", String::from_utf8_lossy(body)).into()
}

async fn reply(
    desk: Arc<Desk>,
    request: Request<Incoming>,
) -> std::result::Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    // The receiver is gone when the measurement has ended.
    if head.method == Method::GET {
        let _ = desk.told.send(PublishedStatus::Next(Instant::now()));
        let event = desk.events.lock().await.recv().await.unwrap_or_default();
        let _ = desk.told.send(PublishedStatus::Handed(Instant::now()));
        return Ok(handed(event, desk.timeout));
    }
    let body = body
        .collect()
        .await
        .map(|body| body.to_bytes())
        .unwrap_or_default();
    let is_good = head.uri.path().ends_with("/response");
    let _ = desk
        .told
        .send(PublishedStatus::Answered(is_good, body, Instant::now()));
    let mut accepted = Response::new(Full::default());
    *accepted.status_mut() = StatusCode::ACCEPTED;
    Ok(accepted)
}

fn handed(event: String, timeout: Duration) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(event));
    let until = SystemTime::now() + timeout;
    let since_1970 = until
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    for (name, value) in [
        (
            "lambda-runtime-aws-request-id",
            "00000000-0000-0000-0000-000000000000".into(),
        ),
        (
            "lambda-runtime-deadline-ms",
            since_1970.as_millis().to_string(),
        ),
        (
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:us-east-1:0:function:figures".into(),
        ),
    ] {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
