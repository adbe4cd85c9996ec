//! A person decides about a plan.

use serde_json::{Value, json};
use tests::model::model;
use tests::people::{answer, approval, question};
use tests::rest::{create_with, detail, start, until_status};
use tests::stack::shared_workers;

use super::walk::{Walk, go};

const TASK: &str = "Measure the tides. [[steps=1]]";

/// The run asks about its plan only.
fn planning(name: &'static str, config: &Value) -> Walk {
    let mut all = json!({"hitlVariant": "planning_only"});
    for (key, value) in config.as_object().unwrap() {
        all[key] = value.clone();
    }
    Walk::of(name, "hitl-interactive", all, TASK)
}

fn step(number: usize, agent: &str) -> Value {
    json!({"sub_task": format!("scripted step {number}"), "sub_task_agent": agent, "bullet_points": []})
}

pub fn walks() -> Vec<Walk> {
    let of_mine = json!([step(1, "researcher"), step(2, "engineer")]);
    vec![
        planning("a plan is approved", &json!({}))
            .at("during_planning", "approve")
            .saying("But briefly.")
            .has("step_complete", 1)
            .tells("step_1", "But briefly."),
        planning("a plan is rejected", &json!({}))
            .at("during_planning", "reject")
            .saying("Not this way.")
            .cancels()
            .has("planning_complete", 0)
            .has("step_start", 0),
        planning("a plan is revised", &json!({"maxHumanIterations": 1}))
            .at("during_planning", "revise")
            .saying("Name the sources.")
            .at("during_planning", "approve")
            .among(&["approve", "reject", "modify"])
            .has("planning_complete", 1)
            .tells("planner", "Name the sources."),
        planning("a plan is replaced", &json!({}))
            .at("during_planning", "modify")
            .with_plan(&of_mine)
            .has("planning_complete", 1)
            .has("step_complete", 2)
            .has("files_updated", 1),
        Walk::of(
            "a plan that nobody may change is approved in planning-control",
            "planning-control",
            json!({"checkpoints": "after_planning", "allowPlanModification": false}),
            TASK,
        )
        .at("during_planning", "approve")
        .among(&["approve", "reject", "revise"]),
        Walk::of(
            "an existing client sends approvalMode in every mode, and is not asked",
            "planning-control",
            json!({"approvalMode": "both", "hitlVariant": "full_interactive"}),
            TASK,
        )
        .has("approval_requested", 0)
        .has("step_complete", 1),
    ]
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_plan_is_approved_rejected_revised_and_replaced() {
    go(walks()).await;
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn an_invalid_plan_is_refused_with_its_fault_and_can_be_corrected() {
    model();
    let _calm = shared_workers().await;
    let config = json!({"hitlVariant": "planning_only", "maxPlanSteps": 2});
    let session = create_with("hitl-interactive", &config).await;
    start(&session, TASK).await;
    let open = question(&session, "during_planning").await;
    let modify = |plan: Value| json!({"resolution": "modify", "modifications": {"plan": plan}});
    let (good, dreamer) = (step(1, "researcher"), step(2, "idea_maker"));
    for (body, place) in [
        (json!({"resolution": "modify"}), "modifications.plan"),
        (modify(json!("read")), "modifications.plan"),
        (modify(json!([good, 7])), "modifications.plan[1]"),
        (
            modify(json!([{"sub_task_agent": "engineer"}])),
            "modifications.plan[0].sub_task",
        ),
        (
            modify(json!([good, dreamer])),
            "modifications.plan[1].sub_task_agent",
        ),
        (modify(json!([])), "0 steps"),
        (modify(json!([good, good, good])), "3 steps"),
    ] {
        let refused = answer(&session, &open, &body).await;
        assert_eq!(refused.problem(), (422, "invalid_answer"), "{body}");
        let detail = refused.body["detail"].as_str().unwrap();
        assert!(detail.contains(place), "{detail}");
    }
    assert_eq!(
        approval(&session, &open["approval_id"]).await,
        open,
        "the approval must stay open"
    );
    answer(&session, &open, &modify(json!([good]))).await.ok();
    until_status(&session, "completed").await;
    assert_eq!(detail(&session).await["plan_data"], json!([good]));
}
