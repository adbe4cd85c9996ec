//! A proxy in front of DynamoDB Local. It injects faults that the emulator does not produce:
//! throttling, conflicts, and replies that are lost after the write or never come. It also records
//! the operations and their consumed capacity.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// A fault of one request.
#[derive(Debug, Clone)]
pub enum Fault {
    /// The request is executed, and the connection closes without a reply.
    LoseReply,
    /// The same, but only after a notification.
    LoseReplyAfter(Arc<Notify>),
    /// The request is executed, and the connection stays open without a reply.
    Hang,
    /// A batch: the reply returns all items as unprocessed.
    LeaveUndone,
    /// A write batch: the last item is written, and the others are returned as unprocessed.
    LeaveAllButLast,
    /// The request is not executed. This error is the reply.
    Refuse(String),
}

impl Fault {
    /// A throttling error of DynamoDB.
    pub fn throttled(code: &str) -> Self {
        Self::Refuse(format!(
            r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{code}","message":"Too much at once."}}"#
        ))
    }

    /// A cancelled transaction, with this reason for its second item.
    pub fn cancelled(reason: &str) -> Self {
        Self::Refuse(format!(
            r#"{{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","Message":"Cancelled.","CancellationReasons":[{{"Code":"None"}},{{"Code":"{reason}","Message":"Because."}}]}}"#
        ))
    }
}

#[derive(Debug, Default)]
struct Book {
    faults: VecDeque<(&'static str, Fault)>,
    seen: Vec<String>,
    units: f64,
}

impl Book {
    fn fault_for(&mut self, operation: &str) -> Option<Fault> {
        self.seen.push(operation.to_owned());
        let next = self
            .faults
            .iter()
            .position(|(meant, _)| *meant == operation)?;
        self.faults.remove(next).map(|(_, fault)| fault)
    }
}

/// The proxy, which stops with the test.
#[derive(Debug, Clone)]
pub struct Proxy {
    pub endpoint: String,
    book: Arc<Mutex<Book>>,
}

impl Proxy {
    pub async fn before(upstream: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Self {
            endpoint: format!("http://{}", listener.local_addr().unwrap()),
            book: Arc::default(),
        };
        let upstream: Arc<str> = upstream.trim_start_matches("http://").into();
        let book = proxy.book.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (book, upstream) = (book.clone(), upstream.clone());
                let service =
                    service_fn(move |request| answer(request, book.clone(), upstream.clone()));
                let serving = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service);
                tokio::spawn(serving);
            }
        });
        proxy
    }

    /// Injects these faults into the next requests of this operation, one each.
    pub fn next(&self, operation: &'static str, faults: impl IntoIterator<Item = Fault>) {
        let mut book = self.book.lock().unwrap();
        let faults = faults.into_iter().map(|fault| (operation, fault));
        book.faults.extend(faults);
    }

    /// The operations since the last call.
    pub fn seen(&self) -> Vec<String> {
        std::mem::take(&mut self.book.lock().unwrap().seen)
    }

    /// The consumed capacity of single reads and queries since the last call.
    pub fn units(&self) -> f64 {
        std::mem::take(&mut self.book.lock().unwrap().units)
    }
}

type Reply = Result<Response<Full<Bytes>>, Box<dyn std::error::Error + Send + Sync>>;

async fn answer(request: Request<Incoming>, book: Arc<Mutex<Book>>, upstream: Arc<str>) -> Reply {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let target = head
        .headers
        .get("x-amz-target")
        .and_then(|target| target.to_str().ok());
    let operation = target
        .and_then(|target| target.split('.').next_back())
        .unwrap_or_default()
        .to_owned();
    let request = Request::from_parts(head, Full::new(body.clone()));
    let fault = book.lock().unwrap().fault_for(&operation);
    match fault {
        None => {
            let (head, body) = forward(request, &upstream).await?.into_parts();
            let body = body.collect().await?.to_bytes();
            book.lock().unwrap().units += units(&body);
            Ok(Response::from_parts(head, Full::new(body)))
        }
        Some(Fault::LoseReply) => {
            forward(request, &upstream).await?;
            Err("the reply is lost".into())
        }
        Some(Fault::LoseReplyAfter(event)) => {
            forward(request, &upstream).await?;
            event.notified().await;
            Err("the reply is lost".into())
        }
        Some(Fault::Hang) => {
            forward(request, &upstream).await?;
            std::future::pending().await
        }
        Some(Fault::LeaveUndone) => {
            let asked: serde_json::Value = serde_json::from_slice(&body)?;
            left_undone(&asked["RequestItems"])
        }
        Some(Fault::LeaveAllButLast) => {
            let mut asked: serde_json::Value = serde_json::from_slice(&body)?;
            let mut left = asked["RequestItems"].clone();
            let tables = left.as_object_mut().ok_or("no batch")?;
            for (table, items) in tables {
                let last = items.as_array_mut().and_then(Vec::pop);
                asked["RequestItems"][table] = json!([last]);
            }
            let (mut head, _) = request.into_parts();
            head.headers.remove("content-length");
            let request = Request::from_parts(head, Full::from(asked.to_string()));
            forward(request, &upstream).await?;
            left_undone(&left)
        }
        Some(Fault::Refuse(body)) => reply(400, body),
    }
}

fn units(reply: &[u8]) -> f64 {
    let reply: serde_json::Value = serde_json::from_slice(reply).unwrap_or_default();
    let consumed = &reply["ConsumedCapacity"]["CapacityUnits"];
    consumed.as_f64().unwrap_or_default()
}

fn left_undone(left: &serde_json::Value) -> Reply {
    let body = json!({"Responses": {}, "UnprocessedKeys": left, "UnprocessedItems": left});
    reply(200, body.to_string())
}

fn reply(status: u16, body: String) -> Reply {
    Ok(Response::builder()
        .status(status)
        .header("content-type", "application/x-amz-json-1.0")
        .body(Full::from(body))?)
}

async fn forward(request: Request<Full<Bytes>>, upstream: &str) -> Reply {
    let stream = TcpStream::connect(upstream).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let (head, body) = sender.send_request(request).await?.into_parts();
    let body = Full::new(body.collect().await?.to_bytes());
    Ok(Response::from_parts(head, body))
}
