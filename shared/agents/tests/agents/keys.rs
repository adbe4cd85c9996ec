//! Keys from a key store: read at the first use, cached, and read again after a refusal.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use agents::{
    Agent, Agents, CallFailure, Fetching, Key, KeyError, KeyStore, ModelConfig, ProviderError,
    Secret,
};

use workflow::AgentRequest;

use crate::asking::{call, config, report};
use crate::server::{ModelServer, Reply, answers};
use crate::wires::Wire;

/// Returns these keys in turn; none is a permanent failure.
#[derive(Debug)]
struct Vault(Mutex<Vec<Option<&'static str>>>);

impl KeyStore for Vault {
    fn fetch(&self) -> Fetching<'_> {
        let next = self.0.lock().unwrap().remove(0);
        Box::pin(async move {
            next.map(Secret::new).ok_or_else(|| KeyError {
                passes: false,
                source: "no such secret".into(),
            })
        })
    }
}

fn with_vault(server: &ModelServer, keys: &[Option<&'static str>]) -> ModelConfig {
    let vault = Some(Key::Kept(Arc::new(Vault(Mutex::new(keys.to_vec())))));
    let mut config = config(server);
    match server.wire {
        Wire::Anthropic => config.anthropic.key = vault,
        _ => config.openai.key = vault,
    }
    config
}

/// The keys that the service has received.
fn seen(server: &ModelServer) -> Vec<String> {
    let requests = server.requests();
    let key = |request: &serde_json::Value| match server.wire {
        Wire::Anthropic => request["headers"]["x-api-key"].as_str().map(str::to_owned),
        _ => request["headers"]["authorization"]
            .as_str()
            .map(str::to_owned),
    };
    requests.iter().filter_map(key).collect()
}

async fn ask(agents: &Agents) -> Result<agents::ModelAnswer, agents::CallError> {
    let deadline = Instant::now() + Duration::from_secs(10);
    let call = AgentRequest {
        max_attempts: 1,
        ..call(Agent::Researcher)
    };
    agents.call(&call, deadline).await
}

#[tokio::test]
async fn a_rotated_key_costs_one_refused_request() {
    for (wire, old, new) in [
        (Wire::OpenAi, "Bearer old", "Bearer new"),
        (Wire::Anthropic, "old", "new"),
    ] {
        let script = [
            answers(&report()),
            Reply::Fails(401, "bad_key"),
            answers(&report()),
        ];
        let server = ModelServer::start(wire, script).await;
        let agents = Agents::new(with_vault(&server, &[Some("old"), Some("new")])).unwrap();
        for _ in 0..3 {
            ask(&agents).await.unwrap();
        }
        assert_eq!(seen(&server), [old, old, new, new]);
    }
}

#[tokio::test]
async fn a_permanently_refused_key_fails_the_call() {
    for wire in [Wire::OpenAi, Wire::Anthropic] {
        let server = ModelServer::start(wire, [Reply::Fails(401, "bad_key")]).await;
        let agents = Agents::new(with_vault(&server, &[Some("same"), Some("same")])).unwrap();
        let error = ask(&agents).await.unwrap_err();
        assert_eq!(
            error.for_client(),
            "The model service did not accept this deployment's credentials."
        );
        assert_eq!(
            server.requests().len(),
            1,
            "the same key is not tried twice"
        );
    }
}

#[tokio::test]
async fn an_unreadable_key_fails_the_call_before_a_request() {
    let server = ModelServer::start(Wire::Anthropic, [answers(&report())]).await;
    let agents = Agents::new(with_vault(&server, &[None])).unwrap();
    let error = ask(&agents).await.unwrap_err();
    assert!(matches!(
        error.failure,
        CallFailure::Rejected(ProviderError::Key(_))
    ));
    assert_eq!(
        error.for_client(),
        "This deployment's key for the model service could not be read."
    );
    assert!(server.requests().is_empty());
}
