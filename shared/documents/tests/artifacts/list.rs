//! Listings of a session, from a bucket that lists keys as S3 does: in order, after a key, with a
//! page size.

use documents::{ArtifactError, ArtifactKey};

use crate::bucket::{Asked, Bucket, Reply, key, xml};
use crate::{RUN, artifact, name, run};

/// A bucket with these files of the session.
async fn with(files: &[String]) -> Bucket {
    let mut keys: Vec<String> = files.iter().map(|file| key(file)).collect();
    keys.sort();
    Bucket::start(move |asked| page(&keys, asked)).await
}

fn page(keys: &[String], asked: &Asked) -> Reply {
    let after = asked
        .query
        .get("start-after")
        .or(asked.query.get("continuation-token"));
    let most = asked
        .query
        .get("max-keys")
        .map_or(1_000, |most| most.parse().unwrap());
    let fits = |key: &&String| {
        key.starts_with(&asked.query["prefix"]) && after.is_none_or(|after| *key > after)
    };
    let found: Vec<_> = keys.iter().filter(fits).collect();
    let shown = &found[..found.len().min(most)];
    let contents: String = shown
        .iter()
        .map(|key| {
            format!("<Contents><Key>{key}</Key><LastModified>2026-09-21T14:13:34.000Z</LastModified><Size>7</Size></Contents>")
        })
        .collect();
    let more = found.len() > most;
    let token = match shown.last().filter(|_| more) {
        Some(last) => format!("<NextContinuationToken>{last}</NextContinuationToken>"),
        None => String::new(),
    };
    xml(
        200,
        format!(
            "<ListBucketResult><IsTruncated>{more}</IsTruncated>{token}{contents}</ListBucketResult>"
        ),
    )
}

fn drafts(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|number| format!("drafts/{RUN}/page_{number:04}.json"))
}

/// Reads the list page by page; returns the names of each page.
async fn walk(bucket: &Bucket, limit: usize) -> Vec<Vec<String>> {
    let (mut pages, mut after) = (vec![], None);
    loop {
        let page = bucket.files.list(after.as_ref(), limit).await.unwrap();
        pages.push(
            page.files
                .iter()
                .map(|file| file.place.name().to_string())
                .collect(),
        );
        match page.next_after {
            Some(place) => after = Some(place),
            None => return pages,
        }
    }
}

#[tokio::test]
async fn a_file_is_shown_with_its_place_size_and_time() {
    let bucket = with(&[format!("{RUN}/a.md"), "uploads/b.pdf".into()]).await;
    let listing = bucket.files.list(None, 100).await.unwrap();
    let places: Vec<_> = listing
        .files
        .iter()
        .map(|file| file.place.clone())
        .collect();
    assert_eq!(
        places,
        [artifact("a.md"), ArtifactKey::Upload(name("b.pdf"))]
    );
    assert_eq!(listing.files[0].size, 7);
    assert_eq!(
        listing.files[0].written_at.to_string(),
        "2026-09-21T14:13:34.000000Z"
    );
    assert_eq!(listing.next_after, None);
    assert_eq!(bucket.asked().len(), 1);
}

#[tokio::test]
async fn any_number_of_drafts_is_skipped_by_one_request() {
    let files: Vec<_> = drafts(2_500)
        .chain([format!("{RUN}/a.md"), "uploads/b.pdf".into()])
        .collect();
    let bucket = with(&files).await;
    assert_eq!(walk(&bucket, 100).await, [["a.md", "b.pdf"]]);
    assert_eq!(bucket.asked().len(), 2);
}

#[tokio::test]
async fn the_pages_list_each_file_once_and_the_last_is_not_empty() {
    let files: Vec<_> = drafts(3)
        .chain((1..=3).map(|number| format!("{RUN}/{number}.md")))
        .chain((4..=6).map(|number| format!("uploads/{number}.pdf")))
        .collect();
    let bucket = with(&files).await;
    let all = ["1.md", "2.md", "3.md", "4.pdf", "5.pdf", "6.pdf"];
    for limit in 1..=7 {
        let expected: Vec<_> = all.chunks(limit).collect();
        assert_eq!(walk(&bucket, limit).await, expected, "{limit}");
    }
}

#[tokio::test]
async fn a_page_of_a_thousand_files_shows_whether_more_exist() {
    for (count, pages) in [(1_000, 1), (1_001, 2)] {
        let files: Vec<_> = (0..count)
            .map(|number| format!("uploads/{number:04}"))
            .collect();
        assert_eq!(
            walk(&with(&files).await, 1_000).await.len(),
            pages,
            "{count}"
        );
    }
}

#[tokio::test]
async fn a_session_without_files_has_an_empty_list() {
    let bucket = with(&[]).await;
    assert_eq!(walk(&bucket, 100).await, [Vec::<String>::new()]);
}

#[tokio::test]
async fn an_object_with_a_foreign_key_is_not_listed() {
    let bucket = with(&["notes.txt".into(), "uploads/a/b".into(), "uploads/c".into()]).await;
    assert_eq!(walk(&bucket, 1).await.concat(), ["c"]);
}

#[tokio::test]
async fn all_drafts_of_one_run_and_no_other_run_are_listed() {
    let other = "01890a5d-ac96-774b-bcce-b302099a8058";
    let files: Vec<_> = drafts(1_200)
        .chain([format!("drafts/{other}/x"), format!("{RUN}/y")])
        .collect();
    let bucket = with(&files).await;
    let names = bucket.files.drafts(run()).await.unwrap();
    assert_eq!(names.len(), 1_200);
    assert_eq!(names[1_199].as_str(), "page_1199.json");
    assert_eq!(bucket.asked().len(), 2);
}

#[tokio::test]
async fn a_failing_bucket_is_not_an_empty_list() {
    let bucket = Bucket::start(|_| xml(403, "<Error><Code>AccessDenied</Code></Error>")).await;
    assert!(matches!(
        bucket.files.list(None, 100).await,
        Err(ArtifactError::Storage(_))
    ));
    assert!(matches!(
        bucket.files.drafts(run()).await,
        Err(ArtifactError::Storage(_))
    ));
}

#[tokio::test]
async fn the_files_of_a_run_are_one_request_and_say_when_there_are_more() {
    let other = RUN.replace('0', "1");
    let bucket = with(&[
        format!("{RUN}/a"),
        format!("{RUN}/b"),
        format!("{other}/c"),
        format!("drafts/{RUN}/d"),
        "uploads/e".into(),
    ])
    .await;
    let (files, more) = bucket.files.of_run(run(), 2).await.unwrap();
    let places: Vec<_> = files.into_iter().map(|file| file.place).collect();
    assert_eq!((places, more), (vec![artifact("a"), artifact("b")], false));
    let (files, more) = bucket.files.of_run(run(), 1).await.unwrap();
    assert_eq!((files[0].place.clone(), more), (artifact("a"), true));
    assert_eq!(bucket.asked().len(), 2);
}

#[tokio::test]
async fn a_file_exists_if_its_head_does() {
    for (status, exists) in [(200, true), (404, false)] {
        let bucket = Bucket::start(move |_| (status, vec![], vec![])).await;
        assert_eq!(bucket.files.exists(&artifact("a")).await.unwrap(), exists);
        assert_eq!(bucket.asked()[0].method, "HEAD");
    }
}
