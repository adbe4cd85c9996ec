//! Reading a page from its image: what is sent, what comes back, and who can't.

use std::time::{Duration, Instant};

use agents::{
    Agents, CallError, Failure, Misfit, ModelConfig, PAGE_READER, PageText, ProviderError,
};
use serde_json::json;

use crate::asking::config;
use crate::server::{ModelServer, choice, refuses, says_text};

/// The signature of a PNG is enough for whoever doesn't look.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

async fn read(config: ModelConfig, model: Option<&str>) -> Result<PageText, CallError> {
    let deadline = Instant::now() + Duration::from_secs(60);
    Agents::new(config)
        .unwrap()
        .read_page(PNG, model, deadline)
        .await
}

#[tokio::test]
async fn it_sends_the_image_and_gives_back_text_and_cost() {
    let server = ModelServer::start([says_text("# Tides\n\nThe moon pulls.\n")]).await;
    let page = read(config(&server), Some("gpt-4o-mini")).await.unwrap();
    assert_eq!(page.text, "# Tides\n\nThe moon pulls.");
    assert_eq!(page.usage.model, "gpt-4o-mini");
    assert_eq!(
        page.usage.cost_usd,
        Some(0.000_027),
        "100 at $0.15 and 20 at $0.6 a million"
    );
    let body = &server.requests()[0]["body"];
    assert_eq!(body.get("response_format"), None, "a page has no schema");
    let shown =
        json!([{"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}]);
    assert_eq!(body["messages"][1]["content"], shown);
    assert!(
        body["messages"][0]["content"]
            .as_str()
            .unwrap()
            .starts_with("You transcribe")
    );
}

#[tokio::test]
async fn it_repeats_what_passes_and_asks_no_second_time_for_a_page_that_did_not_fit() {
    let server = ModelServer::start([refuses(503, "overloaded"), says_text("[blank]")]).await;
    assert_eq!(read(config(&server), None).await.unwrap().text, "");
    let cut = choice(json!({"content": "# Ti"}), "length");
    let server = ModelServer::start([cut]).await;
    let error = read(config(&server), None).await.unwrap_err();
    assert!(matches!(error.failure, Failure::Misfit(Misfit::Cut)));
    assert_eq!(
        (error.asked, error.attempts, error.usages.len()),
        (PAGE_READER, 1, 1)
    );
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn the_offline_engine_says_that_it_reads_no_images() {
    let error = read(ModelConfig::default(), None).await.unwrap_err();
    assert!(matches!(
        error.failure,
        Failure::Rejected(ProviderError::ReadsNoImages)
    ));
    assert_eq!(error.code(), "model_rejected");
    assert_eq!(
        error.for_client(),
        "The model of this deployment cannot read images."
    );
    assert!(!error.is_worth_a_new_invocation() && error.usages.is_empty());
}
