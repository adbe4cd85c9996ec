//! The choice of the provider, by default or by a prefix, and invalid settings.

use std::time::{Duration, Instant};

use agents::{
    Agent, Agents, CallError, CallFailure, Key, ModelAnswer, ModelConfig, ProviderError,
    ProviderKind, Secret, ServiceSettings,
};
use workflow::AgentRequest;

use crate::asking::{call, config, report};
use crate::server::{ModelServer, answers};
use crate::wires::{KEY, Wire};

async fn ask(agents: &Agents, model: Option<&str>) -> Result<ModelAnswer, CallError> {
    let call = AgentRequest {
        model: model.map(str::to_owned),
        max_attempts: 1,
        ..call(Agent::Researcher)
    };
    agents
        .call(&call, Instant::now() + Duration::from_secs(10))
        .await
}

#[tokio::test]
async fn a_prefix_precedes_the_deployments_provider() {
    let [openai, anthropic, bedrock] =
        Wire::ALL.map(|wire| ModelServer::start(wire, [answers(&report())]));
    let (openai, anthropic, bedrock) = (openai.await, anthropic.await, bedrock.await);
    let mut settings = config(&openai);
    for server in [&anthropic, &bedrock] {
        settings.also.push(server.wire.kind());
        settings = server.wire.set_up(settings, &server.url());
    }
    settings.also.push(ProviderKind::Ollama);
    settings.ollama_base_url = Some(format!("{}/v1", openai.url()));
    let agents = Agents::new(settings).unwrap();
    for (asked_for, server, called, price) in [
        (None, &openai, "gpt-5-mini", true),
        (Some("openai/gpt-4.1"), &openai, "gpt-4.1", true),
        (
            Some("mistralai/Mistral-7B"),
            &openai,
            "mistralai/Mistral-7B",
            false,
        ),
        (Some("ollama/llama3.3"), &openai, "llama3.3", false),
        (
            Some("anthropic/claude-opus-5-5"),
            &anthropic,
            "claude-opus-5-5",
            true,
        ),
        (
            Some("bedrock/amazon.nova-pro-v1:0"),
            &bedrock,
            "amazon.nova-pro-v1:0",
            true,
        ),
    ] {
        let before = server.requests().len();
        let answer = ask(&agents, asked_for).await.unwrap();
        assert_eq!(
            answer.model,
            asked_for.unwrap_or("gpt-5-mini"),
            "as it was asked for"
        );
        assert_eq!(answer.usages[0].model, answer.model);
        assert_eq!(answer.usages[0].cost_usd.is_some(), price, "{asked_for:?}");
        let request = &server.requests()[before];
        if server.wire == Wire::Bedrock {
            assert_eq!(request["path"], "/model/amazon.nova-pro-v1%3A0/converse");
        } else {
            assert_eq!(request["body"]["model"], called);
        }
        let has_key = !request["headers"]["authorization"].is_null()
            || !request["headers"]["x-api-key"].is_null();
        assert_eq!(
            has_key,
            asked_for != Some("ollama/llama3.3"),
            "no other service's key may be sent to a custom server"
        );
    }
    let offline = ask(&agents, Some("offline/extract-1")).await.unwrap();
    assert_eq!(offline.usages[0].cost_usd, Some(0.0));
}

#[tokio::test]
async fn a_provider_that_is_not_set_up_fails_the_step_by_name() {
    let agents = Agents::new(ModelConfig::default()).unwrap();
    let error = ask(&agents, Some("bedrock/amazon.nova-pro-v1:0"))
        .await
        .unwrap_err();
    assert!(matches!(
        error.failure,
        CallFailure::Rejected(ProviderError::NotSetUp(_))
    ));
    assert_eq!(error.code(), "model_rejected");
    assert_eq!(
        error.for_client(),
        "The provider of the model is not set up in this deployment."
    );
    assert!(!error.is_worth_a_new_invocation() && error.usages.is_empty());
}

fn with_key(key: Option<&str>, base_url: Option<&str>) -> ServiceSettings {
    ServiceSettings {
        base_url: base_url.map(str::to_owned),
        key: key.map(|key| Key::Given(Secret::new(key))),
    }
}

/// The settings of a deployment with OpenAI's models.
fn good() -> ModelConfig {
    ModelConfig {
        provider: ProviderKind::OpenAi,
        model_id: Some("m".to_owned()),
        openai: with_key(Some(KEY), None),
        ..ModelConfig::default()
    }
}

#[test]
fn it_names_the_invalid_variable() {
    assert!(Agents::new(good()).is_ok());
    let own_url = with_key(None, Some("http://localhost:1/v1"));
    let keyless = ModelConfig {
        openai: own_url,
        ..good()
    };
    assert!(
        Agents::new(keyless).is_ok(),
        "a custom service may have no key"
    );
    let openai = |openai| ModelConfig { openai, ..good() };
    for safe in [
        "https://models.example/v1",
        "http://127.0.0.1:80/v1",
        "http://[::1]/v1",
    ] {
        assert!(
            Agents::new(openai(with_key(Some(KEY), Some(safe)))).is_ok(),
            "{safe}"
        );
    }
    let anthropic = |anthropic| ModelConfig {
        also: vec![ProviderKind::Anthropic],
        anthropic,
        ..good()
    };
    let bad = [
        (
            ModelConfig {
                model_id: None,
                ..good()
            },
            "MODEL_ID",
        ),
        (
            ModelConfig {
                model_id: Some("ollama/m".to_owned()),
                ..good()
            },
            "MODEL_ID",
        ),
        (
            openai(with_key(None, None)),
            "OPENAI_API_KEY is missing, and so is OPENAI_API_KEY_SECRET",
        ),
        (openai(with_key(Some("two\nlines"), None)), "OPENAI_API_KEY"),
        (
            openai(with_key(Some(KEY), Some("localhost:80"))),
            "OPENAI_BASE_URL",
        ),
        (openai(with_key(Some(KEY), Some(""))), "OPENAI_BASE_URL"),
        (
            openai(with_key(Some(KEY), Some("http://models.example/v1"))),
            "OPENAI_BASE_URL must be an https URL, or an http URL of this machine",
        ),
        (
            anthropic(with_key(Some(KEY), Some("http://10.0.0.7"))),
            "ANTHROPIC_BASE_URL",
        ),
        (
            openai(with_key(Some(KEY), Some("http://localhost.example/v1"))),
            "OPENAI_BASE_URL",
        ),
        (
            anthropic(with_key(None, None)),
            "ANTHROPIC_API_KEY is missing",
        ),
        (
            anthropic(with_key(Some(KEY), Some("ftp://x"))),
            "ANTHROPIC_BASE_URL",
        ),
        (
            ModelConfig {
                also: vec![ProviderKind::Bedrock],
                ..good()
            },
            "MODEL_PROVIDERS",
        ),
        (
            ModelConfig {
                also: vec![ProviderKind::Ollama],
                ollama_base_url: Some("here".to_owned()),
                ..good()
            },
            "OLLAMA_BASE_URL",
        ),
        (
            ModelConfig {
                invocation: good().call_timeout + good().margin,
                ..good()
            },
            "FUNCTION_TIMEOUT_SECONDS must be more than MODEL_TIMEOUT_SECONDS and STEP_MARGIN_SECONDS",
        ),
        (
            ModelConfig {
                offline_latency: Duration::from_secs(150),
                ..ModelConfig::default()
            },
            "OFFLINE_LATENCY_MS",
        ),
    ];
    for (config, variable) in bad {
        let error = Agents::new(config).unwrap_err().to_string();
        assert!(error.contains(variable), "{variable}: {error}");
    }
    let unknown = "bedrok".parse::<ProviderKind>().unwrap_err();
    assert!(unknown.to_string().contains("MODEL_PROVIDER"));
}
