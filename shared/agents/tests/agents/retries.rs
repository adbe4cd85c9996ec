//! Which failures are retried, for how long, and which are left to a new invocation. The rules are
//! the same for every provider.

use std::time::{Duration, Instant};

use crate::asking::{ask, ask_within, call, report, with_each_wire};
use crate::server::{ModelServer, Reply, answers, says};
use agents::{Agent, CallFailure, ProviderError};

fn slow_down(status: u16, retry_after: &str) -> Reply {
    let header = ("retry-after", retry_after.to_owned());
    Reply::Http(status, vec![header], "{}".to_owned())
}

#[tokio::test]
async fn it_waits_for_the_time_in_retry_after() {
    with_each_wire(|wire| async move {
        let script = [slow_down(429, "1"), answers(&report())];
        let server = ModelServer::start(wire, script).await;
        let start = Instant::now();
        let answer = ask(&server, Agent::Researcher).await.unwrap();
        assert!(start.elapsed() >= Duration::from_secs(1));
        assert_eq!(
            (answer.attempts, answer.usages.len()),
            (1, 1),
            "a repetition is no attempt"
        );
        assert_eq!(server.requests().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn it_leaves_a_too_long_retry_after_to_a_new_invocation() {
    with_each_wire(|wire| async move {
        let server = ModelServer::start(wire, [slow_down(429, "60")]).await;
        let error = ask(&server, Agent::Researcher).await.unwrap_err();
        assert!(error.is_worth_a_new_invocation());
        assert_eq!(error.retry_after(), Some(Duration::from_secs(60)));
        assert_eq!(server.requests().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn it_reads_a_retry_after_that_is_a_date() {
    with_each_wire(|wire| async move {
        let date = slow_down(503, "Fri, 31 Dec 2100 23:59:59 GMT");
        let server = ModelServer::start(wire, [date]).await;
        let error = ask(&server, Agent::Researcher).await.unwrap_err();
        assert!(error.retry_after() > Some(Duration::from_secs(1_000_000)));
    })
    .await;
}

/// Each provider's temporary failures.
fn passing() -> Vec<(&'static str, Reply)> {
    let body = |body: &str| Reply::Http(200, vec![], body.to_owned());
    vec![
        ("429", Reply::Fails(429, "too_fast")),
        (
            "500",
            Reply::Http(500, vec![], "<html>oops</html>".to_owned()),
        ),
        ("503", Reply::Fails(503, "overloaded")),
        ("Anthropic's 529", Reply::Fails(529, "overloaded_error")),
        ("Bedrock's 424", Reply::Fails(424, "ModelErrorException")),
        ("a hang", Reply::Hang),
        ("a closed connection", Reply::Close),
        ("garbage", body("<html>a proxy's page</html>")),
        ("another JSON", body("{\"choices\": [], \"content\": 7}")),
        ("nothing", body("")),
    ]
}

#[tokio::test]
async fn it_retries_temporary_failures() {
    with_each_wire(|wire| async move {
        for (name, fault) in passing() {
            let server = ModelServer::start(wire, [fault, answers(&report())]).await;
            let answer = ask(&server, Agent::Researcher).await;
            assert!(answer.is_ok(), "{name}: {answer:?}");
            assert_eq!(server.requests().len(), 2, "{name}");
        }
    })
    .await;
}

#[tokio::test]
async fn it_waits_for_an_answer_until_the_call_timeout() {
    with_each_wire(|wire| async move {
        let slowly = Reply::Slowly(Box::new(answers(&report())));
        let server = ModelServer::start(wire, [slowly]).await;
        assert!(ask(&server, Agent::Researcher).await.is_ok());
        assert_eq!(
            server.requests().len(),
            1,
            "no other timeout may end the call"
        );
    })
    .await;
}

#[tokio::test]
async fn it_limits_the_size_of_a_reply() {
    with_each_wire(|wire| async move {
        let endless = format!("[{}1]", "1,".repeat(5_000_000));
        let endless = Reply::Http(200, vec![], endless);
        let server = ModelServer::start(wire, [endless, answers(&report())]).await;
        assert!(ask(&server, Agent::Researcher).await.is_ok());
        assert_eq!(server.requests().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn it_begins_no_call_that_may_end_after_the_deadline() {
    with_each_wire(|wire| async move {
        let server = ModelServer::start(wire, [Reply::Hang]).await;
        let time = Duration::from_millis(2500);
        let start = Instant::now();
        let error = ask_within(time, &server, &call(Agent::Researcher))
            .await
            .unwrap_err();
        assert!(
            start.elapsed() < time,
            "the slice is over before the deadline"
        );
        let calls = server.requests().len();
        assert!(
            (1..=2).contains(&calls),
            "a third of 1 s and the margin would not fit: {calls} calls"
        );
        assert!(matches!(
            error.failure,
            CallFailure::Transient {
                source: ProviderError::Timeout(_),
                ..
            }
        ));
    })
    .await;
}

#[tokio::test]
async fn it_makes_no_request_when_too_little_time_is_left() {
    with_each_wire(|wire| async move {
        let server = ModelServer::start(wire, [answers(&report())]).await;
        let time = Duration::from_millis(1050);
        let error = ask_within(time, &server, &call(Agent::Researcher))
            .await
            .unwrap_err();
        assert!(matches!(error.failure, CallFailure::OutOfTime));
        assert!(error.is_worth_a_new_invocation());
        assert_eq!(
            (server.requests().len(), error.attempts, error.usages.len()),
            (0, 0, 0)
        );
    })
    .await;
}

const REFUSED: [(u16, &str, &str); 6] = [
    (
        400,
        "invalid_request_error",
        "The model service refused the request.",
    ),
    (
        400,
        "ValidationException",
        "The model service refused the request.",
    ),
    (
        401,
        "authentication_error",
        "The model service did not accept this deployment's credentials.",
    ),
    (
        403,
        "AccessDeniedException",
        "The model service did not accept this deployment's credentials.",
    ),
    (
        404,
        "not_found_error",
        "The model service does not have the model that was asked for.",
    ),
    (
        429,
        "insufficient_quota",
        "This deployment's quota at the model service is used up.",
    ),
];

#[tokio::test]
async fn it_does_not_retry_a_refused_request() {
    with_each_wire(|wire| async move {
        for (status, code, sentence) in REFUSED {
            let server = ModelServer::start(wire, [Reply::Fails(status, code)]).await;
            let error = ask(&server, Agent::Researcher).await.unwrap_err();
            assert_eq!(
                (error.code(), error.for_client()),
                ("model_rejected", sentence)
            );
            let CallFailure::Rejected(ProviderError::Status { code: kept, .. }) = &error.failure
            else {
                panic!("{error:?}")
            };
            assert_eq!(kept.as_deref(), Some(code));
            assert!(!error.is_worth_a_new_invocation());
            assert_eq!(server.requests().len(), 1);
            assert!(
                !format!("{error:?}").contains("own words"),
                "the provider's text must not be passed on"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn it_returns_the_cost_of_invalid_answers_if_the_provider_fails() {
    with_each_wire(|wire| async move {
        let script = [says("no JSON"), Reply::Fails(401, "invalid_api_key")];
        let server = ModelServer::start(wire, script).await;
        let error = ask(&server, Agent::Researcher).await.unwrap_err();
        assert!(matches!(error.failure, CallFailure::Rejected(_)));
        assert_eq!((error.attempts, error.usages.len()), (1, 1));
    })
    .await;
}
