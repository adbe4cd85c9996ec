//! The beginning of a text, read by one ranged request.

use bytes::Bytes;
use documents::{ArtifactError, ArtifactKey};

use crate::bucket::{Bucket, Reply, no_such_key, xml};
use crate::{artifact, name};

/// A part of a file, as S3 answers a range.
fn part(content_type: &str, content: &'static [u8], size: usize) -> Reply {
    let range = format!("bytes 0-{}/{size}", content.len() - 1);
    let headers = vec![
        ("content-type", content_type.to_owned()),
        ("content-length", content.len().to_string()),
        ("content-range", range),
    ];
    (206, headers, vec![Bytes::from_static(content)])
}

#[tokio::test]
async fn at_most_the_wanted_bytes_are_asked_for() {
    let bucket = Bucket::start(|_| part("text/markdown", "abcé".as_bytes(), 900)).await;
    let read = bucket.files.text_beginning(&artifact("a.md"), 5).await;
    let read = read.unwrap();
    assert_eq!((read.text.as_str(), read.size), ("abcé", 900));
    assert_eq!(read.content_type, "text/markdown");
    let asked = bucket.asked();
    assert_eq!((asked.len(), asked[0].method.as_str()), (1, "GET"));
    assert_eq!(asked[0].headers["range"], "bytes=0-4");

    let bucket = Bucket::start(|_| part("text/markdown", &"abcé".as_bytes()[..4], 900)).await;
    let read = bucket.files.text_beginning(&artifact("a.md"), 4).await;
    assert_eq!(read.unwrap().text, "abc", "a cut character is left out");
}

#[tokio::test]
async fn no_more_is_kept_of_a_store_that_ignores_the_range() {
    let pieces = ["01234", "56789"].map(Bytes::from);
    let whole = vec![("content-length", "10".to_owned())];
    let bucket = Bucket::start(move |_| (200, whole.clone(), pieces.clone().into())).await;
    let read = bucket.files.text_beginning(&artifact("a.txt"), 7).await;
    let read = read.unwrap();
    assert_eq!((read.text.as_str(), read.size), ("0123456", 10));
}

#[tokio::test]
async fn an_empty_file_is_an_empty_text() {
    let empty = || xml(416, "<Error><Code>InvalidRange</Code></Error>");
    let bucket = Bucket::start(move |_| empty()).await;
    let read = bucket.files.text_beginning(&artifact("a.md"), 9).await;
    let read = read.unwrap();
    assert_eq!((read.text.as_str(), read.size), ("", 0));
    assert_eq!(read.content_type, "text/markdown; charset=utf-8");
}

#[tokio::test]
async fn a_missing_file_an_outage_and_what_is_no_text_differ() {
    let place = ArtifactKey::Upload(name("a"));
    let read = async |reply: fn() -> Reply| {
        let bucket = Bucket::start(move |_| reply()).await;
        bucket.files.text_beginning(&place, 9).await.unwrap_err()
    };
    assert!(matches!(read(no_such_key).await, ArtifactError::NotFound));
    let denied = || xml(403, "<Error><Code>AccessDenied</Code></Error>");
    assert!(matches!(read(denied).await, ArtifactError::Storage(_)));
    for no_text in [
        || part("application/pdf", b"%PDF-1.7", 8),
        || part("application/octet-stream", b"\xff\xd8\xff", 3),
        || part("text/plain", b"a\0", 2),
    ] {
        assert!(matches!(read(no_text).await, ArtifactError::NotText));
    }
}
