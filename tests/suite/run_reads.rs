//! What a client reads of a run by its id alone: history, graph, log, costs, events of a node.
//!
//! Another owner's run is tested with tokens, in `own_stack`.

use serde_json::{Value, json};
use tests::model::model;
use tests::rest::{create, create_with, delete, get, record, start, until_status};
use tests::stack::shared_workers;
use uuid::Uuid;

/// A run of planning-control with two steps that has ended: its session, its id, and its record.
async fn planned() -> (String, String, Vec<Value>) {
    model();
    let session = create("planning-control").await;
    let run = start(&session, "Measure the tides. [[steps=2]]").await;
    until_status(&session, "completed").await;
    let events = record(&session).await;
    let of_run = |event: &Value| event["run_id"] == run;
    let first = events.iter().position(of_run).unwrap();
    (session, run.clone(), events[first..].to_vec())
}

/// The pages of a list of events, one after another.
async fn pages(path: &str) -> Vec<Value> {
    let (mut events, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = get(&format!("{path}{cursor}")).await.ok();
        events.extend(page["events"].as_array().unwrap().iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return events,
        }
    }
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_runs_history_is_its_record() {
    let _calm = shared_workers().await;
    let (_, run, record) = planned().await;
    let path = format!("/api/runs/{run}/history");
    let whole = get(&path).await.ok();
    assert_eq!(whole["total_events"], record.len());
    let events = pages(&format!("{path}?limit=7")).await;
    assert_eq!(json!(events), whole["events"]);
    for (event, recorded) in events.iter().zip(&record) {
        assert_eq!(event["id"], recorded["seq"].to_string());
        assert_eq!(event["timestamp"], recorded["timestamp"]);
        assert_eq!(event["event_type"], recorded["event_type"]);
        assert!(
            !event["description"].as_str().unwrap().is_empty(),
            "{event}"
        );
    }
    let messages = pages(&format!("{path}?event_type=agent_message&limit=1")).await;
    let told: Vec<_> = messages
        .iter()
        .map(|message| (message["agent_name"].as_str(), message["node_id"].as_str()))
        .collect();
    let told_by = |agent, node| (Some(agent), Some(node));
    assert_eq!(
        told[..2],
        [
            told_by("planner", "planning"),
            told_by("plan_reviewer", "planning")
        ]
    );
    let last = told.last().unwrap();
    assert_eq!(*last, told_by("researcher", "step_2"));
    let said = |event: &&Value| event["event_type"] == "agent_message";
    let first = record.iter().find(said).unwrap();
    assert_eq!(messages[0]["outputs"], first["data"]["message"]);
    let none = pages(&format!("{path}?event_type=agent_call")).await;
    assert_eq!(none, [0; 0], "a kind that other systems have");
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_cursor_of_a_history_belongs_to_its_filter() {
    let _calm = shared_workers().await;
    let (_, run, _) = planned().await;
    let path = format!("/api/runs/{run}/history");
    let page = get(&format!("{path}?limit=1")).await.ok();
    let cursor = page["next_cursor"].as_str().unwrap();
    for query in ["event_type=output&", ""] {
        let cursor = if query.is_empty() { "x" } else { cursor };
        let refused = get(&format!("{path}?{query}cursor={cursor}")).await;
        assert_eq!(refused.problem(), (400, "bad_cursor"));
    }
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn the_graph_of_a_completed_run_has_every_node_with_its_times() {
    let _calm = shared_workers().await;
    let (_, run, _) = planned().await;
    let graph = get(&format!("/api/runs/{run}/dag")).await.ok();
    let nodes = graph["nodes"].as_array().unwrap();
    let ids: Vec<&str> = nodes
        .iter()
        .map(|node| node["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["planning", "step_1", "step_2", "terminator"]);
    for (place, node) in nodes.iter().enumerate() {
        assert_eq!(
            (&node["status"], &node["order_index"]),
            (&json!("completed"), &json!(place))
        );
        let [began, ended] = ["started_at", "completed_at"].map(|at| node[at].as_str().unwrap());
        assert!(began <= ended, "{node}");
        assert_eq!(node["error"], Value::Null);
    }
    assert_eq!(nodes[1]["stepNumber"], 1);
    for node in &nodes[1..3] {
        for field in ["goal", "description", "summary"] {
            assert!(!node[field].as_str().unwrap().is_empty(), "{node}");
        }
    }
    let edge = json!({"id": "planning-step_1", "source": "planning", "target": "step_1", "type": "sequential"});
    assert_eq!(graph["edges"][0], edge);
    assert_eq!(graph["levels"].as_array().unwrap().len(), 4);
    assert_eq!(graph["truncated"], false);
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_failed_run_names_the_node_and_its_error() {
    model();
    let _calm = shared_workers().await;
    let session = create("planning-control").await;
    let run = start(&session, "Measure. [[steps=2]] [[status=400 at=step_1]]").await;
    until_status(&session, "suspended").await;
    let graph = get(&format!("/api/runs/{run}/dag")).await.ok();
    let states = ["planning", "step_1", "step_2"].map(|id| {
        let nodes = graph["nodes"].as_array().unwrap();
        let node = nodes.iter().find(|node| node["id"] == id).unwrap();
        (node["status"].as_str().unwrap(), node["error"].is_string())
    });
    assert_eq!(
        states,
        [("completed", false), ("failed", true), ("pending", false)]
    );
    let path = format!("/api/runs/{run}/history?event_type=workflow_failed");
    let failed = &get(&path).await.ok()["events"][0];
    assert_eq!(
        (&failed["node_id"], &failed["status"]),
        (&json!("step_1"), &json!("failed"))
    );
    assert!(!failed["error_message"].as_str().unwrap().is_empty());
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_log_has_a_line_for_each_event() {
    let _calm = shared_workers().await;
    let (_, run, record) = planned().await;
    let path = format!("/api/runs/{run}/console-log");
    let whole = get(&path).await.ok();
    let lines: Vec<&str> = whole["content"].as_str().unwrap().lines().collect();
    assert_eq!(
        (lines.len(), whole["total_lines"].as_u64()),
        (record.len(), Some(record.len() as u64))
    );
    for (line, event) in lines.iter().zip(&record) {
        let [at, kind] = ["timestamp", "event_type"].map(|field| event[field].as_str().unwrap());
        assert!(line.starts_with(&format!("{at} {kind} ")), "{line}");
    }
    let tail = get(&format!("{path}?tail=3")).await.ok();
    assert_eq!(tail["content"], lines[lines.len() - 3..].join("\n"));
    assert_eq!(
        (&tail["returned_lines"], &tail["truncated"]),
        (&json!(3), &json!(false))
    );
    assert_eq!(tail["log_path"], format!("runs/{run}/console.log"));
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn the_costs_of_a_run_are_the_same_by_both_routes() {
    model();
    let _calm = shared_workers().await;
    let session = create_with("planning-control", &json!({"model": "gpt-4o-mini"})).await;
    let run = start(&session, "Measure the tides. [[steps=1]]").await;
    until_status(&session, "completed").await;
    let costs = get(&format!("/api/runs/{run}/costs")).await.ok();
    let below = get(&format!("/api/sessions/{session}/runs/{run}/costs")).await;
    assert_eq!(costs, below.ok());
    for breakdown in ["model_breakdown", "agent_breakdown", "step_breakdown"] {
        let rows = costs[breakdown].as_array().unwrap();
        let calls: u64 = rows
            .iter()
            .map(|row| row["call_count"].as_u64().unwrap())
            .sum();
        assert_eq!(calls, costs["record_count"], "{breakdown}");
        for row in rows {
            assert_eq!(row["cost"], row["cost_usd"]);
            assert_eq!(row["prompt_tokens"], row["input_tokens"]);
            assert_eq!(row["completion_tokens"], row["output_tokens"]);
        }
    }
    for row in costs["agent_breakdown"].as_array().unwrap() {
        assert_eq!(row["model"], "gpt-4o-mini");
    }
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_node_has_its_own_events_and_bookkeeping_when_it_is_wanted() {
    let _calm = shared_workers().await;
    let (_, run, _) = planned().await;
    let path = format!("/api/nodes/step_1/events?run_id={run}");
    let page = get(&path).await.ok();
    assert_eq!(
        (&page["node_id"], &page["truncated"]),
        (&json!("step_1"), &json!(false))
    );
    let kinds = |events: &[Value]| -> Vec<String> {
        let kind = |event: &Value| event["event_type"].as_str().unwrap().to_owned();
        events.iter().map(kind).collect()
    };
    let plain = pages(&path).await;
    assert_eq!(
        kinds(&plain),
        ["step_start", "agent_message", "step_complete"]
    );
    assert!(plain.iter().all(|event| event["node_id"] == "step_1"));
    let all = pages(&format!("{path}&include_internal=true")).await;
    for kind in ["dag_node_status_changed", "cost_update", "step_start"] {
        assert!(kinds(&all).iter().any(|one| one == kind), "{kind}");
    }
    let none = pages(&format!("/api/nodes/step_9/events?run_id={run}")).await;
    assert_eq!(none, [0; 0], "the run has no such node");
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn an_unknown_run_and_one_of_a_deleted_session_are_a_404() {
    let _calm = shared_workers().await;
    let (session, run, _) = planned().await;
    let paths = |run: &str| {
        let views = ["history", "dag", "console-log", "costs"];
        let mut paths = views.map(|view| format!("/api/runs/{run}/{view}")).to_vec();
        paths.push(format!("/api/nodes/step_1/events?run_id={run}"));
        paths
    };
    for path in paths(&run) {
        get(&path).await.ok();
    }
    delete(&format!("/api/sessions/{session}")).await.ok();
    for run in [run, Uuid::now_v7().to_string()] {
        for path in paths(&run) {
            assert_eq!(get(&path).await.problem(), (404, "run_not_found"), "{path}");
        }
    }
    let no_id = get("/api/runs/latest/dag").await;
    assert_eq!(no_id.problem(), (404, "run_not_found"));
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn bad_values_are_a_422() {
    let run = Uuid::now_v7();
    for path in [
        format!("/api/runs/{run}/history?limit=0"),
        format!("/api/runs/{run}/history?limit=501"),
        format!("/api/runs/{run}/history?event_type=Agent%20Message"),
        format!("/api/runs/{run}/history?event_type="),
        format!("/api/runs/{run}/console-log?tail=0"),
        format!("/api/runs/{run}/console-log?tail=10001"),
        "/api/nodes/step_1/events".into(),
        "/api/nodes/step_1/events?run_id=latest".into(),
        format!("/api/nodes/step_1/events?run_id={run}&include_internal=yes"),
    ] {
        assert_eq!(get(&path).await.problem(), (422, "invalid_query"), "{path}");
    }
}
