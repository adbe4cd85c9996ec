//! What a call may spend: output tokens, provider calls over all tries of a stage, the budget, and
//! the hosts that it sends a key to.

use std::time::{Duration, Instant};

use agents::{Agent, Agents, CallFailure, ModelConfig, ProviderError};
use workflow::AgentRequest;

use crate::asking::{ask, ask_within, call, config, report, with_each_wire};
use crate::server::{ModelServer, Reply, answers, says};
use crate::wires::Wire;

#[tokio::test]
async fn a_deployment_sets_the_longest_answer() {
    with_each_wire(|wire| async move {
        let server = ModelServer::start(wire, [answers(&report())]).await;
        let settings = ModelConfig {
            max_output_tokens: Some(777),
            ..config(&server)
        };
        let agents = Agents::new(settings).unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        agents
            .call(&call(Agent::Researcher), deadline)
            .await
            .unwrap();
        let body = &server.requests()[0]["body"];
        let limit = match wire {
            Wire::Bedrock => &body["inferenceConfig"]["maxTokens"],
            Wire::OpenAi | Wire::Anthropic => &body["max_tokens"],
        };
        assert_eq!(limit, 777);
    })
    .await;
}

#[tokio::test]
async fn a_stage_has_ten_provider_calls_over_all_its_tries() {
    with_each_wire(|wire| async move {
        let server = ModelServer::start(wire, [Reply::Fails(503, "overloaded")]).await;
        let (mut calls, mut tries) = (0, 0);
        loop {
            let request = AgentRequest {
                earlier_calls: calls,
                ..call(Agent::Researcher)
            };
            let time = Duration::from_millis(1250);
            let error = ask_within(time, &server, &request).await.unwrap_err();
            (calls, tries) = (calls + error.calls, tries + 1);
            assert_eq!(error.code(), "model_unavailable");
            if !error.is_worth_a_new_invocation() {
                break;
            }
        }
        assert!(tries > 1, "an invocation has no time for ten calls");
        assert_eq!((calls, server.requests().len()), (10, 10));
    })
    .await;
}

#[tokio::test]
async fn invalid_answers_and_failures_share_the_calls() {
    with_each_wire(|wire| async move {
        let script = [Reply::Fails(503, "overloaded"), says("no JSON")];
        let server = ModelServer::start(wire, script).await;
        let request = AgentRequest {
            earlier_calls: 8,
            ..call(Agent::Researcher)
        };
        let error = ask_within(Duration::from_secs(10), &server, &request).await;
        let error = error.unwrap_err();
        assert_eq!((error.code(), error.calls), ("answer_not_json", 2));
        assert_eq!(server.requests().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_billed_failure_is_not_repeated_beyond_the_budget() {
    let error =
        r#"{"error": {"code": 503}, "usage": {"prompt_tokens": 100, "completion_tokens": 20}}"#;
    let failing = Reply::Http(200, vec![], error.to_owned());
    let server = ModelServer::start(Wire::OpenAi, [failing]).await;
    let request = AgentRequest {
        max_cost_usd: Some(1.5 * Wire::OpenAi.cost()),
        ..call(Agent::Researcher)
    };
    let error = ask_within(Duration::from_secs(10), &server, &request).await;
    let error = error.unwrap_err();
    assert!(matches!(error.failure, CallFailure::Transient { .. }));
    assert_eq!((error.usages.len(), server.requests().len()), (2, 2));
}

#[tokio::test]
async fn it_follows_no_redirect() {
    with_each_wire(|wire| async move {
        let elsewhere = ModelServer::start(wire, [answers(&report())]).await;
        for status in [301, 302, 307, 308] {
            let moved = vec![("location", elsewhere.url())];
            let server =
                ModelServer::start(wire, [Reply::Http(status, moved, String::new())]).await;
            let error = ask(&server, Agent::Researcher).await.unwrap_err();
            assert!(matches!(
                error.failure,
                CallFailure::Rejected(ProviderError::Status { .. })
            ));
            assert_eq!(
                error.for_client(),
                "The model service refers to another address, which is not asked."
            );
            assert_eq!(server.requests().len(), 1);
        }
        assert_eq!(elsewhere.requests().len(), 0, "it would get the key");
    })
    .await;
}
