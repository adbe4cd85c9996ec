//! The modes that process documents: their paths task by task, and the failures of their runs.

use serde_json::{Value, json};
use session::{Mode, RunStatus};

use crate::{
    path::{Path, compare},
    script,
};

const MODES: [Mode; 3] = [Mode::Ocr, Mode::Arxiv, Mode::EnhanceInput];

/// A run with a worker.
fn taken(title: &str, mode: Mode, config: &Value) -> Path {
    let mut path = Path::new(title, mode, config);
    path.take();
    path
}

#[test]
fn each_document_mode_executes_its_phases_task_by_task() {
    let paths = MODES.map(|mode| taken(mode.id(), mode, &Value::Null));
    compare("documents.success", paths);
}

#[test]
fn each_document_mode_fails_if_its_document_fails() {
    let mut paths = Vec::new();
    for (mode, places) in MODES.iter().zip([&[0, 2, 3][..], &[0, 2], &[0, 2, 7]]) {
        for good in places {
            let title = format!("{mode}, a failure after {good} units");
            let mut path = taken(&title, *mode, &Value::Null);
            (0..*good).for_each(|_| path.good());
            assert!(path.fails(&script::permanent()));
            assert_eq!(path.status(), RunStatus::Failed);
            paths.push(path);
        }
    }
    compare("documents.failure", paths);
}

#[test]
fn a_document_task_is_retried_and_knows_its_last_attempt() {
    let mut path = taken("the second page", Mode::Ocr, &json!({"maxAttempts": 2}));
    path.good();
    path.good();
    path.fails(&script::transient());
    path.take();
    compare("documents.again", [path]);
}

#[test]
fn a_lost_worker_repeats_one_document_task() {
    let mut path = taken("the second paper", Mode::Arxiv, &Value::Null);
    (0..4).for_each(|_| path.good());
    path.crash();
    path.take();
    compare("documents.lost", [path]);
}

#[test]
fn no_summary_is_requested_beyond_the_budget() {
    let config = json!({"maxCostUsd": 0.25});
    let path = taken("one summary of two", Mode::EnhanceInput, &config);
    compare("documents.budget", [path]);
}
