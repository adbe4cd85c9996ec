//! Canary words, which must not appear in any log, and access to everything that the stack has
//! printed.

use std::fmt::Write as _;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::stack::{Stack, logs, root_authorization, stack};

/// The prefix of every canary word. The tests of `afterwards` search for it at the end. The
/// scripted model's key (`infra/local/settings.py`) and its error messages contain it too.
pub const PLANTED: &str = "kanarienvogel";

/// A word that is unique to one place.
pub fn plant(place: &str) -> String {
    format!("{PLANTED}-{place}-{}", Uuid::now_v7().simple())
}

/// Everything that the stack has printed so far: the log files of its parts, and MiniStack's logs
/// of the functions that it runs.
pub async fn said() -> String {
    let mut said = String::new();
    for file in std::fs::read_dir(logs()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        said.push_str(&String::from_utf8_lossy(&bytes));
    }
    said + &logged().await
}

/// All log lines so far of the functions that MiniStack runs.
///
/// The groups come from the list of functions: MiniStack answers `DescribeLogGroups` with a 500 if
/// an invocation adds its stream while the streams are counted (version 1.5.33).
pub async fn logged() -> String {
    let mut said = String::new();
    for group in stack().log_groups().await {
        read(&group, &mut said).await;
    }
    said
}

/// Appends the lines of a log group, which the first invocation of its function creates.
async fn read(group: &str, said: &mut String) {
    let mut wanted = json!({"logGroupName": group});
    loop {
        let page = ask(stack(), "FilterLogEvents", wanted.clone()).await;
        if page["__type"] == "ResourceNotFoundException" {
            return;
        }
        let events = page["events"].as_array();
        for event in events.unwrap_or_else(|| panic!("{group}: {page}")) {
            writeln!(said, "{}", event["message"].as_str().unwrap()).unwrap();
        }
        match &page["nextToken"] {
            Value::Null => return,
            token => wanted["nextToken"] = token.clone(),
        }
    }
}

async fn ask(stack: &Stack, operation: &str, body: Value) -> Value {
    let request = reqwest::Client::new()
        .post(stack.get("AWS_ENDPOINT_URL"))
        .header("authorization", root_authorization("logs"))
        .header("x-amz-target", format!("Logs_20140328.{operation}"))
        .header("content-type", "application/x-amz-json-1.1")
        .body(body.to_string());
    let reply = request.send().await.unwrap().text().await.unwrap();
    serde_json::from_str(&reply).unwrap_or_else(|_| panic!("{operation}: {reply}"))
}
