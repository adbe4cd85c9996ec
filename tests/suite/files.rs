//! Files, uploaded to the bucket and downloaded through the links of the API, as by a client.
//!
//! MiniStack verifies the signatures of links as S3 does.

use documents::{ArtifactKey, DocumentSettings, SessionFiles};
use futures::future::join_all;
use lambda_kit::Aws;
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};
use session::OwnerId;
use tests::files::{artifacts, send, text, upload};
use tests::model::model;
use tests::rest::{call, create, delete, get, newest_run, post, record, start, until_status};
use tests::stack::{eventually, shared_workers, stack};
use uuid::Uuid;

fn uploads(session: &str) -> String {
    format!("/api/sessions/{session}/uploads")
}

fn listing(session: &str) -> String {
    format!("/api/sessions/{session}/artifacts")
}

async fn fetch(artifact: &Value) -> Response {
    let url = artifact["url"].as_str().unwrap();
    Client::new().get(url).send().await.unwrap()
}

/// The session's files from the executor's view.
pub async fn files(session: &str) -> SessionFiles {
    let bucket = stack().get("BUCKET_NAME").to_owned();
    let get = |name: &str| (name == "BUCKET_NAME").then(|| bucket.clone());
    let settings = DocumentSettings::read(get).unwrap();
    let artifacts = settings.artifacts(Aws::from_env().await.shared()).unwrap();
    artifacts.of(&OwnerId::of("local", "local"), session.parse().unwrap())
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn an_uploaded_file_is_listed_and_downloaded_unchanged() {
    let id = create("ocr").await;
    assert!(artifacts(&id).await.is_empty());
    let name = "Gezeiten \"2026\" & mehr?.pdf";
    let link = upload(&id, name, "application/pdf", b"%PDF-1.7 tides").await;
    assert_eq!(link["artifact"], name);
    assert_eq!(
        link["headers"],
        json!({
            "content-length": "14", "content-type": "application/pdf", "if-none-match": "*",
        })
    );

    let listed = artifacts(&id).await;
    let file = &listed[0];
    assert_eq!(
        (listed.len(), &file["name"], &file["run_id"]),
        (1, &json!(name), &Value::Null)
    );
    assert_eq!(
        (&file["content_type"], &file["size"]),
        (&json!("application/pdf"), &json!(14))
    );
    let reply = fetch(file).await;
    assert_eq!(reply.status(), 200);
    let header = |name: &str| reply.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "application/pdf");
    assert_eq!(
        header("content-disposition"),
        "attachment; filename*=UTF-8''Gezeiten%20%222026%22%20%26%20mehr%3F.pdf"
    );
    assert_eq!(reply.bytes().await.unwrap(), "%PDF-1.7 tides");
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn an_upload_replaces_a_file_and_a_link_alone_creates_none() {
    let id = create("ocr").await;
    upload(&id, "a.txt", "text/plain", b"first").await;
    let promised = json!({"name": "b.txt", "content_type": "text/plain", "size": 1});
    post(&uploads(&id), &promised).await.ok();
    let replacing = json!({"name": "a.txt", "content_type": "text/plain", "size": 5});
    let outdated = post(&uploads(&id), &replacing).await.ok();
    upload(&id, "a.txt", "text/markdown", b"second one").await;
    let late = send(&outdated, b"third").await;
    assert_eq!(late.status(), 412, "another upload came first");
    let listed = artifacts(&id).await;
    assert_eq!((listed.len(), &listed[0]["size"]), (1, &json!(10)));
    assert_eq!(listed[0]["content_type"], "text/markdown");
    assert_eq!(fetch(&listed[0]).await.bytes().await.unwrap(), "second one");
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_file_of_an_undeclared_length_or_type_is_refused() {
    let id = create("ocr").await;
    let promised = json!({"name": "a.txt", "content_type": "text/plain", "size": 5});
    let link = post(&uploads(&id), &promised).await.ok();
    let url = link["url"].as_str().unwrap();
    let elsewhere = url.replace("/uploads/a.txt?", "/uploads/b.txt?");
    assert_ne!(elsewhere, url);
    for (url, content_type, content, status) in [
        (url, "text/plain", "longer than promised", 403),
        (url, "text/plain", "less", 403),
        (url, "text/html", "<br/>", 403),
        (&elsewhere, "text/plain", "tides", 403),
        (url, "text/plain", "tides", 200),
    ] {
        assert_eq!(artifacts(&id).await.len(), 0, "{content}");
        let request = Client::new().put(url).header("content-type", content_type);
        let request = request.header("if-none-match", "*");
        let reply = request.body(content).send().await.unwrap();
        assert_eq!(reply.status(), status, "{content}");
    }
    assert_eq!(artifacts(&id).await.len(), 1);
    // A link is for one upload, and one without its condition is not the one that was signed.
    for (condition, status) in [(Some("*"), 412), (None, 403)] {
        let again = Client::new().put(url).header("content-type", "text/plain");
        let again = match condition {
            Some(condition) => again.header("if-none-match", condition),
            None => again,
        };
        let again = again.body("other").send().await.unwrap();
        assert_eq!(again.status(), status, "{condition:?}");
    }
    let url = artifacts(&id).await[0]["url"].as_str().unwrap().to_owned();
    let removed = Client::new().delete(&url).send().await.unwrap();
    assert_eq!(removed.status(), 403, "a link is good for one method");
    assert_eq!(artifacts(&id).await.len(), 1);
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn the_artifacts_of_a_run_are_listed_and_its_drafts_are_not() {
    model();
    let _calm = shared_workers().await;
    let id = create("one-shot").await;
    start(&id, &format!("Tides. {}", "x".repeat(40 * 1024))).await;
    until_status(&id, "completed").await;
    let run = newest_run(&id).await["id"].as_str().unwrap().to_owned();
    let draft = ArtifactKey::Draft(run.parse().unwrap(), "page_1.json".parse().unwrap());
    files(&id).await.put(&draft, "{}").await.unwrap();
    upload(&id, "a.txt", "text/plain", b"1").await;

    let listed = artifacts(&id).await;
    let named: Vec<_> = listed
        .iter()
        .map(|file| (&file["name"], &file["run_id"]))
        .collect();
    assert_eq!(
        named,
        [
            (&json!("task.txt"), &json!(run)),
            (&json!("a.txt"), &Value::Null)
        ]
    );
    assert_eq!(listed[0]["content_type"], "text/plain; charset=utf-8");
    assert_eq!(
        fetch(&listed[0]).await.text().await.unwrap().len(),
        40 * 1024 + 7
    );
    // The record must not contain links: they expire, and until then they give access to all
    // readers of the record.
    let record = record(&id).await;
    let result = record
        .iter()
        .find(|event| event["event_type"] == "result")
        .unwrap();
    for file in result["data"]["artifacts"].as_array().unwrap() {
        assert_eq!(file["url"], Value::Null);
    }
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_long_task_is_stored_only_for_a_run_that_begins() {
    model();
    let _calm = shared_workers().await;
    let id = create("planning-control").await;
    let owner = OwnerId::of("local", "local");
    let stored = async || stack().object_versions(&format!("{owner}/{id}/")).await;
    let runs = format!("/api/sessions/{id}/runs");
    let body =
        json!({"task": format!("[[steps=1]] [[slow=1500]] {}", "x".repeat(40 * 1024))}).to_string();
    let begin = |key: &'static str| {
        let headers = [("idempotency-key", key)];
        let (runs, body) = (&runs, &body);
        async move { call(Method::POST, runs, Some(body), &headers).await }
    };

    // Five at the same time: one begins, and the others leave nothing behind.
    let replies = join_all(["a", "b", "c", "d", "e"].map(begin)).await;
    let statuses: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
    let begun = replies
        .iter()
        .position(|reply| reply.status == 202)
        .unwrap();
    assert_eq!(
        statuses.iter().filter(|status| **status == 409).count(),
        4,
        "{statuses:?}"
    );
    let run = &replies[begun].body["id"];
    let listed = artifacts(&id).await;
    let named: Vec<_> = listed
        .iter()
        .map(|file| (&file["name"], &file["run_id"]))
        .collect();
    assert_eq!(named, [(&json!("task.txt"), run)]);

    // While it is live, others are refused, and its own request gives the same run again.
    let before = stored().await;
    for key in ["f", "g", "h", "i", "j"] {
        assert_eq!(begin(key).await.problem(), (409, "run_unfinished"));
    }
    let own = ["a", "b", "c", "d", "e"][begun];
    for _ in 0..5 {
        assert_eq!(&begin(own).await.ok()["id"], run);
    }
    assert_eq!(
        stored().await,
        before,
        "nothing was written, not even for a moment"
    );
    until_status(&id, "completed").await;
    // Also after its end, when another run could begin.
    assert_eq!(&begin(own).await.ok()["id"], run);
    assert_eq!(stored().await, before);
    assert_eq!(artifacts(&id).await.len(), listed.len());
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn the_list_is_paged_by_a_cursor_of_its_own_session() {
    let (id, other) = (create("ocr").await, create("ocr").await);
    for name in ["a", "b", "c"] {
        upload(&id, name, "text/plain", b"1").await;
    }
    let (mut names, mut cursors, mut query) = (vec![], vec![], "?limit=1".to_owned());
    loop {
        let page = get(&format!("{}{query}", listing(&id))).await.ok();
        names.push(page["artifacts"][0]["name"].as_str().unwrap().to_owned());
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        query = format!("?limit=1&cursor={cursor}");
        cursors.push(cursor.to_owned());
    }
    assert_eq!(names, ["a", "b", "c"]);
    let foreign = get(&format!("{}?cursor={}", listing(&other), cursors[0])).await;
    assert_eq!(foreign.problem(), (400, "bad_cursor"));
    let refused = get(&format!("{}?limit=1001", listing(&id))).await;
    assert_eq!(refused.problem(), (422, "invalid_query"));
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn an_invalid_declaration_gets_no_link() {
    let id = create("ocr").await;
    let with = |field: &str, value: Value| {
        let mut body = json!({"name": "a.pdf", "content_type": "application/pdf", "size": 1});
        body[field] = value;
        body
    };
    let long = "x".repeat(256);
    for name in [
        "",
        ".",
        "..",
        "../a",
        "a/b",
        "a\\b",
        "a\u{0}b",
        "a\nb",
        " lead.pdf",
        "a\u{202e}fdp.exe",
        &long,
    ] {
        let refused = post(&uploads(&id), &with("name", json!(name))).await;
        assert_eq!(refused.problem(), (422, "invalid_field"), "{name:?}");
    }
    for (field, value) in [
        ("size", json!(0)),
        ("size", json!(-1)),
        ("size", json!("1")),
        ("content_type", json!("pdf")),
        ("content_type", json!("a/b\r\nx-amz-acl: public-read")),
        ("content_type", Value::Null),
    ] {
        let refused = post(&uploads(&id), &with(field, value)).await;
        assert_eq!(refused.problem(), (422, "invalid_field"), "{field}");
    }
    let refused = post(&uploads(&id), &with("size", json!(100 * 1024 * 1024 + 1))).await;
    assert_eq!(refused.problem(), (413, "too_large"));
    let missing = Uuid::now_v7().to_string();
    let refused = post(&uploads(&missing), &with("size", json!(1))).await;
    assert_eq!(refused.problem(), (404, "session_not_found"));
    let refused = get(&listing(&missing)).await;
    assert_eq!(refused.problem(), (404, "session_not_found"));
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn files_and_links_of_a_deleted_session_are_gone() {
    let _calm = shared_workers().await;
    let id = create("ocr").await;
    upload(&id, "a.txt", "text/plain", b"1").await;
    let run = Uuid::now_v7().to_string();
    let draft = ArtifactKey::Draft(run.parse().unwrap(), "page_1.json".parse().unwrap());
    let files = files(&id).await;
    files.put(&draft, "{}").await.unwrap();
    let listed = artifacts(&id).await;
    delete(&format!("/api/sessions/{id}")).await.ok();
    assert_eq!(
        get(&listing(&id)).await.problem(),
        (404, "session_not_found")
    );
    eventually("the purge", || async {
        stack().sweep().await;
        (fetch(&listed[0]).await.status() == 404).then_some(())
    })
    .await;
    assert!(files.find(&draft, 10).await.unwrap().is_none());
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_long_answer_becomes_a_file_and_a_truncated_message() {
    model();
    let _calm = shared_workers().await;
    let id = create("one-shot").await;
    start(&id, "[[long=1000000]]").await;
    until_status(&id, "completed").await;
    let events = record(&id).await;
    let bytes = |event: &Value| event.to_string().len();
    assert!(events.iter().map(bytes).max() < Some(64 * 1024));
    let said = events
        .iter()
        .find(|event| event["event_type"] == "agent_message")
        .unwrap();
    let (message, name) = (&said["data"]["message"], &said["data"]["artifact"]);
    let (message, name) = (message.as_str().unwrap(), name.as_str().unwrap());
    assert!(message.len() <= 32 * 1024);
    let whole = text(&id, name).await;
    assert!(whole.len() >= 1_000_000 && whole.starts_with(message));
}
