//! `GET /api/sessions/{session_id}/artifacts`: the results of its runs and its uploads.
//!
//! One request lists the bucket, two where runs keep drafts. A listing has no content types: a
//! run's file gets the type of its name, and each upload of a page costs one more request, so that
//! a page has few uploads.

mod cursor;
mod operation;

use documents::{ArtifactKey, Artifacts, Listed, SessionFiles};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use lambda_kit::http::{HttpReply, Query};
use lambda_kit::{App, Problem, Request, now};
use schemars::JsonSchema;
use serde::Serialize;
use session::{RunId, SessionId, Timestamp};

pub use operation::operation;

const LIMIT: u16 = 100;
const MAX_LIMIT: u16 = 1_000;

/// How many types of uploads are read at once.
const AT_ONCE: usize = 16;

/// The most uploads of a page.
const UPLOADS: usize = 50;

/// A page ends before this many bytes of links.
const PAGE_BYTES: usize = 1024 * 1024;

/// The most bytes of an artifact besides its link and its name: its type and the names of fields.
const REST_BYTES: usize = 512;

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Artifacts")]
struct Page {
    session_id: SessionId,
    artifacts: Vec<Artifact>,
    next_cursor: Option<String>,
}

/// A file of a session.
#[derive(Debug, Serialize, JsonSchema)]
struct Artifact {
    /// Unique among the files of its run, and among the uploads.
    name: String,
    /// The run that made it; null of an upload.
    run_id: Option<RunId>,
    /// Its media type.
    content_type: String,
    /// In bytes.
    size: u64,
    /// When it was written, or last replaced.
    created_at: Timestamp,
    /// A link that works for 15 minutes, for everyone who has it.
    url: String,
}

/// Answers with at most `?limit` files, at most 50 of them uploads, from `?cursor` on: first those
/// of runs, the oldest run first, then uploads, each by name. Their links work for 15 minutes.
///
/// # Errors
/// `session_not_found`, `invalid_query`, `bad_cursor`, `unavailable`.
pub async fn handle(
    app: &App,
    artifacts: &Artifacts,
    request: Request,
) -> Result<HttpReply, Problem> {
    let (actor, session_id) = app.admit(&request)?;
    let query = Query::of(&request);
    let limit = query.limit(MAX_LIMIT, LIMIT)?;
    let after = query.text("cursor");
    let after = after
        .map(|cursor| cursor::read(session_id, cursor))
        .transpose()?;

    let state = app.sessions.state(session_id, &actor).await?;
    let files = artifacts.of(&state.owner, session_id);
    let listing = files.list(after.as_ref(), limit).await;
    let listing = listing.map_err(Problem::unavailable)?;
    let (linked, next) = linked(&files, listing.files, now()).await?;
    let next = next.or(listing.next_after);
    HttpReply::ok(&Page {
        session_id,
        artifacts: described(&files, linked).await?,
        next_cursor: next.map(|place| cursor::behind(session_id, &place)),
    })
}

/// The files that fit into a page, with their links, and the last of them where more follow. A page
/// also ends before too many bytes of links, and before too many uploads.
async fn linked(
    files: &SessionFiles,
    listed: Vec<Listed>,
    now: Timestamp,
) -> Result<(Vec<(Listed, String)>, Option<ArtifactKey>), Problem> {
    let (mut page, mut bytes, mut uploads) = (Vec::<(Listed, String)>::new(), 0, 0);
    for file in listed {
        let url = files.link(&file.place, now).await;
        let url = url.map_err(Problem::unavailable)?;
        bytes += url.len() + file.place.name().as_str().len() + REST_BYTES;
        uploads += usize::from(file.place.run().is_none());
        let full = bytes > PAGE_BYTES || uploads > UPLOADS;
        if let Some((last, _)) = page.last().filter(|_| full) {
            let last = last.place.clone();
            return Ok((page, Some(last)));
        }
        page.push((file, url));
    }
    Ok((page, None))
}

/// The files with their types, without uploads that were deleted after the listing.
async fn described(
    files: &SessionFiles,
    linked: Vec<(Listed, String)>,
) -> Result<Vec<Artifact>, Problem> {
    let described = stream::iter(linked).map(async |(file, url)| {
        let content_type = files.content_type(&file.place).await;
        let content_type = content_type.map_err(Problem::unavailable)?;
        Ok::<_, Problem>(content_type.map(|content_type| Artifact {
            name: file.place.name().to_string(),
            run_id: file.place.run(),
            content_type,
            size: file.size,
            created_at: file.written_at,
            url,
        }))
    });
    let described: Vec<_> = described.buffered(AT_ONCE).try_collect().await?;
    Ok(described.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use documents::testing::Bucket;
    use lambda_kit::testing::wire::{asked, entry, found};
    use lambda_kit::testing::{ID, Wire, get};
    use serde_json::{Value, json};
    use session::OwnerId;

    use super::*;

    /// A bucket with these files of the session, and this type of every upload.
    fn bucket(files: &[String]) -> Bucket {
        let owner = OwnerId::of("local", "local");
        let contents: String = files
            .iter()
            .map(|file| {
                format!(
                    "<Contents><Key>{owner}/{ID}/{file}</Key><Size>7</Size>\
                    <LastModified>2026-09-21T14:13:34.000Z</LastModified></Contents>"
                )
            })
            .collect();
        let list = format!(
            "<ListBucketResult><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>"
        );
        Bucket::new(move |method, _| match method {
            "HEAD" => (200, "image/png", String::new()),
            _ => (200, "application/xml", list.clone()),
        })
    }

    fn wire() -> Wire {
        let (state, _) = asked(now());
        Wire::new([("Query", found(&[entry(&state)]))])
    }

    async fn page(wire: &Wire, bucket: &Bucket, query: &str) -> Value {
        let reply = handle(&wire.app(), &bucket.artifacts, get(query)).await;
        serde_json::from_str(reply.unwrap().json()).unwrap()
    }

    #[tokio::test]
    async fn a_bad_query_is_named_and_an_outage_is_no_empty_answer() {
        let bucket = Bucket::silent();
        let list = async |app: &App, request| handle(app, &bucket.artifacts, request).await;
        let silent = Wire::default().app();
        for query in ["limit=0", "limit=1001"] {
            let refused = list(&silent, get(query)).await.unwrap_err();
            assert_eq!(refused.code(), lambda_kit::Code::InvalidQuery, "{query}");
        }
        let refused = list(&wire().app(), get("cursor=x")).await.unwrap_err();
        assert_eq!(refused.code(), lambda_kit::Code::BadCursor);
        assert!(bucket.asked().is_empty());
        let refused = list(&wire().app(), get("")).await.unwrap_err();
        assert_eq!(refused.code(), lambda_kit::Code::Unavailable);
    }

    #[tokio::test]
    async fn a_list_of_runs_files_is_one_read_of_the_table_and_one_of_the_bucket() {
        let (wire, bucket) = (wire(), bucket(&[format!("{ID}/report.md")]));
        let page = page(&wire, &bucket, "").await;
        assert_eq!(page["session_id"], ID);
        assert_eq!(page["next_cursor"], Value::Null);
        let mut artifact = page["artifacts"][0].clone();
        let url = artifact["url"].take();
        let expected = json!({
            "name": "report.md", "run_id": ID, "content_type": "text/markdown; charset=utf-8",
            "size": 7, "created_at": "2026-09-21T14:13:34.000000Z", "url": null,
        });
        assert_eq!(artifact, expected);
        assert!(url.as_str().unwrap().contains("X-Amz-Expires=900"), "{url}");
        assert_eq!(wire.asked(), ["Query"]);
        let asked = bucket.asked();
        assert!(
            asked.len() == 1 && asked[0].starts_with("GET "),
            "{asked:?}"
        );
    }

    #[tokio::test]
    async fn each_upload_is_asked_for_its_type() {
        let bucket = bucket(&[format!("{ID}/a.md"), "uploads/b".into(), "uploads/c".into()]);
        let page = page(&wire(), &bucket, "").await;
        let upload = &page["artifacts"][2];
        assert_eq!(
            (&upload["run_id"], &upload["content_type"]),
            (&Value::Null, &json!("image/png"))
        );
        let heads = bucket
            .asked()
            .iter()
            .filter(|asked| asked.starts_with("HEAD "))
            .count();
        assert_eq!((heads, bucket.asked().len()), (2, 3));
    }

    #[tokio::test]
    async fn a_page_asks_for_the_types_of_few_uploads() {
        let runs = (0..20).map(|n| format!("{ID}/{n:04}.md"));
        let uploads = (0..200).map(|n| format!("uploads/{n:04}"));
        let bucket = bucket(&runs.chain(uploads).collect::<Vec<_>>());
        let page = page(&wire(), &bucket, "limit=1000").await;
        assert_eq!(page["artifacts"].as_array().unwrap().len(), 20 + UPLOADS);
        assert_eq!(bucket.asked().len(), 1 + UPLOADS);
        let cursor = cursor::read(ID.parse().unwrap(), page["next_cursor"].as_str().unwrap());
        assert_eq!(cursor.unwrap().name().as_str(), "0049");
    }

    #[tokio::test]
    async fn a_page_ends_at_a_mebibyte_and_says_where_the_next_begins() {
        let files: Vec<_> = (0..1_000)
            .map(|n| format!("{ID}/{n:04}{}", "é".repeat(250)))
            .collect();
        let page = page(&wire(), &bucket(&files), "limit=1000").await;
        let artifacts = page["artifacts"].as_array().unwrap();
        assert!(page.to_string().len() < PAGE_BYTES);
        assert!(
            (100..1_000).contains(&artifacts.len()),
            "{}",
            artifacts.len()
        );
        let cursor = cursor::read(ID.parse().unwrap(), page["next_cursor"].as_str().unwrap());
        assert_eq!(
            cursor.unwrap().name().as_str(),
            artifacts.last().unwrap()["name"]
        );
    }
}
