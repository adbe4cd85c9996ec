//! Repeated, conflicting, invalid and late answers.

use serde_json::{Value, json};
use tests::model::model;
use tests::people::{answer, approval, approvals, asking, choose, question};
use tests::rest::{create_with, get, post, post_empty, record, start, types, until_status};
use tests::stack::shared_workers;
use tests::ws::{Client, connect};
use uuid::Uuid;

async fn follower(session: &str) -> Client {
    let mut client = connect(&Uuid::now_v7().to_string()).await;
    client.follow(session).await;
    client
}

/// The code and the message of a refused answer over a WebSocket.
async fn refusal(client: &mut Client, id: &Value, rest: Value) -> (String, String) {
    let mut frame = json!({"type": "resolve_approval", "approval_id": id});
    frame
        .as_object_mut()
        .unwrap()
        .extend(rest.as_object().unwrap().clone());
    let reply = client.answer(&frame).await;
    assert_eq!(reply["event_type"], "error", "{reply}");
    let word = |field: &str| reply["data"][field].as_str().unwrap().to_owned();
    (word("code"), word("message"))
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_repeated_answer_succeeds_and_a_conflicting_one_is_refused() {
    model();
    let _calm = shared_workers().await;
    let (session, open) = asking().await;
    let first = json!({"resolution": "approve", "feedback": "First."});
    let resolved = answer(&session, &open, &first).await.ok();
    until_status(&session, "completed").await;
    let story = record(&session).await;
    for again in [
        json!({"resolution": "approved", "feedback": "First."}),
        json!({"approved": true, "feedback": "First.", "modifications": " "}),
    ] {
        assert_eq!(
            answer(&session, &open, &again).await.ok(),
            resolved,
            "{again}"
        );
    }
    let mut client = follower(&session).await;
    let frame = json!({
        "type": "approval_response", "approval_id": open["approval_id"], "approved": true,
        "feedback": "First.",
    });
    let received = client.answer(&frame).await;
    assert_eq!(received["event_type"], "approval_received");
    assert_eq!(received["data"]["feedback"], "First.");

    let who = "The approval was already answered by local with approve";
    let otherwise = format!("{who} and other feedback or modifications.");
    let who = format!("{who}.");
    for (other, who) in [
        (json!({"resolution": "reject"}), &who),
        (json!({"approved": false}), &who),
        (json!({"resolution": "approve"}), &otherwise),
        (json!({"approved": true, "feedback": "Second."}), &otherwise),
    ] {
        let refused = answer(&session, &open, &other).await;
        assert_eq!(refused.problem(), (409, "approval_resolved"));
        assert_eq!(refused.body["detail"], *who);
        let told = refusal(&mut client, &open["approval_id"], other).await;
        assert_eq!(told, ("approval_resolved".into(), who.clone()));
    }
    assert_eq!(
        record(&session).await,
        story,
        "a repeated or refused answer must not change the record"
    );
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn an_invalid_answer_leaves_the_question_open() {
    model();
    let _calm = shared_workers().await;
    let (session, open) = asking().await;
    let long = "x".repeat(32 * 1024 + 1);
    for (body, status, code) in [
        (json!({"resolution": "skip"}), 422, "not_an_option"),
        (json!({"resolution": "option_1"}), 422, "not_an_option"),
        (json!({"resolution": ""}), 422, "not_an_option"),
        (json!({"resolution": 1}), 422, "invalid_field"),
        (json!({"approved": "yes"}), 422, "invalid_field"),
        (json!({"feedback": "Well."}), 422, "invalid_field"),
        (
            json!({"resolution": "modify", "modifications": []}),
            422,
            "invalid_answer",
        ),
        (json!({"resolution": "modify"}), 422, "invalid_answer"),
        (
            json!({"resolution": "revise", "feedback": long}),
            413,
            "too_large",
        ),
    ] {
        let refused = answer(&session, &open, &body).await;
        assert_eq!(refused.problem(), (status, code), "{}", refused.body);
    }
    let nobodys = json!({"approval_id": Uuid::now_v7().to_string()});
    let refused = answer(&session, &nobodys, &json!({"resolution": "approve"})).await;
    assert_eq!(refused.problem(), (404, "approval_not_found"));
    let mut client = follower(&session).await;
    for (rest, code) in [
        (json!({"resolution": "skip"}), "not_an_option"),
        (json!({}), "invalid_field"),
        (json!({"resolution": "modify"}), "invalid_answer"),
    ] {
        assert_eq!(
            refusal(&mut client, &open["approval_id"], rest).await.0,
            code
        );
    }
    // The client has closed its form: the question comes again behind the error.
    let asked = client.until("approval_requested").await;
    assert_eq!(asked["seq"], Value::Null);
    assert_eq!(asked["data"]["approval_id"], open["approval_id"]);
    assert_eq!(asked["data"]["options"], open["options"]);
    assert_eq!(asked["data"]["description"], open["message"]);
    let yes = json!({"approved": true});
    assert_eq!(
        refusal(&mut client, &nobodys["approval_id"], yes).await.0,
        "approval_not_found"
    );
    assert_eq!(approval(&session, &open["approval_id"]).await, open);
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn an_option_that_requires_a_text_is_refused_without_one() {
    model();
    let _calm = shared_workers().await;
    for (mode, config, task, checkpoint, option) in [
        (
            "copilot",
            json!({"conversational": true}),
            "Draw the boat.",
            "copilot_turn",
            "submit",
        ),
        (
            "copilot",
            json!({}),
            "Draw the boat. [[route=clarify]]",
            "clarification",
            "submit",
        ),
        (
            "idea-generation",
            json!({"checkpoints": "after_ideas", "nPlanReviews": 0}),
            "What could a lighthouse do by day? [[steps=2]]",
            "after_ideas",
            "custom",
        ),
    ] {
        let session = create_with(mode, &config).await;
        start(&session, task).await;
        let open = question(&session, checkpoint).await;
        for feedback in [Value::Null, json!(""), json!(" \n")] {
            let body = json!({"resolution": option, "feedback": feedback});
            let refused = answer(&session, &open, &body).await;
            assert_eq!(
                refused.problem(),
                (422, "invalid_answer"),
                "{checkpoint}: {body}"
            );
            assert!(
                refused.body["detail"]
                    .as_str()
                    .unwrap()
                    .contains("feedback")
            );
        }
        assert_eq!(approval(&session, &open["approval_id"]).await, open);
    }
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_waiting_session_accepts_only_an_answer_or_a_cancel() {
    model();
    let _calm = shared_workers().await;
    let (session, open) = asking().await;
    let path = format!("/api/sessions/{session}");
    let refused = post_empty(&format!("{path}/resume")).await;
    assert_eq!(refused.problem(), (409, "approval_open"));
    let refused = post_empty(&format!("{path}/suspend")).await;
    assert_eq!(refused.problem(), (409, "session_not_active"));
    let refused = post(&format!("{path}/runs"), &json!({"task": "another"})).await;
    assert_eq!(refused.problem(), (409, "run_unfinished"));
    assert_eq!(refused.body["run_id"], open["run_id"]);

    let mut client = follower(&session).await;
    let run = open["run_id"].as_str().unwrap();
    post_empty(&format!("{path}/runs/{run}/cancel")).await.ok();
    assert_eq!(
        approval(&session, &open["approval_id"]).await["status"],
        "cancelled"
    );
    let late = answer(&session, &open, &json!({"resolution": "approve"})).await;
    assert_eq!(late.problem(), (409, "approval_cancelled"));
    let told = refusal(&mut client, &open["approval_id"], json!({"approved": true})).await;
    assert_eq!(told.0, "approval_cancelled");
    assert_eq!(
        types(&record(&session).await).last(),
        Some(&"workflow_cancelled")
    );
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn approvals_are_listed_by_status_newest_first() {
    model();
    let _calm = shared_workers().await;
    let (session, first) = asking().await;
    answer(&session, &first, &json!({"resolution": "revise"}))
        .await
        .ok();
    let second = question(&session, "during_planning").await;
    let listed = async |query: &str| -> Vec<Value> {
        let all = approvals(&session, query).await.into_iter();
        all.map(|mut approval| approval["approval_id"].take())
            .collect()
    };
    let (first, second) = (&first["approval_id"], &second["approval_id"]);
    for (query, expected) in [
        ("", &[second, first][..]),
        ("?limit=1", &[second]),
        ("?status=pending", &[second]),
        ("?status=resolved", &[first]),
        ("?status=expired", &[]),
    ] {
        let found = listed(query).await;
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{query}");
    }
    let bad = get(&format!("/api/sessions/{session}/approvals?status=open")).await;
    assert_eq!(bad.problem(), (422, "invalid_query"));
    let nobodys = get(&format!("/api/sessions/{}/approvals", Uuid::now_v7())).await;
    assert_eq!(nobodys.problem(), (404, "session_not_found"));
    choose(&session, "during_planning", "approve").await;
    until_status(&session, "completed").await;
    assert_eq!(approvals(&session, "?status=resolved").await.len(), 2);
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn the_forms_of_existing_clients_answer_questions() {
    model();
    let _calm = shared_workers().await;
    let (session, open) = asking().await;
    let mut client = follower(&session).await;
    let form = |approval: &Value, resolution: &str, modifications: &str| {
        json!({
            "type": "resolve_approval", "approval_id": approval["approval_id"],
            "resolution": resolution, "feedback": "", "modifications": modifications,
        })
    };
    // Words in the form of a plan are a wish for another plan.
    let received = client
        .answer(&form(&open, "modify", "Begin with the moon."))
        .await;
    assert_eq!(received["data"]["resolution"], "revise");
    assert_eq!(received["data"]["feedback"], "Begin with the moon.");
    let open = question(&session, "during_planning").await;
    let shape = client.answer(&form(&open, "modify", "[1]")).await;
    assert_eq!(shape["data"]["code"], "invalid_answer");
    let sentence = shape["data"]["message"].as_str().unwrap();
    assert!(sentence.contains("sub_task_agent"), "{sentence}");
    let received = client.answer(&form(&open, "approve", "")).await;
    assert_eq!(received["data"]["resolution"], "approve");
    assert_eq!(received["data"]["feedback"], Value::Null);
    until_status(&session, "completed").await;
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_question_about_the_task_needs_words_and_exit_ends_the_run() {
    model();
    let _calm = shared_workers().await;
    let session = create_with("copilot", &json!({})).await;
    let id = Uuid::now_v7();
    let task = format!("Draw the boat. [[route=clarify times=1 at=copilot_control id={id}]]");
    start(&session, &task).await;
    let open = question(&session, "clarification").await;
    assert_eq!(open["context"]["requires_text_input"], true);
    let mut client = follower(&session).await;
    let frame = |resolution: &str| {
        json!({
            "type": "resolve_approval", "approval_id": open["approval_id"],
            "resolution": resolution, "feedback": " ", "modifications": "",
        })
    };
    let refused = client.answer(&frame("submit")).await;
    assert_eq!(refused["data"]["code"], "invalid_answer");
    let asked = client.until("approval_requested").await;
    assert_eq!(asked["data"]["context"]["requires_text_input"], true);
    let received = client.answer(&frame("exit")).await;
    assert_eq!(received["data"]["resolution"], "abort");
    until_status(&session, "suspended").await;
}
