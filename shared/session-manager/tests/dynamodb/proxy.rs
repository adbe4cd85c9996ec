//! A proxy in front of DynamoDB Local that brings what it never does: throttles, conflicts, replies that are lost after the
//! write was done. It also writes down which operations came by.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

/// What happens to a request.
#[derive(Debug, Clone)]
pub enum Fault {
    /// It is done, and nobody hears of it: the connection ends without a reply.
    LoseReply,
    /// It is not done; this error is the answer.
    Refuse(String),
}

impl Fault {
    /// DynamoDB asks for less at once.
    pub fn throttled(code: &str) -> Self {
        Self::Refuse(format!(
            r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{code}","message":"Too much at once."}}"#
        ))
    }

    /// A transaction was cancelled, with the reason of its second item given.
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
}

/// The proxy; it ends with the test.
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

    /// Lets these faults happen to the next requests of this operation, one each.
    pub fn next(&self, operation: &'static str, faults: impl IntoIterator<Item = Fault>) {
        let mut book = self.book.lock().unwrap();
        let faults = faults.into_iter().map(|fault| (operation, fault));
        book.faults.extend(faults);
    }

    /// The operations since the last time that somebody asked.
    pub fn seen(&self) -> Vec<String> {
        std::mem::take(&mut self.book.lock().unwrap().seen)
    }
}

async fn answer(
    request: Request<Incoming>,
    book: Arc<Mutex<Book>>,
    upstream: Arc<str>,
) -> Result<Response<Full<Bytes>>, Box<dyn std::error::Error + Send + Sync>> {
    let target = request
        .headers()
        .get("x-amz-target")
        .and_then(|target| target.to_str().ok());
    let operation = target
        .and_then(|target| target.split('.').next_back())
        .unwrap_or_default()
        .to_owned();
    let fault = {
        let mut book = book.lock().unwrap();
        book.seen.push(operation.clone());
        let next = book
            .faults
            .iter()
            .position(|(meant, _)| *meant == operation);
        next.and_then(|n| book.faults.remove(n))
            .map(|(_, fault)| fault)
    };
    match fault {
        None => forward(request, &upstream).await,
        Some(Fault::LoseReply) => {
            forward(request, &upstream).await?;
            Err("the reply is lost".into())
        }
        Some(Fault::Refuse(body)) => Ok(Response::builder()
            .status(StatusCode::BAD_REQUEST)
            .header("content-type", "application/x-amz-json-1.0")
            .body(Full::from(body))?),
    }
}

async fn forward(
    request: Request<Incoming>,
    upstream: &str,
) -> Result<Response<Full<Bytes>>, Box<dyn std::error::Error + Send + Sync>> {
    let stream = TcpStream::connect(upstream).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let (head, body) = request.into_parts();
    let body = Full::new(body.collect().await?.to_bytes());
    let (head, body) = sender
        .send_request(Request::from_parts(head, body))
        .await?
        .into_parts();
    let body = Full::new(body.collect().await?.to_bytes());
    Ok(Response::from_parts(head, body))
}
