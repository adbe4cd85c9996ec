//! The sample events, each sent to its function by `cargo lambda invoke`, as in the README.

use std::process::Command;

use serde_json::Value;
use tests::stack::{root, stack};

fn invoke(function: &str) -> Value {
    let port = stack().get("HTTP_URL").rsplit(':').next().unwrap();
    let output = Command::new(root().join(".stack/venv/bin/cargo-lambda"))
        .args([
            "lambda",
            "invoke",
            function,
            "--invoke-address",
            "127.0.0.1",
            "--invoke-port",
            port,
            "--data-file",
        ])
        .arg(root().join(format!("events/{function}.json")))
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "{function}: {text} {}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_str(&text).unwrap_or_else(|_| panic!("{function}: {text}"))
}

#[test]
#[ignore = "needs the local stack: make test"]
fn every_function_understands_its_sample_event() {
    let http = [
        ("console", 200),
        ("health", 200),
        ("list-modes", 200),
        ("get-credentials-status", 200),
        ("get-models-config", 200),
        ("create-session", 200),
        ("list-sessions", 200),
        ("get-session", 404),
        ("rename-session", 404),
        ("get-history", 404),
        ("list-events", 404),
        ("suspend-session", 404),
        ("resume-session", 404),
        ("delete-session", 404),
        ("start-run", 404),
        ("list-runs", 404),
        ("cancel-run", 404),
        ("get-run-costs", 404),
        ("get-run-history", 404),
        ("get-run-dag", 404),
        ("get-console-log", 404),
        ("get-run-costs-by-id", 404),
        ("list-node-events", 404),
        ("list-approvals", 404),
        ("resolve-approval", 404),
        ("list-run-files", 404),
        ("list-node-files", 404),
        ("get-file-content", 404),
        ("download-file", 404),
        ("ws-connect", 200),
        ("ws-message", 200),
        ("ws-disconnect", 200),
    ];
    for (function, status) in http {
        // The sample names a session that does not exist. An event that cannot be parsed would give
        // a 400, 422 or 500.
        let reply = invoke(function);
        assert_eq!(reply["statusCode"], status, "{function}: {reply}");
    }
    for function in ["executor", "document-executor", "dead-letters"] {
        assert_eq!(
            invoke(function)["batchItemFailures"],
            serde_json::json!([]),
            "{function}"
        );
    }
    assert_eq!(invoke("sweeper"), Value::Null);
}
