//! Helpers for these tests: a configuration, a request, and valid answers.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use agents::{Agent, Agents, CallError, ModelAnswer, ModelConfig};
use serde_json::{Value, json};
use workflow::{AgentRequest, Brief};

use crate::{server::ModelServer, wires::Wire};

/// Runs a test with each wire format in parallel; a failure names the wire format.
pub async fn with_each_wire<F: Future<Output = ()> + Send + 'static>(test: impl Fn(Wire) -> F) {
    let running = Wire::ALL.map(|wire| (wire, tokio::spawn(test(wire))));
    for (wire, running) in running {
        if let Err(panic) = running.await {
            panic!("{wire:?}: {panic}");
        }
    }
}

/// Short timeouts, and the server's provider alone.
pub fn config(server: &ModelServer) -> ModelConfig {
    let times = ModelConfig {
        provider: server.wire.kind(),
        model_id: Some(server.wire.model().to_owned()),
        call_timeout: Duration::from_secs(1),
        margin: Duration::from_millis(100),
        first_backoff: Duration::from_millis(10),
        ..ModelConfig::default()
    };
    server.wire.set_up(times, &server.url())
}

pub fn call(agent: Agent) -> AgentRequest {
    let brief = Brief {
        task: "How do tides work?".to_owned(),
        max_steps: 2,
        ..Brief::default()
    };
    request(agent, brief)
}

/// A request with at most three attempts.
pub fn request(agent: Agent, brief: Brief) -> AgentRequest {
    AgentRequest {
        agent: agent.id().to_owned(),
        model: None,
        max_attempts: 3,
        earlier_calls: 0,
        max_cost_usd: None,
        node: "execute".to_owned(),
        brief,
    }
}

/// Calls with this much time.
pub async fn ask_within(
    time: Duration,
    server: &ModelServer,
    call: &AgentRequest,
) -> Result<ModelAnswer, CallError> {
    Agents::new(config(server))
        .unwrap()
        .call(call, Instant::now() + time)
        .await
}

pub async fn ask(server: &ModelServer, agent: Agent) -> Result<ModelAnswer, CallError> {
    ask_within(Duration::from_secs(20), server, &call(agent)).await
}

pub fn report() -> Value {
    json!({"content": "# Tides\n\nThe moon pulls.", "summary": "The moon pulls."})
}

pub fn plan(steps: usize) -> Value {
    let step = json!({"sub_task": "Read", "sub_task_agent": "researcher", "bullet_points": []});
    json!({ "steps": vec![step; steps] })
}
