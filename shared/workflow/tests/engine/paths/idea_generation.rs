//! `idea-generation`: ideas are generated and criticised, and one is developed. A person may choose
//! it.

use serde_json::{Value, json};
use session::{Mode, Stage};

use crate::{
    path::{Path, compare},
    script,
};

fn ideas(title: &str, config: &Value) -> Path {
    let title = format!("idea-generation, {title}");
    let mut path = Path::new(&title, Mode::IdeaGeneration, config);
    path.take();
    path
}

#[test]
fn it_succeeds() {
    compare(
        "idea-generation.success",
        [ideas("nobody is asked", &Value::Null)],
    );
}

#[test]
fn each_answer_about_the_ideas() {
    let config = json!({"checkpoints": "after_ideas", "nPlanReviews": 0});
    let mut paths = Vec::new();
    for (option, words) in [
        ("option_2", None),
        ("option_1", Some("But smaller.")),
        ("custom", Some("A boat.")),
    ] {
        let mut path = ideas(&format!("{option} is chosen"), &config);
        path.until_asked("after_ideas");
        path.says(option, words, None);
        paths.push(path.yes_to_all());
    }
    let mut expired = ideas("nobody chooses, and resume asks again", &config);
    expired.until_asked("after_ideas");
    expired.expire();
    expired.resume(None);
    expired.until_asked("after_ideas");
    paths.push(expired);
    compare("idea-generation.after-ideas", paths);
}

#[test]
fn it_fails_and_is_taken_over_and_is_suspended_and_resumed() {
    let mut paths = Vec::new();
    for step in 1..=2 {
        let mut failed = ideas(
            &format!("a failure at step {step}"),
            &json!({"nPlanReviews": 0}),
        );
        failed.until(Stage::Step, step);
        failed.turn(|_| script::permanent());
        failed.resume(None);
        failed.take();
        paths.push(failed);
    }
    let mut paused = ideas("suspended at step 1", &json!({"nPlanReviews": 0}));
    paused.until(Stage::Step, 1);
    paused.suspend();
    paused.good();
    paused.resume(None);
    paused.take();
    paused.cancel();
    paths.push(paused);
    compare("idea-generation.trouble", paths);
}

#[test]
fn a_person_decides_at_the_budget() {
    let mut path = ideas("a budget of 0.60 $", &json!({"maxCostUsd": 0.6}));
    path.until_asked("budget");
    path.person("continue");
    compare("idea-generation.budget", [path.yes_to_all()]);
}
