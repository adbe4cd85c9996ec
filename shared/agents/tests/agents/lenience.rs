//! Replies that deviate from the documentation in one field: the answer in them counts.

use std::time::{Duration, Instant};

use agents::{Agent, CallFailure, Content, ProviderError};
use serde_json::{Value, json};

use crate::asking::{ask, report, with_each_wire};
use crate::server::{ModelServer, Reply, answers};
use crate::wires::{Wire, success};

/// A successful reply with this content and this usage.
fn envelope(wire: Wire, content: &Value, usage: &Value) -> Value {
    match wire {
        Wire::OpenAi => json!({"choices": [{"message": {"content": content}}], "usage": usage}),
        Wire::Anthropic => json!({"content": content, "usage": usage}),
        Wire::Bedrock => json!({"output": {"message": {"content": content}}, "usage": usage}),
    }
}

/// 100 input and 20 output tokens as other numbers.
fn floats(wire: Wire) -> Value {
    match wire {
        Wire::OpenAi => json!({"prompt_tokens": 100.0, "completion_tokens": 2e1}),
        Wire::Anthropic => json!({"input_tokens": 100.0, "output_tokens": 2e1}),
        Wire::Bedrock => json!({"inputTokens": 100.0, "outputTokens": 2e1, "totalTokens": "120"}),
    }
}

#[tokio::test]
async fn content_is_a_text_or_a_list_of_parts() {
    with_each_wire(|wire| async move {
        let text = report().to_string();
        let (begin, end) = text.split_at(30);
        for content in [
            json!(text),
            json!([{"text": text}]),
            json!([{"type": "text", "text": begin, "more": 1}, {"type": "text", "text": end}]),
            json!([{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}, {"type": "text", "text": text}]),
        ] {
            let reply = envelope(wire, &content, &floats(wire));
            let server = ModelServer::start(wire, [success(reply)]).await;
            let answer = ask(&server, Agent::Researcher).await.unwrap();
            assert_eq!(server.requests().len(), 1, "{content}");
            let [usage] = &answer.usages[..] else {
                panic!("{:?}", answer.usages)
            };
            assert_eq!(
                (usage.input_tokens, usage.output_tokens, usage.estimated),
                (100, 20, false)
            );
        }
    })
    .await;
}

#[tokio::test]
async fn a_usage_that_says_nothing_is_estimated_and_marked() {
    with_each_wire(|wire| async move {
        for usage in [
            json!(null),
            json!("none"),
            json!({}),
            json!({"prompt_tokens": -1, "input_tokens": null, "inputTokens": "x"}),
            json!({"prompt_tokens": 0, "completion_tokens": 0, "input_tokens": 0, "output_tokens": 0,
                "inputTokens": 0, "outputTokens": 0}),
        ] {
            let content = json!([{"text": report().to_string()}]);
            let server = ModelServer::start(wire, [success(envelope(wire, &content, &usage))]).await;
            let usages = ask(&server, Agent::Researcher).await.unwrap().usages;
            assert!(usages.len() == 1 && usages[0].estimated, "{usage}");
            assert!(usages[0].input_tokens > 100 && usages[0].output_tokens > 10);
            assert_eq!(server.requests().len(), 1);
        }
    })
    .await;
}

#[tokio::test]
async fn half_a_surrogate_pair_is_replaced_in_the_reply_and_in_the_answer() {
    with_each_wire(|wire| async move {
        let inside = report().to_string().replace("moon", "moon \\ud83d");
        let reply = envelope(wire, &json!([{"text": inside}]), &floats(wire)).to_string();
        let outside = report().to_string().replace("moon", "moon MARK");
        let outside = envelope(wire, &json!([{"text": outside}]), &floats(wire)).to_string();
        for body in [reply, outside.replace("MARK", "\\ud83d")] {
            let json = vec![("content-type", "application/json".to_owned())];
            let server = ModelServer::start(wire, [Reply::Http(200, json, body)]).await;
            let answer = ask(&server, Agent::Researcher).await.unwrap();
            let Content::Report(report) = answer.content else {
                panic!("no report")
            };
            assert_eq!(report.summary, "The moon \u{fffd} pulls.");
            assert_eq!(server.requests().len(), 1);
        }
    })
    .await;
}

#[tokio::test]
async fn an_error_in_a_successful_reply_is_the_error() {
    with_each_wire(|wire| async move {
        let error = |code: Value| success(json!({"type": "error", "error": code}));
        for (code, sentence) in [
            (
                json!({"code": 402, "message": "no credits"}),
                "This deployment's quota at the model service is used up.",
            ),
            (
                json!({"type": "authentication_error", "message": "own words"}),
                "The model service did not accept this deployment's credentials.",
            ),
        ] {
            let server = ModelServer::start(wire, [error(code)]).await;
            let failed = ask(&server, Agent::Researcher).await.unwrap_err();
            assert_eq!(
                (failed.code(), failed.for_client()),
                ("model_rejected", sentence)
            );
            assert_eq!((server.requests().len(), failed.usages.len()), (1, 0));
        }
        let busy = error(
            json!({"type": "overloaded_error", "metadata": {"headers": {"Retry-After": "1"}}}),
        );
        let server = ModelServer::start(wire, [busy, answers(&report())]).await;
        let start = Instant::now();
        let answer = ask(&server, Agent::Researcher).await.unwrap();
        assert!(
            start.elapsed() >= Duration::from_secs(1),
            "the pause that was asked for"
        );
        assert_eq!((answer.calls, answer.usages.len()), (2, 1));
    })
    .await;
}

#[tokio::test]
async fn a_reply_in_no_known_form_is_billed_and_asked_for_three_times_at_most() {
    with_each_wire(|wire| async move {
        for (body, billed) in [("{\"answer\": \"Tides.\"}", 3), ("<html>a proxy</html>", 0)] {
            let server =
                ModelServer::start(wire, [Reply::Http(200, vec![], body.to_owned())]).await;
            let error = ask(&server, Agent::Researcher).await.unwrap_err();
            assert!(matches!(
                error.failure,
                CallFailure::Rejected(ProviderError::Garbled)
            ));
            assert_eq!(error.code(), "model_unreadable");
            assert_eq!(
                (server.requests().len(), error.usages.len()),
                (3, billed),
                "{body}"
            );
            assert!(
                error
                    .usages
                    .iter()
                    .all(|usage| usage.estimated && usage.input_tokens > 100)
            );
            assert!(!error.is_worth_a_new_invocation());
        }
    })
    .await;
}
