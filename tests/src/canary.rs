//! Planted words: what no log may ever hold, and all that the stack has printed to look for them.

use std::fmt::Write as _;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::stack::{Stack, logs, root_authorization, stack};

/// Every planted word begins so. The tests of `afterwards` look for it in the end; the scripted model's key
/// (`infra/local/settings.py`) and its faults have it too.
pub const PLANTED: &str = "kanarienvogel";

/// A word for one place that nothing else says.
pub fn plant(place: &str) -> String {
    format!("{PLANTED}-{place}-{}", Uuid::now_v7().simple())
}

/// All that the stack has printed until now: the parts' log files, and what MiniStack keeps of the functions that it runs.
pub async fn said() -> String {
    let mut said = String::new();
    for file in std::fs::read_dir(logs()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        said.push_str(&String::from_utf8_lossy(&bytes));
    }
    said + &logged().await
}

/// All lines that the functions which MiniStack runs itself have logged until now.
pub async fn logged() -> String {
    let mut said = String::new();
    let groups = ask(stack(), "DescribeLogGroups", json!({})).await;
    for group in groups["logGroups"].as_array().unwrap() {
        read(&group["logGroupName"], &mut said).await;
    }
    said
}

/// Appends the lines of a log group.
async fn read(group: &Value, said: &mut String) {
    let mut wanted = json!({"logGroupName": group});
    loop {
        let page = ask(stack(), "FilterLogEvents", wanted.clone()).await;
        for event in page["events"].as_array().unwrap() {
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
