//! `hitl-interactive`: a plan and its steps, each approved by a person.

use serde_json::{Value, json};
use session::{Mode, Stage};

use crate::{
    path::{Path, compare},
    script,
};

fn hitl(title: &str, config: &Value) -> Path {
    let title = format!("hitl-interactive, {title}");
    let mut path = Path::new(&title, Mode::HitlInteractive, config);
    path.take();
    path
}

/// One path per answer at a checkpoint. All later approvals are accepted.
fn answers(checkpoint: &str, config: &Value, options: &[&str]) -> Vec<Path> {
    let mut paths = Vec::new();
    for option in options {
        let mut path = hitl(&format!("{option} at {checkpoint}"), config);
        if checkpoint == "on_error" {
            path.until(Stage::Step, 1);
            path.turn(|_| script::permanent());
        }
        path.until_asked(checkpoint);
        let plan = json!([{"sub_task": "Another", "sub_task_agent": "engineer"}]);
        path.says(
            option,
            Some("A word."),
            (*option == "modify").then_some(plan),
        );
        paths.push(path.yes_to_all());
    }
    paths
}

#[test]
fn every_variant_succeeds() {
    let full = hitl("full_interactive", &Value::Null).yes_to_all();
    let planning = hitl("planning_only", &json!({"hitlVariant": "planning_only"})).yes_to_all();
    let recovery = hitl("error_recovery", &json!({"hitlVariant": "error_recovery"})).yes_to_all();
    compare("hitl-interactive.success", [full, planning, recovery]);
}

#[test]
fn each_answer_about_the_plan() {
    let config = json!({"hitlVariant": "planning_only"});
    let options = ["approve", "reject", "revise", "modify"];
    compare(
        "hitl-interactive.during-planning",
        answers("during_planning", &config, &options),
    );
}

#[test]
fn each_answer_about_a_step() {
    let before = json!({"approvalMode": "before_step", "nPlanReviews": 0});
    let before = answers("before_step", &before, &["approve", "reject", "skip"]);
    let after = json!({"approvalMode": "after_step", "nPlanReviews": 0});
    let after = answers("after_step", &after, &["continue", "abort", "redo"]);
    compare("hitl-interactive.steps", before.into_iter().chain(after));
}

#[test]
fn each_answer_about_a_failure() {
    let config = json!({"hitlVariant": "error_recovery", "nPlanReviews": 0});
    let paths = answers("on_error", &config, &["retry", "skip", "abort"]);
    compare("hitl-interactive.on-error", paths);
}

#[test]
fn exhausted_or_disabled_options_are_not_offered() {
    let config = json!({"hitlVariant": "planning_only", "maxHumanIterations": 1, "allowPlanModification": false});
    let mut revised = hitl("one revision, no modification", &config);
    revised.until_asked("during_planning");
    revised.person("revise");
    revised.until_asked("during_planning");
    let config = json!({"approvalMode": "after_step", "nPlanReviews": 0});
    let mut redone = hitl("two redos", &config);
    for _ in 0..2 {
        redone.until_asked("after_step");
        redone.person("redo");
        redone.take();
        redone.good();
    }
    redone.until_asked("after_step");
    let config = json!({"allowStepSkip": false, "allowStepRetry": false, "nPlanReviews": 0});
    let mut strict = hitl("no skip, no retry", &config);
    strict.until_asked("before_step");
    strict.person("approve");
    strict.take();
    strict.good();
    strict.turn(|_| script::permanent());
    strict.until_asked("on_error");
    compare("hitl-interactive.options", [revised, redone, strict]);
}

#[test]
fn planning_can_fail_and_is_taken_over() {
    let paths = [("the plan", Stage::Plan), ("the review", Stage::Review)].map(|(name, stage)| {
        let mut path = hitl(&format!("a failure at {name}"), &Value::Null);
        path.until(stage, 0);
        path.turn(|_| script::permanent());
        path.resume(None);
        path.take();
        path.until_asked("during_planning");
        path
    });
    compare("hitl-interactive.failure", paths);
}

#[test]
fn a_run_lost_at_an_approval_is_taken_over_there() {
    let config = json!({"approvalMode": "after_step", "nPlanReviews": 0});
    let at = [Stage::ApprovePlan, Stage::AfterStep, Stage::OnError];
    let paths = at.map(|stage| {
        let mut path = hitl(&format!("five workers lost at {stage:?}"), &config);
        if stage != Stage::ApprovePlan {
            path.until_asked("during_planning");
            path.person("approve");
            path.take();
            path.good();
            path.turn(|request| match stage {
                Stage::OnError => script::permanent(),
                _ => script::good(request, 2),
            });
        }
        path.until(stage, u32::from(stage != Stage::ApprovePlan));
        for _ in 0..5 {
            path.crash();
            path.take();
        }
        path.crash();
        path.take();
        path.resume(None);
        path.yes_to_all()
    });
    compare("hitl-interactive.lost", paths);
}

#[test]
fn it_is_suspended_resumed_and_cancelled_around_a_question() {
    let mut paused = hitl("suspended right before the question", &Value::Null);
    paused.until(Stage::ApprovePlan, 0);
    paused.suspend();
    paused.good();
    paused.resume(None);
    paused.until_asked("during_planning");
    paused.suspend();
    paused.resume(None);
    let mut expired = hitl("nobody answers, and resume asks again", &Value::Null);
    expired.until_asked("during_planning");
    expired.expire();
    expired.resume(Some("I am back."));
    expired.until_asked("during_planning");
    let mut cancelled = hitl("cancelled while it waits", &Value::Null);
    cancelled.until_asked("before_step");
    cancelled.cancel();
    let mut lost = hitl("a worker is lost before it used the answer", &Value::Null);
    lost.until_asked("during_planning");
    lost.person("approve");
    lost.take();
    lost.crash();
    lost.until_asked("before_step");
    compare(
        "hitl-interactive.trouble",
        [paused, expired, cancelled, lost],
    );
}

#[test]
fn a_person_decides_at_the_budget() {
    let config = json!({"hitlVariant": "error_recovery", "maxCostUsd": 0.6});
    let paths = ["continue", "abort"].map(|answer| {
        let mut path = hitl(&format!("{answer} at a budget of 0.60 $"), &config);
        path.until_asked("budget");
        path.person(answer);
        path.yes_to_all()
    });
    compare("hitl-interactive.budget", paths);
}
