//! The removal of all that a session has.

use std::time::{Duration, Instant};

use documents::ArtifactError;

use crate::bucket::{Asked, Bucket, Reply, key, xml};

/// Two pages of a list, of which the first names the second.
const FIRST: &str = "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>2</NextContinuationToken>\
    <Contents><Key>one</Key></Contents><Contents><Key>two</Key></Contents></ListBucketResult>";
const SECOND: &str = "<ListBucketResult><IsTruncated>false</IsTruncated>\
    <Contents><Key>three</Key></Contents></ListBucketResult>";
const EMPTY: &str = "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>";

const DELETED: &str = "<DeleteResult/>";
const REFUSED: &str =
    "<DeleteResult><Error><Key>two</Key><Code>AccessDenied</Code></Error></DeleteResult>";

/// A bucket that lists these pages, and answers this to each request to delete.
async fn bucket(pages: [&'static str; 2], deleted: &'static str) -> Bucket {
    Bucket::start(move |asked| -> Reply {
        let second = asked.query.contains_key("continuation-token");
        match asked.method.as_str() {
            "POST" => xml(200, deleted),
            _ => xml(200, pages[usize::from(second)]),
        }
    })
    .await
}

fn deletions(bucket: &Bucket) -> Vec<Asked> {
    let asked = bucket.asked().into_iter();
    asked.filter(|asked| asked.method == "POST").collect()
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

#[tokio::test]
async fn every_page_of_the_list_is_one_request_to_delete() {
    let bucket = bucket([FIRST, SECOND], DELETED).await;
    assert!(bucket.files.delete_all(soon()).await.unwrap());
    let deletions = deletions(&bucket);
    let keys = |asked: &Asked| {
        ["one", "two", "three"].map(|key| asked.body.contains(&format!("<Key>{key}</Key>")))
    };
    assert_eq!(deletions.len(), 2);
    assert_eq!(keys(&deletions[0]), [true, true, false]);
    assert_eq!(keys(&deletions[1]), [false, false, true]);
}

#[tokio::test]
async fn all_of_the_sessions_folder_goes_and_nothing_else() {
    let bucket = bucket([EMPTY, EMPTY], DELETED).await;
    assert!(bucket.files.delete_all(soon()).await.unwrap());
    let prefixes: Vec<_> = bucket
        .asked()
        .into_iter()
        .map(|asked| asked.query["prefix"].clone())
        .collect();
    assert_eq!(prefixes, [key("")]);
}

#[tokio::test]
async fn an_empty_bucket_is_asked_to_delete_nothing() {
    let bucket = bucket([EMPTY, EMPTY], DELETED).await;
    assert!(bucket.files.delete_all(soon()).await.unwrap());
    assert!(deletions(&bucket).is_empty());
}

#[tokio::test]
async fn without_time_one_page_is_deleted_all_the_same_and_something_may_be_left() {
    let bucket = bucket([FIRST, SECOND], DELETED).await;
    assert!(!bucket.files.delete_all(Instant::now()).await.unwrap());
    assert_eq!(deletions(&bucket).len(), 1);
}

#[tokio::test]
async fn an_object_that_stays_is_an_error() {
    let bucket = bucket([FIRST, SECOND], REFUSED).await;
    let refused = bucket.files.delete_all(soon()).await;
    assert!(matches!(refused, Err(ArtifactError::Storage(_))));
    assert_eq!(deletions(&bucket).len(), 1);
}
