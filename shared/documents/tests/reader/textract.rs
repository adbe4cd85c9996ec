//! Amazon Textract on a local port, with replies that follow its documentation
//! (<https://docs.aws.amazon.com/textract/latest/dg/API_DetectDocumentText.html>).

use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use aws_sdk_textract::Client;
use aws_sdk_textract::config::retry::RetryConfig;
use aws_sdk_textract::config::{BehaviorVersion, Credentials, Region};
use bytes::Bytes;
use documents::ocr::{OcrEngine, OcrError, Textract};
use documents::reader::PageImage;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// A page with two lines, whose words follow as blocks of their own.
const READ: &str = r#"{
    "DetectDocumentTextModelVersion": "1.0",
    "DocumentMetadata": {"Pages": 1},
    "Blocks": [
        {"BlockType": "PAGE", "Id": "p", "Geometry": {"BoundingBox": {"Width": 1.0, "Height": 1.0, "Left": 0.0, "Top": 0.0}},
         "Relationships": [{"Type": "CHILD", "Ids": ["l1", "l2"]}]},
        {"BlockType": "LINE", "Id": "l1", "Confidence": 99.3, "Text": "Reading a gauge",
         "Relationships": [{"Type": "CHILD", "Ids": ["w1"]}]},
        {"BlockType": "LINE", "Id": "l2", "Confidence": 98.1, "Text": "Größe: 16 m"},
        {"BlockType": "WORD", "Id": "w1", "Confidence": 99.9, "Text": "Reading", "TextType": "PRINTED"}
    ]
}"#;

/// Status and body; status 0 sends no reply.
type Reply = (u16, String);

struct Service {
    textract: Textract,
    asked: Arc<Mutex<Vec<(String, String)>>>,
}

impl Service {
    /// Every request gets this reply.
    async fn start(status: u16, body: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::<Mutex<Vec<(String, String)>>>::default();
        let (book, reply): (_, Reply) = (asked.clone(), (status, body.to_owned()));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (book, reply) = (book.clone(), reply.clone());
                let answer =
                    service_fn(move |request| respond(request, book.clone(), reply.clone()));
                let server = hyper::server::conn::http1::Builder::new();
                tokio::spawn(server.serve_connection(TokioIo::new(stream), answer));
            }
        });
        let config = aws_sdk_textract::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(Credentials::new("key", "secret", None, None, "test"))
            .endpoint_url(endpoint)
            .retry_config(RetryConfig::disabled());
        let textract = Textract::new(Client::from_conf(config.build()));
        Self { textract, asked }
    }

    async fn read(&self) -> Result<String, OcrError> {
        let page = PageImage {
            png: b"pixels".to_vec(),
            width: 1,
            height: 1,
            damage: None,
        };
        let deadline = Instant::now() + Duration::from_secs(2);
        self.textract.read(&page, deadline).await
    }
}

async fn respond(
    request: Request<Incoming>,
    book: Arc<Mutex<Vec<(String, String)>>>,
    (status, body): Reply,
) -> io::Result<Response<Full<Bytes>>> {
    let target = request
        .headers()
        .get("x-amz-target")
        .map(|it| it.to_str().unwrap().to_owned());
    let asked = request
        .into_body()
        .collect()
        .await
        .map_err(io::Error::other)?
        .to_bytes();
    let asked = String::from_utf8(asked.to_vec()).unwrap();
    book.lock()
        .unwrap()
        .push((target.unwrap_or_default(), asked));
    if status == 0 {
        std::future::pending::<()>().await;
    }
    let reply = Response::builder()
        .status(status)
        .header("content-type", "application/x-amz-json-1.1");
    reply.body(Full::new(body.into())).map_err(io::Error::other)
}

async fn refused(status: u16, kind: &str) -> OcrError {
    let body = format!(r#"{{"__type": "{kind}", "Message": "an internal text"}}"#);
    let error = Service::start(status, &body)
        .await
        .read()
        .await
        .unwrap_err();
    assert!(!error.to_string().contains("internal text"), "{error}");
    error
}

#[tokio::test]
async fn the_image_is_in_the_request_and_its_lines_in_the_result() {
    let service = Service::start(200, READ).await;
    assert_eq!(
        service.read().await.unwrap(),
        "Reading a gauge\nGröße: 16 m"
    );
    let asked = service.asked.lock().unwrap().clone();
    // "pixels" in base64.
    let body = r#"{"Document":{"Bytes":"cGl4ZWxz"}}"#.to_owned();
    assert_eq!(asked, [("Textract.DetectDocumentText".to_owned(), body)]);
    assert_eq!(service.textract.name(), "textract");
}

#[tokio::test]
async fn a_page_without_text_is_empty() {
    let service = Service::start(200, r#"{"Blocks": [{"BlockType": "PAGE", "Id": "p"}]}"#).await;
    assert_eq!(service.read().await.unwrap(), "");
}

#[tokio::test]
async fn a_throttled_request_is_transient() {
    for kind in [
        "ThrottlingException",
        "ProvisionedThroughputExceededException",
    ] {
        let error = refused(400, kind).await;
        assert!(
            matches!(error, OcrError::Busy) && error.is_transient(),
            "{kind}: {error:?}"
        );
    }
}

#[tokio::test]
async fn a_refused_image_is_not_sent_again() {
    for kind in [
        "UnsupportedDocumentException",
        "BadDocumentException",
        "DocumentTooLargeException",
    ] {
        let error = refused(400, kind).await;
        assert!(
            matches!(error, OcrError::BadImage) && !error.is_transient(),
            "{kind}: {error:?}"
        );
    }
}

#[tokio::test]
async fn a_missing_permission_is_named() {
    let error = refused(400, "AccessDeniedException").await;
    assert!(!error.is_transient());
    assert!(
        error.to_string().contains("textract:DetectDocumentText"),
        "{error}"
    );
}

#[tokio::test]
async fn a_service_that_fails_or_hangs_is_a_transient_error() {
    let error = refused(500, "InternalServerError").await;
    assert!(
        matches!(error, OcrError::Failed(_)) && error.is_transient(),
        "{error:?}"
    );
    let error = Service::start(0, "").await.read().await.unwrap_err();
    assert!(
        matches!(error, OcrError::TookTooLong) && error.is_transient(),
        "{error:?}"
    );
}
