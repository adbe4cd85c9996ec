//! Documents of clients: read page by page, refused with a reason if they are invalid, and
//! restricted to their owner.

use serde_json::{Value, json};
use tests::files::{names, text, upload};
use tests::rest::{count, create, create_with, newest_run, record, start, types, until_status};
use tests::stack::{eventually, exclusive_workers, root, shared_workers, stack};
use tests::ws::connect;
use uuid::Uuid;

use super::lines;

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(root().join("shared/documents/tests/fixtures").join(name)).unwrap()
}

/// A session with an uploaded document.
async fn with_document(name: &str, bytes: Vec<u8>, config: Value) -> String {
    let mut config = config;
    config["document"] = json!(name);
    let id = create_with("ocr", &config).await;
    upload(&id, name, "application/pdf", bytes).await;
    id
}

/// The failure of a run of this session.
async fn failure_of(session: &str) -> (String, String) {
    start(session, "Read it.").await;
    let detail = until_status(session, "suspended").await;
    assert_eq!(
        (&detail["suspend_reason"], &detail["current_phase"]),
        (&json!("run_failed"), &json!("failed"))
    );
    let events = record(session).await;
    for (kind, times) in [
        ("workflow_failed", 1),
        ("error", 1),
        ("result", 0),
        ("complete", 0),
    ] {
        assert_eq!(count(&events, kind), times, "{kind}");
    }
    assert_eq!(newest_run(session).await["status"], "failed");
    let error = &events.last().unwrap()["data"];
    assert_eq!(detail["error"], error["message"]);
    (
        error["code"].as_str().unwrap().into(),
        error["message"].as_str().unwrap().into(),
    )
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_text_layer_and_a_scan_become_the_requested_artifacts() {
    let _calm = shared_workers().await;
    let id = with_document("tides.pdf", fixture("tides.pdf"), json!({"saveText": true})).await;
    start(&id, "Read it.").await;
    let detail = until_status(&id, "completed").await;
    assert_eq!(detail["current_step"], Value::Null);
    let mut files = names(&id).await;
    files.sort();
    assert_eq!(files, ["tides.json", "tides.md", "tides.pdf", "tides.txt"]);

    let pages: Value = serde_json::from_str(&text(&id, "tides.json").await).unwrap();
    let sources = [&pages["pages"][0]["source"], &pages["pages"][1]["source"]];
    assert_eq!(sources, [&json!("text_layer"), &json!("tesseract")]);
    let told = text(&id, "tides.txt").await;
    let words: Vec<&str> = told.split_whitespace().collect();
    let original = String::from_utf8(fixture("tides.txt")).unwrap();
    let original: Vec<&str> = original.split_whitespace().collect();
    let found = original.iter().filter(|word| words.contains(word)).count();
    assert!(
        found * 100 >= original.len() * 95,
        "{found} of {} words",
        original.len()
    );
    // Two columns: the whole left one comes before the right one.
    let at = |part: &str| {
        words
            .join(" ")
            .find(part)
            .unwrap_or_else(|| panic!("no {part}"))
    };
    assert!(
        at("Sailors knew") < at("The Sun does the same")
            && at("The Sun does the same") < at("Bay of Fundy")
    );
    assert!(text(&id, "tides.md").await.contains("<!-- page 2 -->"));

    let events = record(&id).await;
    let phases: Vec<&Value> = events
        .iter()
        .filter(|event| event["event_type"] == "phase_change")
        .map(|event| &event["data"]["phase"])
        .collect();
    assert_eq!(
        phases,
        [&json!("extraction"), &json!("output")],
        "{:?}",
        types(&events)
    );
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_worker_killed_among_forty_pages_repeats_at_most_one_page() {
    let _storm = exclusive_workers().await;
    let id = with_document(
        "forty-pages.pdf",
        fixture("forty-pages.pdf"),
        json!({"saveMarkdown": false}),
    )
    .await;
    start(&id, "Read it.").await;
    // The table is read directly: a request may wait for a function, and all pages take a second.
    eventually("some pages are read", || async {
        (stack().items(&id).await.len() >= 12).then_some(())
    })
    .await;
    assert!(
        stack().kill_document_executors() > 0,
        "there must be a worker to kill"
    );
    let killed_at = lines(&record(&id).await).len();
    assert!(killed_at < 40, "it was killed in the middle: {killed_at}");
    until_status(&id, "completed").await;
    let events = record(&id).await;
    for page in 1..=40 {
        let begins = format!("Page {page} of 40 ");
        let told = lines(&events)
            .iter()
            .filter(|line| line.starts_with(&begins))
            .count();
        assert_eq!(told, 1, "page {page}");
    }
    assert_eq!(
        count(&events, "slice_started"),
        1,
        "a second worker took over"
    );
    let pages: Value = serde_json::from_str(&text(&id, "forty-pages.json").await).unwrap();
    assert_eq!((&pages["read"], &pages["failed"]), (&json!(40), &json!(0)));
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_damaged_page_is_named_and_what_is_read_of_it_is_marked() {
    let _calm = shared_workers().await;
    let torn = fixture("cases/dmg-content-half.pdf");
    let id = with_document("torn.pdf", torn, json!({"saveText": true})).await;
    start(&id, "Read it.").await;
    until_status(&id, "completed").await;
    let damage = "the page is damaged: its content breaks off";
    let pages: Value = serde_json::from_str(&text(&id, "torn.json").await).unwrap();
    let counts = [&pages["read"], &pages["partial"], &pages["failed"]];
    assert_eq!(counts, [&json!(0), &json!(1), &json!(0)]);
    let page = &pages["pages"][0];
    assert_eq!(page["error"], damage);
    let told = page["text"].as_str().unwrap();
    assert_eq!(told.lines().count(), 13, "{told}");
    for artifact in ["torn.md", "torn.txt"] {
        let told = text(&id, artifact).await;
        let mark = format!("Page 1 is read in part: {damage}.");
        assert!(told.contains(&mark), "{artifact}: {told}");
    }
    let line = format!("Page 1 of 1 is read in part: {damage}.");
    assert!(lines(&record(&id).await).contains(&line.as_str()));
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_file_that_is_no_document_is_refused_with_the_reason() {
    let _calm = shared_workers().await;
    let whole = fixture("forty-pages.pdf");
    for (name, bytes, code) in [
        (
            "half.pdf",
            whole[..whole.len() / 2].to_vec(),
            "document_truncated",
        ),
        (
            "archive.pdf",
            b"PK\x03\x04 and so on".to_vec(),
            "document_misnamed",
        ),
        (
            "notes",
            b"only some words".to_vec(),
            "document_unknown_kind",
        ),
    ] {
        let id = with_document(name, bytes, json!({})).await;
        let (told, sentence) = failure_of(&id).await;
        assert_eq!(told, code, "{name}: {sentence}");
        assert_eq!(names(&id).await, [name], "the upload must be the only file");
    }
    let id = create_with("ocr", &json!({"document": "never.pdf"})).await;
    let (code, sentence) = failure_of(&id).await;
    assert_eq!(code, "document_not_found");
    assert!(sentence.contains("never.pdf"), "{sentence}");
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_first_frame_reads_a_document_of_another_session_of_the_caller() {
    let _calm = shared_workers().await;
    let elsewhere = create("one-shot").await;
    upload(
        &elsewhere,
        "tides.pdf",
        "application/pdf",
        fixture("tides.pdf"),
    )
    .await;
    let mut client = connect(&Uuid::now_v7().to_string()).await;
    let config = json!({"mode": "ocr", "document": format!("{elsewhere}/tides.pdf")});
    let status = client.start("Read it.", config).await;
    client.until("complete").await;
    let id = status["session_id"].as_str().unwrap();
    let mut files = names(id).await;
    files.sort();
    assert_eq!(files, ["tides.json", "tides.md"]);
}
