//! `planning-control`: a plan is drafted and reviewed, then executed step by step.

use serde_json::{Value, json};
use session::{Mode, Stage};

use crate::{
    path::{Path, compare},
    script,
};

const STAGES: [(&str, Stage, u32); 6] = [
    ("the plan", Stage::Plan, 0),
    ("the review", Stage::Review, 0),
    ("the revision", Stage::Revise, 0),
    ("step 1", Stage::Step, 1),
    ("step 2", Stage::Step, 2),
    ("the result", Stage::Finish, 0),
];

fn planning(title: &str, config: &Value) -> Path {
    let mut path = Path::new(title, Mode::PlanningControl, config);
    path.take();
    path
}

#[test]
fn planning_control_succeeds() {
    compare(
        "planning-control.success",
        [planning("planning-control", &Value::Null)],
    );
}

#[test]
fn planning_control_reviews_as_often_as_configured() {
    let none = planning("planning-control, no review", &json!({"nPlanReviews": 0}));
    let title = "planning-control, two reviews, of which the second has no remarks";
    let mut two = planning(title, &json!({"nPlanReviews": 2}));
    two.until(Stage::Revise, 0);
    two.good();
    two.turn(|_| script::approval());
    two.cancel();
    compare("planning-control.reviews", [none, two]);
}

#[test]
fn planning_control_fails_at_each_stage_and_is_taken_over_there() {
    let paths = STAGES[..5].iter().map(|(name, stage, step)| {
        let title = format!("planning-control, a failure at {name}");
        let mut path = planning(&title, &Value::Null);
        path.until(*stage, *step);
        path.turn(|_| script::permanent());
        path.resume(Some("Leave out the slow ones."));
        path.take();
        path
    });
    compare("planning-control.failure-and-takeover", paths);
}

#[test]
fn planning_control_is_suspended_and_resumed_at_each_stage() {
    let paths = STAGES.iter().map(|(name, stage, step)| {
        let title = format!("planning-control, suspended at {name}");
        let mut path = planning(&title, &Value::Null);
        path.until(*stage, *step);
        path.suspend();
        path.good();
        path.resume(None);
        path.take();
        path
    });
    compare("planning-control.suspend-and-resume", paths);
}

#[test]
fn planning_control_continues_after_a_fault() {
    let at = |title: &str, step: u32| {
        let mut path = planning(&format!("planning-control, {title}"), &Value::Null);
        path.until(Stage::Step, step);
        path
    };
    let mut away = at("the model is away at step 1", 1);
    away.turn(|_| script::transient());
    away.take();
    let mut failed = at("a failure at step 1 while suspended", 1);
    failed.suspend();
    failed.turn(|_| script::permanent());
    failed.resume(None);
    failed.take();
    let mut crossed = at("suspended and resumed while step 2 is done", 2);
    crossed.suspend();
    crossed.resume(None);
    let mut cancelled = at("cancelled at step 2", 2);
    cancelled.cancel();
    compare(
        "planning-control.trouble",
        [away, failed, crossed, cancelled],
    );
}

#[test]
fn a_run_stops_at_its_budget() {
    let path = planning(
        "planning-control, a budget of 0.60 $",
        &json!({"maxCostUsd": 0.6}),
    );
    compare("planning-control.budget", [path]);
}
