//! Reading a page from its image: the request, the result, and providers without image support.

use std::time::{Duration, Instant};

use agents::{
    Agent, Agents, CallError, CallFailure, Misfit, ModelConfig, PAGE_READER, PageAnswer,
    ProviderError,
};
use serde_json::{Value, json};

use crate::asking::{call, config, with_each_wire};
use crate::server::{ModelServer, Reply, says};
use crate::wires::Wire;

/// The signature of a PNG is enough, because the server does not decode it.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
const BASE64: &str = "iVBORw0KGgo=";

async fn read(config: ModelConfig) -> Result<PageAnswer, CallError> {
    let deadline = Instant::now() + Duration::from_secs(60);
    Agents::new(config)
        .unwrap()
        .read_page(PNG, &call(Agent::Researcher), deadline)
        .await
}

/// The image in each provider's format.
fn shown(wire: Wire) -> Value {
    match wire {
        Wire::OpenAi => {
            json!([{"type": "image_url", "image_url": {"url": format!("data:image/png;base64,{BASE64}")}}])
        }
        Wire::Anthropic => {
            json!([{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": BASE64}}])
        }
        Wire::Bedrock => json!([{"image": {"format": "png", "source": {"bytes": BASE64}}}]),
    }
}

#[tokio::test]
async fn it_sends_the_image_and_returns_text_and_cost() {
    with_each_wire(|wire| async move {
        let server = ModelServer::start(wire, [says("# Tides\n\nThe moon pulls.\n")]).await;
        let page = read(config(&server)).await.unwrap();
        assert_eq!(page.text, "# Tides\n\nThe moon pulls.");
        assert_eq!(page.model, wire.model());
        let [usage] = &page.usages[..] else {
            panic!("one reply: {page:?}")
        };
        assert_eq!(
            (usage.model.as_str(), usage.cost_usd),
            (wire.model(), Some(wire.cost()))
        );
        assert!(server.system(0).starts_with("You transcribe"));
        assert_eq!(server.schema(0), Value::Null, "a page has no schema");
        let messages = server.requests()[0]["body"]["messages"].clone();
        let last = messages.as_array().unwrap().last().unwrap();
        assert_eq!(last["content"], shown(wire));
    })
    .await;
}

#[tokio::test]
async fn it_retries_temporary_failures_but_not_an_invalid_page() {
    with_each_wire(|wire| async move {
        let script = [Reply::Fails(503, "overloaded"), says("[blank]")];
        let server = ModelServer::start(wire, script).await;
        assert_eq!(read(config(&server)).await.unwrap().text, "");
        let server = ModelServer::start(wire, [Reply::IsCut("# Ti".to_owned())]).await;
        let error = read(config(&server)).await.unwrap_err();
        assert!(matches!(error.failure, CallFailure::Misfit(Misfit::Cut)));
        assert_eq!(
            (error.asked, error.attempts, error.usages.len()),
            (PAGE_READER, 1, 1)
        );
        assert_eq!(server.requests().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn the_offline_engine_reports_that_it_reads_no_images() {
    let error = read(ModelConfig::default()).await.unwrap_err();
    assert!(matches!(
        error.failure,
        CallFailure::Rejected(ProviderError::ReadsNoImages)
    ));
    assert_eq!(error.code(), "model_rejected");
    assert_eq!(
        error.for_client(),
        "The model of this deployment cannot read images."
    );
    assert!(!error.is_worth_a_new_invocation() && error.usages.is_empty());
}
