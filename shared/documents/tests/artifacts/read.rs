//! Reading a file takes at most the allowed bytes, with and without an announced length.

use std::path::PathBuf;

use bytes::Bytes;
use documents::{ArtifactError, ArtifactKey};

use crate::bucket::{Bucket, Reply, no_such_key, xml};
use crate::{artifact, name};

/// Ten bytes in two pieces, with or without a content length.
fn ten_bytes(announced: bool) -> Reply {
    let headers = match announced {
        true => vec![("content-length", "10".to_owned())],
        false => vec![],
    };
    let pieces = ["01234", "56789"].map(Bytes::from);
    (200, headers, pieces.into())
}

fn scratch(file: &str) -> PathBuf {
    std::env::temp_dir().join(format!("{}-{file}", std::process::id()))
}

#[tokio::test]
async fn a_file_within_the_limit_is_read_whole() {
    let bucket = Bucket::start(|_| ten_bytes(true)).await;
    let place = artifact("a.txt");
    assert_eq!(bucket.files.get(&place, 10).await.unwrap(), "0123456789");
    assert_eq!(
        bucket.files.get_text(&place, 10).await.unwrap(),
        "0123456789"
    );
    assert_eq!(
        bucket.files.find(&place, 10).await.unwrap().unwrap(),
        "0123456789"
    );
    assert_eq!(bucket.asked().len(), 3);
}

#[tokio::test]
async fn a_file_above_the_limit_is_refused_with_any_announced_length() {
    for announced in [true, false] {
        let bucket = Bucket::start(move |_| ten_bytes(announced)).await;
        let place = ArtifactKey::Upload(name("a.pdf"));
        let path = scratch("too-large");
        for read in [
            bucket.files.get(&place, 9).await.map(drop),
            bucket.files.find(&place, 9).await.map(drop),
            bucket.files.download(&place, 9, &path).await.map(drop),
        ] {
            assert!(
                matches!(read, Err(ArtifactError::TooLarge { limit: 9 })),
                "{read:?}"
            );
        }
        let _ = std::fs::remove_file(path);
    }
}

#[tokio::test]
async fn a_file_is_copied_to_a_local_file() {
    let bucket = Bucket::start(|_| ten_bytes(true)).await;
    let path = scratch("copy");
    let length = bucket
        .files
        .download(&ArtifactKey::Upload(name("a.pdf")), 10, &path)
        .await;
    assert_eq!(
        (length.unwrap(), std::fs::read(&path).unwrap()),
        (10, b"0123456789".to_vec())
    );
    std::fs::remove_file(path).unwrap();
}

#[tokio::test]
async fn an_unwritable_local_file_is_an_error_of_its_own() {
    let bucket = Bucket::start(|_| ten_bytes(true)).await;
    let nowhere = scratch("no-such-folder").join("a.pdf");
    let read = bucket
        .files
        .download(&ArtifactKey::Upload(name("a.pdf")), 10, &nowhere)
        .await;
    assert!(matches!(read, Err(ArtifactError::Local(_))));
}

#[tokio::test]
async fn a_missing_file_differs_from_a_failing_bucket() {
    let bucket = Bucket::start(|_| no_such_key()).await;
    let place = artifact("a.txt");
    assert!(matches!(
        bucket.files.get(&place, 1).await,
        Err(ArtifactError::NotFound)
    ));
    assert!(bucket.files.find(&place, 1).await.unwrap().is_none());

    let bucket = Bucket::start(|_| xml(403, "<Error><Code>AccessDenied</Code></Error>")).await;
    assert!(matches!(
        bucket.files.find(&place, 1).await,
        Err(ArtifactError::Storage(_))
    ));
}

#[tokio::test]
async fn a_file_that_is_no_text_is_an_error_of_its_own() {
    let bucket = Bucket::start(|_| (200, vec![], vec![Bytes::from_static(b"\xff\xfe")])).await;
    let read = bucket.files.get_text(&artifact("a.txt"), 10).await;
    assert!(matches!(read, Err(ArtifactError::NotText)));
}

#[tokio::test]
async fn only_the_content_type_of_an_upload_needs_a_request() {
    let bucket = Bucket::start(|_| (200, vec![("content-type", "image/png".into())], vec![])).await;
    let upload = ArtifactKey::Upload(name("a.pdf"));
    let of = async |place: &ArtifactKey| bucket.files.content_type(place).await.unwrap();
    assert_eq!(
        of(&artifact("a.pdf")).await.as_deref(),
        Some("application/pdf")
    );
    assert!(bucket.asked().is_empty());
    assert_eq!(of(&upload).await.as_deref(), Some("image/png"));
    assert_eq!(bucket.asked()[0].method, "HEAD");

    let bucket = Bucket::start(|_| (404, vec![], vec![])).await;
    assert_eq!(bucket.files.content_type(&upload).await.unwrap(), None);
    let bucket = Bucket::start(|_| (403, vec![], vec![])).await;
    assert!(bucket.files.content_type(&upload).await.is_err());
}
