//! The files of a run as a client finds them: the list, a node's part of it, their texts and their
//! downloads; and what a deployment says about its models.
//!
//! Another owner's files are tested with tokens, in `own_stack`.

use documents::ArtifactKey;
use serde_json::{Map, Value, json};
use tests::files::{ask_for_download, download_by_path, escaped, upload};
use tests::model::model;
use tests::pdf;
use tests::rest::{Reply, create, create_with, delete, get, post, record, start, until_status};
use tests::stack::shared_workers;
use uuid::Uuid;

use crate::files::files;

async fn listed(run: &str) -> Vec<Value> {
    let mut list = get(&format!("/api/runs/{run}/files")).await.ok();
    assert_eq!(
        (&list["run_id"], &list["truncated"]),
        (&json!(run), &json!(false))
    );
    match list["files"].take() {
        Value::Array(files) => files,
        other => panic!("no list: {other}"),
    }
}

fn names(files: &[Value]) -> Vec<&str> {
    let names = files.iter().map(|file| file["file_name"].as_str());
    names.map(Option::unwrap).collect()
}

async fn content(path: &str) -> Reply {
    get(&format!("/api/files/content?path={}", escaped(path))).await
}

/// Asserts that neither route knows a file of this path.
async fn assert_not_found(path: &str) {
    assert_eq!(
        content(path).await.problem(),
        (404, "file_not_found"),
        "{path:?}"
    );
    let reply = ask_for_download(path).await;
    assert_eq!(reply.status(), 404, "{path:?}");
    let body: Value = reply.json().await.unwrap();
    assert_eq!(body["code"], "file_not_found", "{path:?}");
}

/// A session with a completed run of one agent, and its run.
async fn completed(agent: &str, task: &str) -> (String, String) {
    model();
    let session = create_with("one-shot", &json!({"agent": agent})).await;
    let run = start(&session, task).await;
    until_status(&session, "completed").await;
    (session, run)
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_runs_answer_and_artifacts_are_listed_read_and_downloaded() {
    let _calm = shared_workers().await;
    let (session, run) = completed("engineer", "Count the tides.").await;
    let files = listed(&run).await;
    assert_eq!(names(&files), ["answer.md", "execute_count.py"]);
    let record = record(&session).await;
    let said = record
        .iter()
        .find(|event| event["event_type"] == "agent_message");
    let (seq, message) = (&said.unwrap()["seq"], &said.unwrap()["data"]["message"]);
    for file in &files {
        assert_eq!(
            file["file_path"],
            format!("{session}/{run}/{}", file["file_name"].as_str().unwrap())
        );
        assert_eq!(
            (&file["node_id"], &file["step_id"], &file["agent_name"]),
            (&json!("execute"), &json!("execute"), &json!("engineer"))
        );
        assert_eq!(file["event_id"], seq.to_string());
    }
    let [answer, program] = &files[..] else {
        panic!("{files:?}")
    };
    let of_node = get(&format!("/api/nodes/execute/files?run_id={run}"))
        .await
        .ok();
    assert_eq!(
        (&of_node["node_id"], &of_node["files"]),
        (&json!("execute"), &json!(files))
    );
    let none = get(&format!("/api/nodes/init/files?run_id={run}"))
        .await
        .ok();
    assert_eq!(none["files"], json!([]));

    let path = program["file_path"].as_str().unwrap();
    assert_eq!(
        content(path).await.ok(),
        json!({
            "path": path, "content": "print(42)\n", "content_type": "text/plain; charset=utf-8",
            "size": 10, "truncated": false,
        })
    );
    assert_eq!(program["size_bytes"], 10);
    assert_eq!(download_by_path(path).await, b"print(42)\n");

    let path = answer["file_path"].as_str().unwrap();
    let text = content(path).await.ok();
    let expected = format!(
        "{}\n\nFile: `execute_count.py`\n",
        message.as_str().unwrap()
    );
    assert_eq!(
        (&text["content"], &text["truncated"]),
        (&json!(expected), &json!(false))
    );
    assert_eq!(text["size"], answer["size_bytes"]);
    let reply = ask_for_download(path).await;
    assert_eq!(reply.status(), 200);
    let header = |name: &str| reply.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "text/markdown; charset=utf-8");
    assert_eq!(
        header("content-disposition"),
        "attachment; filename=\"answer.md\""
    );
    assert_eq!(reply.text().await.unwrap(), expected);
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn the_steps_of_a_plan_have_their_own_files() {
    model();
    let _calm = shared_workers().await;
    let session = create("planning-control").await;
    let long = "[[long=40000 at=step_1]]";
    let run = start(&session, &format!("Measure the tides. [[steps=2]] {long}")).await;
    assert_eq!(
        names(&listed(&run).await),
        [""; 0],
        "an unfinished run has no answer"
    );
    until_status(&session, "completed").await;
    let files = listed(&run).await;
    let nodes: Vec<_> = files
        .iter()
        .map(|file| file["node_id"].as_str().unwrap())
        .collect();
    assert_eq!(nodes, ["step_2", "step_1"], "{files:?}");
    assert_eq!(files[0]["file_name"], "answer.md");
    let first = get(&format!("/api/nodes/step_1/files?run_id={run}"))
        .await
        .ok();
    assert_eq!(first["files"], json!([files[1]]));
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn an_artifact_named_answer_takes_the_place_of_the_answer() {
    let _calm = shared_workers().await;
    let (session, run) = completed("researcher", "Explain the tides.").await;
    assert_eq!(names(&listed(&run).await), ["answer.md"]);
    let key = ArtifactKey::Run(run.parse().unwrap(), "answer.md".parse().unwrap());
    files(&session).await.put(&key, "its own").await.unwrap();
    let files = listed(&run).await;
    assert_eq!((files.len(), &files[0]["size_bytes"]), (1, &json!(7)));
    let path = files[0]["file_path"].as_str().unwrap();
    assert_eq!(content(path).await.ok()["content"], "its own");
    assert_eq!(download_by_path(path).await, b"its own");
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_long_text_is_cut_and_what_is_no_text_is_only_downloaded() {
    let id = create("ocr").await;
    // The limit is in the middle of a character.
    let long = format!("a{}", "é".repeat(600 * 1024));
    upload(
        &id,
        "long & gut.txt",
        "text/plain; charset=utf-8",
        long.as_bytes(),
    )
    .await;
    let path = format!("{id}/uploads/long & gut.txt");
    let read = content(&path).await.ok();
    let text = read["content"].as_str().unwrap();
    assert_eq!(text.len(), 1024 * 1024 - 1);
    assert!(long.starts_with(text));
    assert_eq!(
        (&read["size"], &read["truncated"]),
        (&json!(long.len()), &json!(true))
    );
    assert_eq!(read["content_type"], "text/plain; charset=utf-8");
    assert_eq!(download_by_path(&path).await, long.as_bytes());

    let tides = pdf::of(&["The tides.".to_owned()]);
    for (name, content_type, bytes) in [
        ("tides.pdf", "application/pdf", tides.as_slice()),
        ("photo", "application/octet-stream", b"\xff\xd8\xff\xe0\0"),
        (
            "cut.txt",
            "text/plain",
            "é".as_bytes().split_last().unwrap().1,
        ),
    ] {
        upload(&id, name, content_type, bytes).await;
        let path = format!("{id}/uploads/{name}");
        assert_eq!(content(&path).await.problem(), (415, "not_text"), "{name}");
        assert_eq!(download_by_path(&path).await, bytes, "{name}");
    }
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn an_empty_text_is_shown_as_one() {
    let id = create("ocr").await;
    let run = Uuid::now_v7();
    let key = ArtifactKey::Run(
        run.to_string().parse().unwrap(),
        "empty.md".parse().unwrap(),
    );
    files(&id).await.put(&key, "").await.unwrap();
    let read = content(&format!("{id}/{run}/empty.md")).await.ok();
    assert_eq!(
        (&read["content"], &read["size"], &read["truncated"]),
        (&json!(""), &json!(0), &json!(false))
    );
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn no_path_reaches_anything_but_a_file_of_the_callers_sessions() {
    let _calm = shared_workers().await;
    let (session, run) = completed("engineer", "Count the tides.").await;
    let draft = ArtifactKey::Draft(run.parse().unwrap(), "page_1.json".parse().unwrap());
    let folder = files(&session).await;
    folder.put(&draft, "{}").await.unwrap();
    let other = create("ocr").await;
    let unknown = Uuid::now_v7();
    let owner = session::OwnerId::of("local", "local");
    for path in [
        String::new(),
        "/".into(),
        "..".into(),
        "/etc/passwd".into(),
        "file:///etc/passwd".into(),
        "answer.md".into(),
        session.clone(),
        format!("{session}/"),
        format!("{session}/{run}"),
        format!("{session}/{run}/"),
        format!("{session}/{run}/none.md"),
        format!("{session}/{unknown}/answer.md"),
        format!("{unknown}/{run}/answer.md"),
        format!("{unknown}/{run}/execute_count.py"),
        // A run, and a file, of another session.
        format!("{other}/{run}/answer.md"),
        format!("{other}/{run}/execute_count.py"),
        format!("{session}/uploads/execute_count.py"),
        format!("{session}/uploads/answer.md"),
        format!("{session}/drafts/{run}/page_1.json"),
        format!("{session}/uploads/../drafts/{run}/page_1.json"),
        format!("{session}/uploads/..%2Fdrafts%2F{run}%2Fpage_1.json"),
        format!("{session}/uploads%2F..%2F{run}/execute_count.py"),
        format!("{session}/{run}/../{run}/execute_count.py"),
        format!("{session}/{run}/./execute_count.py"),
        format!("{session}//{run}/execute_count.py"),
        format!("/{session}/{run}/execute_count.py"),
        format!("{session}/{run}/execute_count.py/"),
        format!("{session}/{run}/execute_count.py\0"),
        format!("{session}/{run}/execute_count.py?versionId=1"),
        format!("{session}\\{run}\\execute_count.py"),
        format!("{session}/{run}/%65xecute_count.py"),
        format!("{}/{run}/execute_count.py", session.to_uppercase()),
        format!("{owner}/{session}/{run}/execute_count.py"),
        format!("../{owner}/{session}/{run}/execute_count.py"),
    ] {
        assert_not_found(&path).await;
    }
    let known = format!("{session}/{run}/execute_count.py");
    assert_eq!(content(&known).await.ok()["content"], "print(42)\n");
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn what_a_read_of_files_needs_is_named() {
    for path in [
        "/api/files/content",
        "/api/files/download",
        "/api/nodes/execute/files",
    ] {
        assert_eq!(get(path).await.problem(), (422, "invalid_query"), "{path}");
    }
    let unknown = Uuid::now_v7();
    for path in [
        format!("/api/runs/{unknown}/files"),
        "/api/runs/x/files".to_owned(),
        format!("/api/nodes/execute/files?run_id={unknown}"),
    ] {
        assert_eq!(get(&path).await.problem(), (404, "run_not_found"), "{path}");
    }
    let refused = get("/api/nodes/execute/files?run_id=x").await;
    assert_eq!(refused.problem(), (422, "invalid_query"));
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn the_files_of_a_deleted_session_are_gone_at_once() {
    let _calm = shared_workers().await;
    let (session, run) = completed("engineer", "Count the tides.").await;
    upload(&session, "a.txt", "text/plain", b"1").await;
    delete(&format!("/api/sessions/{session}")).await.ok();
    for name in [
        format!("{run}/answer.md"),
        format!("{run}/execute_count.py"),
        "uploads/a.txt".to_owned(),
    ] {
        assert_not_found(&format!("{session}/{name}")).await;
    }
    let list = get(&format!("/api/runs/{run}/files")).await;
    assert_eq!(list.problem(), (404, "run_not_found"));
    let list = get(&format!("/api/nodes/execute/files?run_id={run}")).await;
    assert_eq!(list.problem(), (404, "run_not_found"));
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn every_listed_model_is_accepted_by_a_new_session() {
    let config = get("/api/models/config").await.ok();
    assert_eq!(
        config["global_defaults"],
        json!({"model": "scripted", "provider": "openai"})
    );
    let available = config["available_models"].as_array().unwrap();
    assert_eq!(
        available[0],
        json!({"value": "scripted", "label": "scripted (openai)"})
    );
    let defaults = config["workflow_defaults"].as_object().unwrap();
    assert_eq!(defaults.len(), 8);
    for choice in available {
        for (mode, keys) in defaults {
            let keys = keys.as_object().unwrap().keys();
            let of_keys: Map<String, Value> = keys
                .map(|key| (key.clone(), choice["value"].clone()))
                .collect();
            let body = json!({"mode": mode, "config": of_keys});
            post("/api/sessions", &body).await.ok();
        }
    }
    let foreign = json!({"mode": "one-shot", "config": {"model": "bedrock/amazon.nova-pro-v1:0"}});
    let refused = post("/api/sessions", &foreign).await;
    assert_eq!(refused.problem(), (422, "invalid_config"));
    assert!(
        available
            .iter()
            .all(|choice| !choice["value"].as_str().unwrap().starts_with("bedrock/"))
    );
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn the_status_of_the_providers_says_that_tasks_can_be_started() {
    let told = get("/api/credentials/status").await.ok();
    assert_eq!(told["results"]["openai"]["status"], "valid");
    assert_eq!(told["results"]["anthropic"]["status"], "not_configured");
    let results = told["results"].as_object().unwrap();
    let valid = results
        .values()
        .filter(|one| one["status"] == "valid")
        .count();
    assert_eq!(told["summary"]["total"], results.len());
    assert_eq!(told["summary"]["valid"], valid);
    assert_eq!(told["summary"]["not_configured"], results.len() - valid);
}
