//! Links: the signed headers, the expiry, and the requests.

use std::collections::BTreeMap;

use documents::{ArtifactError, ArtifactKey};
use session::Timestamp;

use crate::bucket::{Bucket, key, xml};
use crate::{RUN, artifact, name};

fn now() -> Timestamp {
    "2026-09-21T14:13:34.500000Z".parse().unwrap()
}

/// The path and the query of a link.
fn parts(url: &str) -> (String, BTreeMap<String, String>) {
    let url = reqwest::Url::parse(url).unwrap();
    (
        url.path().to_owned(),
        url.query_pairs().into_owned().collect(),
    )
}

#[tokio::test]
async fn an_upload_is_signed_with_its_length_type_and_condition_and_nothing_else() {
    let bucket = Bucket::start(|_| xml(404, "")).await;
    let pdf = "application/pdf".parse().unwrap();
    let link = bucket
        .files
        .upload_link(&name("ü.pdf"), &pdf, 7, now())
        .await
        .unwrap();
    let (path, query) = parts(&link.url);
    assert_eq!(path, format!("/bucket/{}", key("uploads/%C3%BC.pdf")));
    assert_eq!(
        query["X-Amz-SignedHeaders"],
        "content-length;content-type;host;if-none-match"
    );
    assert_eq!(query["X-Amz-Date"], "20260921T141334Z");
    assert_eq!(query["X-Amz-Expires"], "900");
    assert!(
        query
            .keys()
            .all(|name| !name.to_lowercase().contains("checksum")),
        "{query:?}"
    );
    let headers: Vec<_> = link
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    assert_eq!(
        headers,
        [
            "content-length: 7",
            "content-type: application/pdf",
            "if-none-match: *"
        ]
    );
    assert_eq!(link.expires_at.to_string(), "2026-09-21T14:28:34.500000Z");
    let asked: Vec<_> = bucket
        .asked()
        .into_iter()
        .map(|asked| asked.method)
        .collect();
    assert_eq!(asked, ["HEAD"]);
}

#[tokio::test]
async fn an_upload_replaces_only_the_content_that_was_there_when_its_link_was_made() {
    let tag = || vec![("etag", r#""tides""#.to_owned())];
    let bucket = Bucket::start(move |_| (200, tag(), vec![])).await;
    let text = "text/plain".parse().unwrap();
    let a = name("a.txt");
    let link = bucket.files.upload_link(&a, &text, 7, now()).await.unwrap();
    assert_eq!(link.headers["if-match"], r#""tides""#);
    assert!(!link.headers.contains_key("if-none-match"));
    let (_, query) = parts(&link.url);
    assert_eq!(
        query["X-Amz-SignedHeaders"],
        "content-length;content-type;host;if-match"
    );
}

#[tokio::test]
async fn a_bucket_that_does_not_say_what_is_there_gives_no_upload() {
    let bucket = Bucket::start(|_| xml(403, "")).await;
    let text = "text/plain".parse().unwrap();
    let a = name("a.txt");
    let link = bucket.files.upload_link(&a, &text, 7, now()).await;
    assert!(matches!(link, Err(ArtifactError::Storage(_))));
}

#[tokio::test]
async fn a_link_to_a_file_sets_the_name_of_the_download() {
    let bucket = Bucket::start(|_| xml(500, "")).await;
    let (path, query) = parts(&bucket.files.link(&artifact("a.md"), now()).await.unwrap());
    assert_eq!(path, format!("/bucket/{}", key(&format!("{RUN}/a.md"))));
    assert_eq!(
        query["response-content-disposition"],
        "attachment; filename*=UTF-8''a.md"
    );
    assert_eq!(
        (
            query["X-Amz-Expires"].as_str(),
            query["X-Amz-SignedHeaders"].as_str()
        ),
        ("900", "host")
    );
    let (path, _) = parts(
        &bucket
            .files
            .link(&ArtifactKey::Upload(name("a?b#c.md")), now())
            .await
            .unwrap(),
    );
    assert_eq!(path, format!("/bucket/{}", key("uploads/a%3Fb%23c.md")));
    assert!(bucket.asked().is_empty());
}
