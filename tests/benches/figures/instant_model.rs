//! A model that answers at once: the real provider for Bedrock, whose HTTP client answers from this
//! process. Its price is unknown, so no cost is booked.

use agents::{BedrockClient, ModelConfig, ProviderKind};
use aws_sdk_bedrockruntime::config::Builder;
use http::Response;
use serde_json::{Value, json};
use stub_http::stub_client;

/// The text of each step's answer. The other systems' steps return the same.
pub const ANSWER: &str = include_str!("../peers/answer.txt");

/// The settings of models that plan this many steps and answer each with [`ANSWER`].
pub async fn config(steps: u32) -> ModelConfig {
    let aws = aws_config::from_env().load().await;
    let client = stub_client(move |request| {
        let body = request.body().bytes().unwrap_or_default();
        Response::new(reply(&answer(body, steps)))
    });
    let client = Builder::from(&aws).http_client(client).build();
    ModelConfig {
        provider: ProviderKind::Bedrock,
        model_id: Some("instant".into()),
        bedrock: Some(BedrockClient::from_conf(client)),
        ..ModelConfig::default()
    }
}

/// The answer that the request's schema asks for. Only the schema is searched, because parsing the
/// prompt would be a part of what is measured.
fn answer(request: &[u8], steps: u32) -> Value {
    let request = String::from_utf8_lossy(request);
    let schema = request
        .split_once("\"toolConfig\"")
        .map_or("", |(_, schema)| schema);
    let asks_for = |property: &str| schema.contains(&format!("\"{property}\":{{"));
    if asks_for("steps") {
        json!({"steps": (1..=steps).map(planned).collect::<Vec<_>>()})
    } else if asks_for("approved") {
        json!({"approved": true, "recommendations": []})
    } else {
        json!({"content": ANSWER, "summary": "The sea rises twice a day."})
    }
}

fn planned(number: u32) -> Value {
    json!({
        "sub_task": format!("Look into part {number} of the task"),
        "sub_task_agent": "researcher",
        "bullet_points": [],
    })
}

fn reply(answer: &Value) -> String {
    let used = json!({"toolUse": {"toolUseId": "1", "name": "answer", "input": answer}});
    json!({
        "output": {"message": {"role": "assistant", "content": [used]}},
        "stopReason": "tool_use",
        "usage": {"inputTokens": 500, "outputTokens": 120, "totalTokens": 620},
        "metrics": {"latencyMs": 0},
    })
    .to_string()
}
