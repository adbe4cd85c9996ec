//! The routes from the view of a client that follows the contract.

use std::process::Command;

use serde_json::{Value, json};
use tests::model::model;
use tests::rest::{
    call, create, delete, detail, get, post, post_empty, record, start, types, until_status,
};
use tests::stack::{eventually, shared_workers, stack};
use uuid::Uuid;

#[test]
#[ignore = "needs the local stack: make test"]
fn the_curl_commands_of_the_requirements_succeed() {
    let seed = [
        ("curl http://localhost:8000/api/sessions", "sessions"),
        (
            "curl http://localhost:8000/api/sessions?mode=planning-control",
            "sessions",
        ),
        (
            "curl http://localhost:8000/api/sessions?status=suspended",
            "sessions",
        ),
        (
            "curl http://localhost:8000/api/sessions?mode=copilot&status=active&limit=20",
            "sessions",
        ),
        (
            "curl http://localhost:8000/api/sessions/modes/list",
            "modes",
        ),
    ];
    for (line, field) in seed {
        let line = line.replace("http://localhost:8000", stack().get("HTTP_URL"));
        // Without quotes, as a person types it: the shell ends the command at an `&`.
        let output = Command::new("bash")
            .args(["-c", &format!("{line}; wait")])
            .output()
            .unwrap();
        let body: Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{line}: {output:?}"));
        assert!(
            body[field].is_array() && body["total"].is_u64(),
            "{line}: {body}"
        );
    }
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn the_eight_modes_are_in_the_order_of_the_contract() {
    let body = get("/api/sessions/modes/list").await.ok();
    let ids: Vec<&str> = body["modes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|mode| mode["id"].as_str().unwrap())
        .collect();
    let expected = [
        "copilot",
        "planning-control",
        "one-shot",
        "hitl-interactive",
        "idea-generation",
        "ocr",
        "arxiv",
        "enhance-input",
    ];
    assert_eq!(
        (ids.as_slice(), &body["total"]),
        (expected.as_slice(), &json!(8))
    );
    assert_eq!(get("/api/health").await.ok(), json!({"status": "ok"}));
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_session_exists_before_the_reply_and_keeps_its_fields() {
    let config = json!({"model": "scripted", "nested": {"list": [1, 2.5, null, "ü"]}});
    let body = json!({"mode": "copilot", "config": config, "name": "Küstenfeuer", "session_id": Uuid::nil()});
    let summary = post("/api/sessions", &body).await.ok();
    assert_eq!(
        (&summary["status"], &summary["current_phase"]),
        (&json!("active"), &json!("init"))
    );
    let id = summary["session_id"].as_str().unwrap();
    assert_ne!(
        id,
        Uuid::nil().to_string(),
        "a client's own id is not taken"
    );
    let detail = detail(id).await;
    for field in [
        "session_id",
        "name",
        "mode",
        "status",
        "current_phase",
        "current_step",
        "progress",
        "last_run_status",
        "created_at",
        "updated_at",
    ] {
        assert_eq!(detail[field], summary[field], "{field}");
    }
    assert_eq!(detail["config"], config);
    assert_eq!(
        (
            &detail["active_run"],
            &detail["plan_data"],
            &detail["version"]
        ),
        (&Value::Null, &Value::Null, &json!(1))
    );
    assert_eq!(detail["conversation_history"], json!([]));
    let created = summary["created_at"].as_str().unwrap();
    assert!(created.len() == 27 && created.ends_with('Z'), "{created}");
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn suspend_and_resume_answer_each_state_as_in_the_table() {
    let id = create("copilot").await;
    let path = |verb: &str| format!("/api/sessions/{id}/{verb}");
    let action = post_empty(&path("suspend")).await.ok();
    assert_eq!(
        (&action["success"], &action["session_id"]),
        (&json!(true), &json!(id))
    );
    assert_eq!(detail(&id).await["suspend_reason"], "user_requested");
    assert_eq!(
        post_empty(&path("suspend")).await.problem(),
        (409, "session_not_active")
    );
    post(
        &path("resume"),
        &json!({"additional_context": "mind the tide"}),
    )
    .await
    .ok();
    let resumed = detail(&id).await;
    assert_eq!(
        (&resumed["status"], &resumed["suspend_reason"]),
        (&json!("active"), &Value::Null)
    );
    assert_eq!(
        resumed["conversation_history"][0]["content"],
        "mind the tide"
    );
    assert_eq!(
        post_empty(&path("resume")).await.problem(),
        (409, "session_not_suspended")
    );
    let one_shot = create("one-shot").await;
    post_empty(&format!("/api/sessions/{one_shot}/suspend"))
        .await
        .ok();
    let refused = post_empty(&format!("/api/sessions/{one_shot}/resume")).await;
    assert_eq!(refused.problem(), (409, "mode_without_resume"));
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_deleted_session_is_gone_from_every_route_and_list() {
    let id = create("idea-generation").await;
    delete(&format!("/api/sessions/{id}")).await.ok();
    for path in ["", "/history", "/events", "/runs"] {
        assert_eq!(
            get(&format!("/api/sessions/{id}{path}")).await.problem(),
            (404, "session_not_found"),
            "{path}"
        );
    }
    for path in ["/suspend", "/resume"] {
        assert_eq!(
            post_empty(&format!("/api/sessions/{id}{path}"))
                .await
                .problem(),
            (404, "session_not_found")
        );
    }
    let run = post(&format!("/api/sessions/{id}/runs"), &json!({"task": "x"})).await;
    assert_eq!(run.problem(), (404, "session_not_found"));
    assert_eq!(
        delete(&format!("/api/sessions/{id}")).await.problem(),
        (404, "session_not_found")
    );
    let listed = get("/api/sessions?mode=idea-generation&limit=200")
        .await
        .ok();
    assert!(!listed.to_string().contains(&id));
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_cursor_pages_the_list_and_is_bound_to_its_filter() {
    let mut made = Vec::new();
    for _ in 0..7 {
        made.push(create("enhance-input").await);
    }
    eventually("the index shows all", || async {
        let page = get("/api/sessions?mode=enhance-input&limit=200")
            .await
            .ok()
            .to_string();
        made.iter().all(|id| page.contains(id)).then_some(())
    })
    .await;
    let mut seen = Vec::new();
    let mut path = "/api/sessions?mode=enhance-input&limit=3".to_owned();
    let mut cursor = Value::Null;
    loop {
        let page = get(&path).await.ok();
        let sessions = page["sessions"].as_array().unwrap();
        assert_eq!(page["total"], sessions.len());
        seen.extend(
            sessions
                .iter()
                .map(|session| session["session_id"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page["next_cursor"].as_str() else {
            break;
        };
        cursor = json!(next);
        path = format!("/api/sessions?mode=enhance-input&limit=3&cursor={next}");
    }
    for id in &made {
        assert_eq!(seen.iter().filter(|seen| *seen == id).count(), 1, "{id}");
    }
    let other = get(&format!(
        "/api/sessions?limit=3&cursor={}",
        cursor.as_str().unwrap()
    ))
    .await;
    assert_eq!(other.problem(), (400, "bad_cursor"), "another filter");
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn the_same_idempotency_key_returns_the_first_answer() {
    let key = Uuid::now_v7().to_string();
    let headers = [("idempotency-key", key.as_str())];
    let body = json!({"mode": "one-shot", "name": "once"}).to_string();
    let create = |body: String| async move {
        call(
            reqwest::Method::POST,
            "/api/sessions",
            Some(&body),
            &headers,
        )
        .await
    };
    let replies = futures::future::join_all((0..4).map(|_| create(body.clone()))).await;
    let first = replies[0].body.clone();
    for reply in replies {
        assert_eq!(reply.ok(), first);
    }
    let other = create(json!({"mode": "one-shot", "name": "twice"}).to_string()).await;
    assert_eq!(other.problem(), (422, "idempotency_key_reused"));

    model();
    let _calm = shared_workers().await;
    let path = format!(
        "/api/sessions/{}/runs",
        first["session_id"].as_str().unwrap()
    );
    let task = json!({"task": "count the lighthouses"}).to_string();
    let run = || async { call(reqwest::Method::POST, &path, Some(&task), &headers).await };
    let (one, two) = (run().await, run().await);
    assert_eq!((one.status, &one.body), (202, &two.body));
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn history_and_events_page_in_both_directions_by_seq() {
    model();
    let _calm = shared_workers().await;
    let id = create("planning-control").await;
    start(&id, "measure the tides [[steps=4]]").await;
    until_status(&id, "completed").await;
    let events = record(&id).await;
    let all = get(&format!("/api/sessions/{id}/history?limit=1000"))
        .await
        .ok();
    let messages = all["messages"].as_array().unwrap();
    assert_eq!(all["total_messages"], messages.len());
    for message in messages {
        let event = &events[message["seq"].as_u64().unwrap() as usize - 1];
        assert!(["user_message", "agent_message"].contains(&event["event_type"].as_str().unwrap()));
    }
    let mut backwards = Vec::new();
    let mut before = String::new();
    loop {
        let page = get(&format!("/api/sessions/{id}/history?limit=2{before}"))
            .await
            .ok();
        let mut part = page["messages"].as_array().unwrap().clone();
        part.extend(std::mem::take(&mut backwards));
        backwards = part;
        let Some(next) = page["next_before"].as_u64() else {
            break;
        };
        before = format!("&before={next}");
    }
    assert_eq!(&backwards, messages);
    let middle = get(&format!("/api/sessions/{id}/events?after=5&limit=3"))
        .await
        .ok();
    assert_eq!(
        (middle["events"].as_array().unwrap(), &middle["next_after"]),
        (&events[5..8].to_vec(), &json!(8))
    );
    assert_eq!(middle["last_seq"], events.len());
    assert_eq!(types(&events).first(), Some(&"status"));
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn runs_are_listed_newest_first_and_counted_per_session() {
    model();
    let _calm = shared_workers().await;
    let id = create("planning-control").await;
    let first = start(&id, "[[slow=2000]]").await;
    let second = post(
        &format!("/api/sessions/{id}/runs"),
        &json!({"task": "another"}),
    )
    .await;
    assert_eq!(second.problem(), (409, "run_unfinished"));
    assert_eq!(second.body["run_id"], first);
    post_empty(&format!("/api/sessions/{id}/runs/{first}/cancel"))
        .await
        .ok();
    let again = post_empty(&format!("/api/sessions/{id}/runs/{first}/cancel")).await;
    assert_eq!(again.problem(), (409, "run_ended"));
    let next = start(&id, "another").await;
    let page = get(&format!("/api/sessions/{id}/runs?limit=1")).await.ok();
    assert_eq!(
        (&page["runs"][0]["id"], &page["total_runs"]),
        (&json!(next), &json!(2))
    );
    let cursor = page["next_cursor"].as_str().unwrap();
    let rest = get(&format!("/api/sessions/{id}/runs?limit=1&cursor={cursor}"))
        .await
        .ok();
    assert_eq!(
        (&rest["runs"][0]["id"], &rest["runs"][0]["status"]),
        (&json!(first), &json!("cancelled"))
    );
    assert_eq!(rest["next_cursor"], Value::Null);
}
