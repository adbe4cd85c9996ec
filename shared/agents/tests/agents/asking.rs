//! The vocabulary of these tests: a configuration, a question, and the answers that fit.

use std::time::{Duration, Instant};

use agents::{
    Agent, AgentCall, Agents, Answer, Brief, CallError, ModelConfig, ProviderKind, Secret,
};
use serde_json::{Value, json};

use crate::server::ModelServer;

pub const KEY: &str = "sk-a-key-that-nobody-sees";

pub fn config(server: &ModelServer) -> ModelConfig {
    ModelConfig {
        provider: ProviderKind::OpenAi,
        model_id: Some("gpt-5-mini".to_owned()),
        openai_base_url: Some(server.url()),
        openai_api_key: Some(Secret::new(KEY)),
        call_timeout: Duration::from_secs(1),
        margin: Duration::from_millis(100),
        first_backoff: Duration::from_millis(10),
        ..ModelConfig::default()
    }
}

pub fn call(agent: Agent) -> AgentCall {
    let brief = Brief {
        task: "How do tides work?".to_owned(),
        max_steps: 2,
        ..Brief::default()
    };
    AgentCall {
        agent,
        model: None,
        max_cost_usd: None,
        brief,
    }
}

/// Asks with at most three attempts and this much time.
pub async fn ask_within(
    time: Duration,
    server: &ModelServer,
    call: &AgentCall,
) -> Result<Answer, CallError> {
    Agents::new(config(server))
        .unwrap()
        .call(call, Instant::now() + time, 3)
        .await
}

pub async fn ask(server: &ModelServer, agent: Agent) -> Result<Answer, CallError> {
    ask_within(Duration::from_secs(10), server, &call(agent)).await
}

pub fn report() -> Value {
    json!({"content": "# Tides\n\nThe moon pulls.", "summary": "The moon pulls."})
}

pub fn plan(steps: usize) -> Value {
    let step = json!({"sub_task": "Read", "sub_task_agent": "researcher", "bullet_points": []});
    json!({ "steps": vec![step; steps] })
}

/// The text of a request's message, counted from the first.
pub fn message(server: &ModelServer, request: usize, message: usize) -> String {
    let requests = server.requests();
    requests[request]["body"]["messages"][message]["content"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}
