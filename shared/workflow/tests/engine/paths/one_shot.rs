//! `one-shot`: one agent answers one task.

use serde_json::{Value, json};
use session::Mode;

use crate::{
    path::{Path, compare},
    script,
};

fn one_shot(title: &str, config: &Value) -> Path {
    let mut path = Path::new(title, Mode::OneShot, config);
    path.take();
    path
}

#[test]
fn one_shot_succeeds() {
    let researcher = one_shot("one-shot, the researcher", &Value::Null);
    let engineer = one_shot("one-shot, the engineer", &json!({"agent": "engineer"}));
    compare("one-shot.success", [researcher, engineer]);
}

#[test]
fn one_shot_fails() {
    let mut misfit = one_shot("one-shot, the answer never fits", &Value::Null);
    misfit.turn(|_| script::permanent());
    misfit.resume(None);
    let title = "one-shot, the model is away too often";
    let mut away = one_shot(title, &json!({"maxAttempts": 2}));
    away.turn(|_| script::transient());
    away.take();
    away.turn(|_| script::transient());
    compare("one-shot.failure", [misfit, away]);
}

#[test]
fn one_shot_continues_after_a_fault() {
    let mut away = one_shot("one-shot, the model is away for a while", &Value::Null);
    away.turn(|_| script::transient());
    away.take();
    let mut lost = one_shot("one-shot, a worker is lost twice", &Value::Null);
    lost.crash();
    lost.take();
    lost.good();
    lost.crash();
    lost.take();
    let mut cancelled = one_shot("one-shot, cancelled while the agent is asked", &Value::Null);
    cancelled.suspend();
    cancelled.cancel();
    compare("one-shot.trouble", [away, lost, cancelled]);
}

#[test]
fn one_shot_fails_at_its_budget() {
    let title = "one-shot, the first try cost more than the budget";
    let mut path = one_shot(title, &json!({"maxCostUsd": 0.2}));
    path.turn(|_| script::transient());
    path.take();
    let title = "one-shot, the answer never fits and cost more than the budget";
    let mut misfit = one_shot(title, &json!({"maxCostUsd": 0.2, "maxAttempts": 1}));
    misfit.turn(|_| script::permanent());
    misfit.take();
    compare("one-shot.budget", [path, misfit]);
}
