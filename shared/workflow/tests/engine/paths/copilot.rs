//! `copilot`: a conversation in turns, each routed to suitable agents.

use serde_json::{Value, json};
use session::{Mode, RouteKind, Stage};

use crate::{
    path::{Path, compare},
    script,
};

fn copilot(title: &str, config: &Value) -> Path {
    let mut path = Path::new(&format!("copilot, {title}"), Mode::Copilot, config);
    path.take();
    path
}

fn conversation(title: &str) -> Path {
    copilot(title, &json!({"conversational": true, "nPlanReviews": 0}))
}

#[test]
fn a_turn_is_answered_directly_or_by_a_plan() {
    let at_once = copilot("answered at once", &Value::Null).yes_to_all();
    let mut planned = copilot("answered by a plan", &Value::Null);
    planned.routed(RouteKind::Planned);
    compare("copilot.success", [at_once, planned.yes_to_all()]);
}

#[test]
fn each_answer_to_a_question_of_copilot() {
    let mut paths = Vec::new();
    for (kind, checkpoint, options) in [
        (
            RouteKind::Clarify,
            "clarification",
            &["submit", "abort"][..],
        ),
        (
            RouteKind::Propose,
            "proposal",
            &["approve", "revise", "reject"],
        ),
    ] {
        for option in options {
            let mut path = copilot(
                &format!("{option} at {checkpoint}"),
                &json!({"nPlanReviews": 0}),
            );
            path.routed(kind);
            path.until_asked(checkpoint);
            path.says(option, Some("The small one."), None);
            paths.push(path.yes_to_all());
        }
    }
    compare("copilot.questions", paths);
}

#[test]
fn copilot_asks_at_most_max_rounds_times() {
    let mut path = copilot("two rounds", &json!({"maxRounds": 2}));
    path.routed(RouteKind::Clarify);
    path.until_asked("clarification");
    path.says("submit", Some("The small one."), None);
    path.take();
    path.good();
    path.routed(RouteKind::Clarify);
    compare("copilot.rounds", [path.yes_to_all()]);
}

#[test]
fn each_answer_at_the_end_of_a_turn() {
    let mut paths = Vec::new();
    for option in ["submit", "continue", "done", "exit"] {
        let mut path = conversation(&format!("{option} after the first turn"));
        path.until_asked("copilot_turn");
        path.says(option, Some("And now in French."), None);
        paths.push(path.yes_to_all());
    }
    let mut planned = conversation("a second turn by a plan, a third at once");
    planned.until_asked("copilot_turn");
    planned.says("submit", Some("Now in detail."), None);
    planned.take();
    planned.good();
    planned.routed(RouteKind::Planned);
    planned.until_asked("copilot_turn");
    planned.says("submit", Some("Thank you."), None);
    paths.push(planned.yes_to_all());
    let mut expired = conversation("nobody goes on");
    expired.until_asked("copilot_turn");
    expired.expire();
    paths.push(expired.yes_to_all());
    compare("copilot.turns", paths);
}

#[test]
fn it_fails_and_is_taken_over_at_each_stage() {
    let paths =
        [("the routing", Stage::Route), ("the answer", Stage::Answer)].map(|(name, stage)| {
            let mut path = copilot(&format!("a failure at {name}"), &Value::Null);
            path.until(stage, 0);
            path.turn(|_| script::permanent());
            path.resume(None);
            path.yes_to_all()
        });
    let mut planned = copilot("a failure at step 2 of a plan", &json!({"nPlanReviews": 0}));
    planned.routed(RouteKind::Planned);
    planned.until(Stage::Step, 2);
    planned.turn(|_| script::permanent());
    planned.resume(None);
    compare(
        "copilot.failure",
        paths.into_iter().chain([planned.yes_to_all()]),
    );
}

#[test]
fn it_is_suspended_resumed_and_cancelled() {
    let paths = [
        ("the routing", Stage::Route),
        ("the answer", Stage::Answer),
        ("the result", Stage::Finish),
    ]
    .map(|(name, stage)| {
        let mut path = copilot(&format!("suspended at {name}"), &Value::Null);
        path.until(stage, 0);
        path.suspend();
        path.good();
        path.resume(None);
        path.yes_to_all()
    });
    let mut cancelled = conversation("cancelled between two turns");
    cancelled.until_asked("copilot_turn");
    cancelled.cancel();
    compare("copilot.trouble", paths.into_iter().chain([cancelled]));
}

#[test]
fn a_person_decides_at_the_budget() {
    let mut path = copilot("a budget of 0.20 $", &json!({"maxCostUsd": 0.2}));
    path.until_asked("budget");
    path.person("continue");
    compare("copilot.budget", [path.yes_to_all()]);
}
