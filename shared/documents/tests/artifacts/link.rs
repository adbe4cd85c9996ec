//! Links: the signed headers, the expiry, and the requests.

use std::collections::BTreeMap;

use documents::{ArtifactError, ArtifactKey};
use session::Timestamp;

use crate::bucket::{Bucket, SECRET, key, xml};
use crate::sigv4::Presigned;
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

/// Names that need every kind of escape.
const NAMES: [&str; 4] = ["a.md", "ü.pdf", "a b+c&d=e~'(f)*%20.pdf", "a?b#c;d,e.md"];

/// Every way in which a client can use another request than the signed one.
fn altered(right: &Presigned) -> Vec<(String, Presigned)> {
    let mut others = Vec::new();
    let mut add = |what: String, change: &dyn Fn(&mut Presigned)| {
        let mut other = right.clone();
        change(&mut other);
        others.push((what, other));
    };
    for header in right.headers.keys() {
        add(format!("without {header}"), &|other| {
            other.headers.remove(header);
        });
        add(format!("another {header}"), &|other| {
            other.headers.get_mut(header).unwrap().push('1');
        });
    }
    add("another method".into(), &|other| other.method = "DELETE");
    add("another session".into(), &|other| {
        other.url = other.url.replacen("01890a5d", "01890a5e", 1);
    });
    add("a parameter more".into(), &|other| {
        other.url += "&versionId=1";
    });
    add("a longer time".into(), &|other| {
        other.url = other.url.replace("X-Amz-Expires=900", "X-Amz-Expires=901");
    });
    add("another token".into(), &|other| {
        let url = other
            .url
            .replace("X-Amz-Security-Token=t", "X-Amz-Security-Token=u");
        assert_ne!(url, other.url, "the token of a function's credentials");
        other.url = url;
    });
    others
}

#[track_caller]
fn s3_accepts_exactly(right: &Presigned) {
    let last = now().plus(documents::LINK_TIME);
    assert_eq!(right.check(SECRET, now()), Ok(()), "{right:?}");
    assert_eq!(right.check(SECRET, last), Ok(()), "{right:?}");
    let late = last.plus(std::time::Duration::from_secs(1));
    assert!(right.check(SECRET, late).is_err(), "{right:?}");
    for (what, other) in altered(right) {
        assert!(other.check(SECRET, now()).is_err(), "{what}: {other:?}");
    }
}

#[tokio::test]
async fn s3_accepts_an_upload_with_its_headers_and_no_other() {
    let free = Bucket::start(|_| xml(404, "")).await;
    let tag = || vec![("etag", r#""tides""#.to_owned())];
    let taken = Bucket::start(move |_| (200, tag(), vec![])).await;
    let kind = "text/markdown; charset=utf-8".parse().unwrap();
    for bucket in [free, taken] {
        for file in NAMES {
            let file = name(file);
            let link = bucket.files.upload_link(&file, &kind, 7, now());
            let link = link.await.unwrap();
            assert_eq!(link.headers.len(), 3);
            s3_accepts_exactly(&Presigned {
                method: "PUT",
                url: link.url,
                headers: link.headers,
            });
        }
    }
}

#[tokio::test]
async fn s3_accepts_a_download_and_no_other_request() {
    let bucket = Bucket::start(|_| xml(500, "")).await;
    for file in NAMES {
        for place in [artifact(file), ArtifactKey::Upload(name(file))] {
            s3_accepts_exactly(&Presigned {
                method: "GET",
                url: bucket.files.link(&place, now()).await.unwrap(),
                headers: BTreeMap::new(),
            });
        }
    }
}
