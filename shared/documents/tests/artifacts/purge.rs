//! The deletion of all files of a session.

use std::time::{Duration, Instant};

use documents::ArtifactError;

use crate::bucket::{Asked, Bucket, Reply, key, xml};

/// Two pages of a listing. The first has the token of the second.
const FIRST: &str = "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>2</NextContinuationToken>\
    <Contents><Key>one</Key></Contents><Contents><Key>two</Key></Contents></ListBucketResult>";
const SECOND: &str = "<ListBucketResult><IsTruncated>false</IsTruncated>\
    <Contents><Key>three</Key></Contents></ListBucketResult>";
const EMPTY: &str = "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>";

const DELETED: &str = "<DeleteResult/>";
const REFUSED: &str =
    "<DeleteResult><Error><Key>two</Key><Code>AccessDenied</Code></Error></DeleteResult>";

/// A bucket that lists these pages and sends this reply to each deletion.
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
async fn each_page_of_the_list_is_deleted_by_one_request() {
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
async fn exactly_the_files_of_the_session_folder_are_deleted() {
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
async fn an_empty_listing_makes_no_delete_request() {
    let bucket = bucket([EMPTY, EMPTY], DELETED).await;
    assert!(bucket.files.delete_all(soon()).await.unwrap());
    assert!(deletions(&bucket).is_empty());
}

#[tokio::test]
async fn one_page_is_deleted_even_if_the_deadline_has_passed() {
    let bucket = bucket([FIRST, SECOND], DELETED).await;
    assert!(!bucket.files.delete_all(Instant::now()).await.unwrap());
    assert_eq!(deletions(&bucket).len(), 1);
}

#[tokio::test]
async fn an_object_that_is_not_deleted_is_an_error() {
    let bucket = bucket([FIRST, SECOND], REFUSED).await;
    let refused = bucket.files.delete_all(soon()).await;
    assert!(matches!(refused, Err(ArtifactError::Storage(_))));
    assert_eq!(deletions(&bucket).len(), 1);
}
