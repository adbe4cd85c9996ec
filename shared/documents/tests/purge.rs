//! The removal of a session's artifacts, against a bucket that answers as it is told and writes down what it was asked.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the answer")]

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use bytes::Bytes;
use documents::{ArtifactError, Artifacts};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use session::{OwnerId, SessionId};
use tokio::net::TcpListener;

/// Two pages of a list, of which the first names the second.
const FIRST: &str = "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>2</NextContinuationToken>\
    <Contents><Key>one</Key></Contents><Contents><Key>two</Key></Contents></ListBucketResult>";
const SECOND: &str = "<ListBucketResult><IsTruncated>false</IsTruncated>\
    <Contents><Key>three</Key></Contents></ListBucketResult>";
const EMPTY: &str = "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>";

const DELETED: &str = "<DeleteResult/>";
const REFUSED: &str =
    "<DeleteResult><Error><Key>two</Key><Code>AccessDenied</Code></Error></DeleteResult>";

type Asked = Arc<Mutex<Vec<String>>>;

/// The artifacts of a bucket that lists these pages, and what it is asked to delete.
async fn bucket(pages: [&'static str; 2], deleted: &'static str) -> (Artifacts, Asked) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let asked = Asked::default();
    let book = asked.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let book = book.clone();
            let answer = service_fn(move |request: Request<Incoming>| {
                let book = book.clone();
                async move {
                    let second = request
                        .uri()
                        .query()
                        .unwrap_or_default()
                        .contains("token=2");
                    let deletes = request.method() == Method::POST;
                    let body = request.into_body().collect().await?.to_bytes();
                    if !deletes {
                        return Ok(reply(pages[usize::from(second)]));
                    }
                    let body = String::from_utf8_lossy(&body).into_owned();
                    book.lock().unwrap().push(body);
                    Ok::<_, hyper::Error>(reply(deleted))
                }
            });
            let server = hyper::server::conn::http1::Builder::new();
            tokio::spawn(server.serve_connection(TokioIo::new(stream), answer));
        }
    });
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("local", "local", None, None, "test"))
        .force_path_style(true)
        .endpoint_url(endpoint);
    let client = Client::from_conf(config.build());
    (Artifacts::new(client, "bucket"), asked)
}

fn reply(body: &'static str) -> Response<Full<Bytes>> {
    Response::new(Full::from(body))
}

async fn delete_all(artifacts: &Artifacts, deadline: Instant) -> Result<bool, ArtifactError> {
    let session: SessionId = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
    let owner = OwnerId::of("issuer", "ada");
    artifacts.of(&owner, session).delete_all(deadline).await
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

#[tokio::test]
async fn every_page_of_the_list_is_one_request_to_delete() {
    let (artifacts, asked) = bucket([FIRST, SECOND], DELETED).await;
    assert!(delete_all(&artifacts, soon()).await.unwrap());
    let asked = asked.lock().unwrap();
    let keys =
        |body: &str| ["one", "two", "three"].map(|key| body.contains(&format!("<Key>{key}</Key>")));
    assert_eq!(asked.len(), 2);
    assert_eq!(keys(&asked[0]), [true, true, false]);
    assert_eq!(keys(&asked[1]), [false, false, true]);
}

#[tokio::test]
async fn an_empty_bucket_is_asked_for_nothing() {
    let (artifacts, asked) = bucket([EMPTY, EMPTY], DELETED).await;
    assert!(delete_all(&artifacts, soon()).await.unwrap());
    assert!(asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn without_time_one_page_is_deleted_all_the_same_and_something_may_be_left() {
    let (artifacts, asked) = bucket([FIRST, SECOND], DELETED).await;
    assert!(!delete_all(&artifacts, Instant::now()).await.unwrap());
    assert_eq!(asked.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn an_object_that_stays_is_an_error() {
    let (artifacts, asked) = bucket([FIRST, SECOND], REFUSED).await;
    let refused = delete_all(&artifacts, soon()).await;
    assert!(matches!(refused, Err(ArtifactError::Storage(_))));
    assert_eq!(asked.lock().unwrap().len(), 1);
}
