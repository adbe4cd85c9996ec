//! What is repeated, for how long, and what is left to a new invocation.

use std::time::{Duration, Instant};

use crate::asking::{ask, ask_within, call, report};
use crate::server::{ModelServer, Reply, refuses, says, says_text};
use agents::{Agent, Failure, ProviderError};

#[tokio::test]
async fn it_waits_as_long_as_retry_after_says() {
    let slow_down = Reply::Http(429, vec![("retry-after", "1".to_owned())], String::new());
    let server = ModelServer::start([slow_down, says(&report())]).await;
    let start = Instant::now();
    let answer = ask(&server, Agent::Researcher).await.unwrap();
    assert!(start.elapsed() >= Duration::from_secs(1));
    assert_eq!(
        (answer.attempts, answer.usages.len()),
        (1, 1),
        "a repetition is no attempt"
    );
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn it_leaves_a_retry_after_that_does_not_fit_to_a_new_invocation() {
    let slow_down = Reply::Http(429, vec![("retry-after", "60".to_owned())], String::new());
    let server = ModelServer::start([slow_down]).await;
    let error = ask(&server, Agent::Researcher).await.unwrap_err();
    assert!(error.is_worth_a_new_invocation());
    assert_eq!(error.retry_after(), Some(Duration::from_secs(60)));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn it_understands_a_retry_after_that_is_a_date() {
    let date = Reply::Http(
        503,
        vec![("retry-after", "Fri, 31 Dec 2100 23:59:59 GMT".to_owned())],
        String::new(),
    );
    let server = ModelServer::start([date]).await;
    let error = ask(&server, Agent::Researcher).await.unwrap_err();
    assert!(error.retry_after() > Some(Duration::from_secs(1_000_000)));
}

#[tokio::test]
async fn it_repeats_what_passes() {
    let passing = [
        (
            "500",
            Reply::Http(500, vec![], "<html>oops</html>".to_owned()),
        ),
        ("503", refuses(503, "overloaded")),
        ("a hang", Reply::Hang),
        ("a closed connection", Reply::Close),
        (
            "a reply without an end",
            Reply::Http(200, vec![], format!("[{}1]", "1,".repeat(5_000_000))),
        ),
        (
            "garbage",
            Reply::Http(200, vec![], "<html>a proxy's page</html>".to_owned()),
        ),
        (
            "another JSON",
            Reply::Http(200, vec![], "{\"choices\": []}".to_owned()),
        ),
    ];
    for (name, fault) in passing {
        let server = ModelServer::start([fault, says(&report())]).await;
        let answer = ask(&server, Agent::Researcher).await;
        assert!(answer.is_ok(), "{name}: {answer:?}");
        assert_eq!(server.requests().len(), 2, "{name}");
    }
}

#[tokio::test]
async fn it_never_begins_a_call_that_might_not_end_before_the_deadline() {
    let server = ModelServer::start([Reply::Hang]).await;
    let time = Duration::from_millis(2500);
    let error = ask_within(time, &server, &call(Agent::Researcher))
        .await
        .unwrap_err();
    let calls = server.requests().len();
    assert!(
        (1..=2).contains(&calls),
        "a third of 1 s and the margin would not fit: {calls} calls"
    );
    assert!(matches!(
        error.failure,
        Failure::Transient {
            retry_after: None,
            source: ProviderError::Timeout(_)
        }
    ));
}

#[tokio::test]
async fn it_asks_nothing_when_too_little_time_is_left() {
    let server = ModelServer::start([says(&report())]).await;
    let error = ask_within(
        Duration::from_millis(1050),
        &server,
        &call(Agent::Researcher),
    )
    .await
    .unwrap_err();
    assert!(matches!(error.failure, Failure::OutOfTime));
    assert!(error.is_worth_a_new_invocation());
    assert_eq!(
        (server.requests().len(), error.attempts, error.usages.len()),
        (0, 0, 0)
    );
}

#[tokio::test]
async fn it_does_not_repeat_what_is_refused() {
    let refused = [
        (
            refuses(400, "invalid_request_error"),
            "The model service refused the request.",
        ),
        (
            refuses(401, "invalid_api_key"),
            "The model service did not accept this deployment's credentials.",
        ),
        (
            refuses(404, "model_not_found"),
            "The model service does not have the model that was asked for.",
        ),
        (
            refuses(429, "insufficient_quota"),
            "This deployment's quota at the model service is used up.",
        ),
    ];
    for (reply, sentence) in refused {
        let server = ModelServer::start([reply]).await;
        let error = ask(&server, Agent::Researcher).await.unwrap_err();
        assert_eq!(
            (error.code(), error.for_client()),
            ("model_rejected", sentence)
        );
        assert!(!error.is_worth_a_new_invocation());
        assert_eq!(server.requests().len(), 1);
        assert!(
            !format!("{error:?}").contains("own words"),
            "the provider's text goes nowhere"
        );
    }
}

#[tokio::test]
async fn it_returns_the_cost_of_misfits_when_the_provider_fails_later() {
    let server = ModelServer::start([says_text("no JSON"), refuses(401, "invalid_api_key")]).await;
    let error = ask(&server, Agent::Researcher).await.unwrap_err();
    assert!(matches!(error.failure, Failure::Rejected(_)));
    assert_eq!((error.attempts, error.usages.len()), (1, 1));
}
