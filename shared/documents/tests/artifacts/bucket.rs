//! S3 on a local port for the files of one session. A script answers each request.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use bytes::Bytes;
use documents::{Artifacts, SessionFiles};
use futures::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use session::{OwnerId, SessionId};
use tokio::net::TcpListener;

/// The secret key that signs.
pub const SECRET: &str = "local/+secret";

const SESSION: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

/// A received request.
#[derive(Debug, Clone)]
pub struct Asked {
    pub method: String,
    pub path: String,
    /// Percent-decoded.
    pub query: BTreeMap<String, String>,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

/// Status, headers, and the pieces of the body.
pub type Reply = (u16, Vec<(&'static str, String)>, Vec<Bytes>);

/// A reply whose body is sent in one piece.
pub fn xml(status: u16, body: impl Into<String>) -> Reply {
    (status, vec![], vec![body.into().into()])
}

/// S3's reply for a missing key.
pub fn no_such_key() -> Reply {
    xml(
        404,
        "<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>",
    )
}

/// A running bucket; it stops with the test's runtime.
pub struct Bucket {
    pub files: SessionFiles,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Bucket {
    /// A bucket with the files of one session. The script receives each request.
    pub async fn start(script: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let (asked, script) = (Arc::<Mutex<Vec<Asked>>>::default(), Arc::new(script));
        let book = asked.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (book, script) = (book.clone(), script.clone());
                let answer = service_fn(move |request| {
                    let (book, script) = (book.clone(), script.clone());
                    async move {
                        let asked = note(request).await;
                        let reply = respond(script(&asked));
                        book.lock().unwrap().push(asked);
                        Ok::<_, io::Error>(reply)
                    }
                });
                let server = hyper::server::conn::http1::Builder::new();
                tokio::spawn(server.serve_connection(TokioIo::new(stream), answer));
            }
        });
        let session: SessionId = SESSION.parse().unwrap();
        let artifacts = Artifacts::new(client(&endpoint), "bucket");
        let files = artifacts.of(&OwnerId::of("issuer", "ada"), session);
        Self { files, asked }
    }

    /// Every request so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

/// The key of a file of the session.
pub fn key(file: &str) -> String {
    format!("{}/{SESSION}/{file}", OwnerId::of("issuer", "ada"))
}

fn client(endpoint: &str) -> Client {
    // A function's credentials are temporary, with a token of these characters.
    let token = Some("token/+==".to_owned());
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("local", SECRET, token, None, "test"))
        .force_path_style(true)
        .endpoint_url(endpoint);
    Client::from_conf(config.build())
}

async fn note(request: Request<Incoming>) -> Asked {
    let url = reqwest::Url::parse(&format!("http://bucket{}", request.uri())).unwrap();
    let headers = request.headers().iter();
    let text = |value: &hyper::header::HeaderValue| value.to_str().unwrap().to_owned();
    Asked {
        method: request.method().to_string(),
        path: url.path().to_owned(),
        query: url.query_pairs().into_owned().collect(),
        headers: headers
            .map(|(name, value)| (name.to_string(), text(value)))
            .collect(),
        body: String::from_utf8_lossy(&request.into_body().collect().await.unwrap().to_bytes())
            .into(),
    }
}

fn respond((status, headers, pieces): Reply) -> Response<UnsyncBoxBody<Bytes, io::Error>> {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(name, value);
    }
    let frames = pieces.into_iter().map(|piece| Ok(Frame::data(piece)));
    response
        .body(StreamBody::new(stream::iter(frames)).boxed_unsync())
        .unwrap()
}
