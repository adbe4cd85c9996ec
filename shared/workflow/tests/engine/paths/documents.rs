//! The modes that work on documents: their paths, and how a run of them fails while nobody can read one.

use serde_json::Value;
use session::{Mode, RunStatus};

use crate::{
    path::{Path, compare},
    script,
};

const MODES: [Mode; 3] = [Mode::Ocr, Mode::Arxiv, Mode::EnhanceInput];

#[test]
fn each_goes_through_its_phases() {
    let paths = MODES.map(|mode| {
        let mut path = Path::new(mode.id(), mode, &Value::Null);
        path.take();
        path
    });
    compare("documents.success", paths);
}

#[test]
fn each_fails_where_its_documents_cannot_be_worked_on() {
    let mut paths = Vec::new();
    for mode in MODES {
        for good in 0..4 {
            let title = format!("{mode}, a failure after {good} stages");
            let mut path = Path::new(&title, mode, &Value::Null);
            path.take();
            (0..good).for_each(|_| path.good());
            if path.fails(&script::permanent()) {
                assert_eq!(path.status(), RunStatus::Failed);
                paths.push(path);
            }
        }
    }
    compare("documents.failure", paths);
}
