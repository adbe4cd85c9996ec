//! Invalid answers: which are requested again, and how often.

use std::time::Duration;

use crate::asking::{ask, ask_within, call, plan, report, with_each_wire};
use crate::server::{ModelServer, Reply, answers, says};
use crate::wires::Wire;
use agents::{Agent, CallFailure, Content, Misfit};
use serde_json::json;
use session::RouteKind;
use workflow::AgentRequest;

#[tokio::test]
async fn it_repeats_the_request_with_the_validation_error() {
    with_each_wire(|wire| async move {
        let script = [answers(&json!({"content": "text"})), answers(&report())];
        let server = ModelServer::start(wire, script).await;
        let answer = ask(&server, Agent::Researcher).await.unwrap();
        assert_eq!(
            (answer.attempts, answer.usages.len()),
            (2, 2),
            "both answers cost money"
        );
        assert_eq!(server.message(1, 1), r#"{"content":"text"}"#);
        let told = server.message(1, 2);
        assert!(told.contains("\"summary\" is a required property"));
    })
    .await;
}

/// Invalid answers, and the message to the model about each.
fn unusable() -> [(Reply, &'static str); 6] {
    [
        (
            says("Here is your report: tides."),
            "not valid JSON: line 1, column 1",
        ),
        (
            Reply::IsCut("{\"content\": \"# Ti".to_owned()),
            "reached the limit of its length",
        ),
        (Reply::Refuses, "You gave no answer"),
        (says(""), "Your answer was empty"),
        (
            answers(&json!({"content": " ", "summary": "s"})),
            "/content",
        ),
        (
            answers(&json!({"content": "c", "summary": "s", "more": 1})),
            "'more' was unexpected",
        ),
    ]
}

#[tokio::test]
async fn it_repeats_the_request_after_any_invalid_answer() {
    with_each_wire(|wire| async move {
        for (reply, told) in unusable() {
            let server = ModelServer::start(wire, [reply, answers(&report())]).await;
            assert_eq!(ask(&server, Agent::Researcher).await.unwrap().attempts, 2);
            let message = server.message(1, 2);
            assert!(message.contains(told), "{told}: {message}");
        }
    })
    .await;
}

#[tokio::test]
async fn it_reports_a_filter_as_refused_and_a_full_window_as_cut() {
    let filtered =
        json!({"choices": [{"message": {"content": ""}, "finish_reason": "content_filter"}]});
    let full = json!({"content": [], "stop_reason": "model_context_window_exceeded"});
    let guarded = json!({
        "output": {"message": {"role": "assistant", "content": [{"text": "Blocked."}]}},
        "stopReason": "guardrail_intervened", "metrics": {"latencyMs": 1},
        "usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2},
    });
    for (wire, reply, told) in [
        (Wire::OpenAi, filtered, "You gave no answer"),
        (Wire::Anthropic, full, "reached the limit of its length"),
        (Wire::Bedrock, guarded, "You gave no answer"),
    ] {
        let reply = Reply::Http(200, vec![], reply.to_string());
        let server = ModelServer::start(wire, [reply, answers(&report())]).await;
        assert_eq!(ask(&server, Agent::Researcher).await.unwrap().attempts, 2);
        assert!(server.message(1, 2).contains(told), "{wire:?}");
    }
}

#[tokio::test]
async fn it_accepts_plain_text_and_json_in_a_markdown_fence() {
    with_each_wire(|wire| async move {
        for text in [
            report().to_string(),
            format!("```json\n{}\n```\n", report()),
        ] {
            let server = ModelServer::start(wire, [says(&text)]).await;
            assert_eq!(ask(&server, Agent::Researcher).await.unwrap().attempts, 1);
        }
    })
    .await;
}

#[tokio::test]
async fn it_limits_the_number_of_steps_of_a_plan() {
    let server = ModelServer::start(
        Wire::OpenAi,
        [answers(&plan(3)), answers(&plan(0)), answers(&plan(2))],
    )
    .await;
    assert_eq!(ask(&server, Agent::Planner).await.unwrap().attempts, 3);
    assert!(server.message(1, 2).contains("/steps: "));
}

#[tokio::test]
async fn it_refuses_a_step_for_an_agent_outside_the_team() {
    let by = |agent: &str| {
        let step = json!({"sub_task": "Think", "sub_task_agent": agent, "bullet_points": []});
        answers(&json!({ "steps": [step] }))
    };
    let server =
        ModelServer::start(Wire::OpenAi, [by("engineer"), by("poet"), by("idea_maker")]).await;
    let mut call = call(Agent::Planner);
    call.brief.team = ["idea_maker", "idea_hater"].map(str::to_owned).to_vec();
    let answer = ask_within(Duration::from_secs(10), &server, &call).await;
    let answer = answer.unwrap();
    assert_eq!(answer.attempts, 3);
    let Content::Plan(plan) = answer.content else {
        panic!("no plan: {:?}", answer.content)
    };
    assert_eq!(plan.steps[0].sub_task_agent, "idea_maker");
    let told = server.message(1, 2);
    assert!(told.contains("/steps/0/sub_task_agent: ") && told.contains("idea_hater"));
}

#[tokio::test]
async fn it_refuses_a_question_if_the_user_may_not_be_asked() {
    let way = |route: &str, agent: &str| {
        answers(&json!({"route": route, "agent": agent, "message": "Because."}))
    };
    let script = [
        way("clarify", "researcher"),
        way("planned", "idea_maker"),
        way("planned", "researcher"),
    ];
    let server = ModelServer::start(Wire::OpenAi, script).await;
    let mut call = call(Agent::CopilotControl);
    call.brief.may_ask = false;
    let answer = ask_within(Duration::from_secs(10), &server, &call).await;
    let answer = answer.unwrap();
    assert_eq!(answer.attempts, 3);
    assert!(matches!(answer.content, Content::Route(route) if route.route == RouteKind::Planned));
    assert!(server.message(1, 2).contains("/route: "));
    assert!(server.message(2, 2).contains("/agent: "));
}

#[tokio::test]
async fn it_refuses_ideas_of_a_wrong_number_or_length() {
    let ideas = |count: usize, title: &str| {
        let idea = json!({"title": title, "description": "d"});
        answers(&json!({"ideas": vec![idea; count], "content": "c", "summary": "s"}))
    };
    let script = [ideas(0, "t"), ideas(9, "t"), ideas(8, &"t".repeat(200))];
    let server = ModelServer::start(Wire::OpenAi, script).await;
    assert_eq!(ask(&server, Agent::IdeaMaker).await.unwrap().attempts, 3);
    for bad in [" ".to_owned(), "t".repeat(201)] {
        let server = ModelServer::start(Wire::OpenAi, [ideas(1, &bad), ideas(1, "t")]).await;
        assert_eq!(ask(&server, Agent::IdeaMaker).await.unwrap().attempts, 2);
        assert!(server.message(1, 2).contains("/ideas/0/title: "));
    }
}

#[tokio::test]
async fn it_refuses_a_plan_whose_total_size_is_too_large() {
    // Cyrillic text, because JSON Schema counts characters and the limit counts bytes. A step of
    // maximum length has more than 15 KB.
    let step = json!({
        "sub_task": "ж".repeat(2_000), "sub_task_agent": "researcher",
        "bullet_points": vec!["ж".repeat(500); 12],
    });
    let large = json!({"steps": vec![step; 5]});
    let server = ModelServer::start(Wire::OpenAi, [answers(&large), answers(&plan(2))]).await;
    let mut call = call(Agent::Planner);
    call.brief.max_steps = 5;
    let answer = ask_within(Duration::from_secs(10), &server, &call).await;
    assert_eq!(answer.unwrap().attempts, 2);
    assert!(server.message(1, 2).contains("at most 65536 fit"));
}

#[tokio::test]
async fn it_returns_only_the_last_invalid_answer_to_the_model() {
    with_each_wire(|wire| async move {
        let script = [says("first"), says("second"), answers(&report())];
        let server = ModelServer::start(wire, script).await;
        ask(&server, Agent::Researcher).await.unwrap();
        let last = &server.requests()[2]["body"];
        assert_eq!(wire.messages(last).len(), 3);
        assert_eq!(server.message(2, 1), "second");
    })
    .await;
}

#[tokio::test]
async fn it_stops_after_max_attempts_and_counts_all_of_them() {
    with_each_wire(|wire| async move {
        let server = ModelServer::start(wire, [says("no JSON")]).await;
        let error = ask(&server, Agent::Researcher).await.unwrap_err();
        assert!(matches!(
            error.failure,
            CallFailure::Misfit(Misfit::NotJson { line: 1, .. })
        ));
        assert_eq!(
            (error.attempts, error.usages.len(), server.requests().len()),
            (3, 3, 3)
        );
        assert_eq!(error.code(), "answer_not_json");
        assert!(!error.is_worth_a_new_invocation());
    })
    .await;
}

#[tokio::test]
async fn an_answer_without_a_fault_to_name_is_asked_for_twice_at_most() {
    with_each_wire(|wire| async move {
        for (reply, code, sentence) in [
            (
                Reply::IsCut("{\"content\": \"# Ti".to_owned()),
                "answer_cut",
                "The model's answer was cut by the length limit.",
            ),
            (says(""), "answer_empty", "The model's answer was empty."),
            (
                Reply::Refuses,
                "answer_refused",
                "The model refused to answer.",
            ),
        ] {
            let server = ModelServer::start(wire, [reply]).await;
            let error = ask(&server, Agent::Researcher).await.unwrap_err();
            assert_eq!((error.code(), error.for_client()), (code, sentence));
            let calls = server.requests().len();
            assert_eq!((calls, error.attempts, error.usages.len()), (2, 2, 2));
            let bodies: Vec<_> = server
                .requests()
                .iter()
                .map(|request| request["body"].clone())
                .collect();
            assert_ne!(
                bodies[0], bodies[1],
                "an identical call has the same result"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn a_cut_answer_is_no_reason_for_an_identical_call_in_a_new_invocation() {
    with_each_wire(|wire| async move {
        let cut = || Reply::IsCut("{\"content\": \"# Ti".to_owned());
        for script in [
            vec![cut(), Reply::Hang],
            vec![Reply::Slowly(Box::new(cut()))],
        ] {
            let server = ModelServer::start(wire, script).await;
            let time = Duration::from_millis(1600);
            let error = ask_within(time, &server, &call(Agent::Researcher))
                .await
                .unwrap_err();
            assert!(matches!(error.failure, CallFailure::Misfit(Misfit::Cut)));
            assert!(!error.is_worth_a_new_invocation());
        }
    })
    .await;
}

#[tokio::test]
async fn a_whole_answer_before_the_cut_counts() {
    with_each_wire(|wire| async move {
        let whole = Reply::IsCut(format!("{} By the", report()));
        let server = ModelServer::start(wire, [whole]).await;
        assert_eq!(ask(&server, Agent::Researcher).await.unwrap().attempts, 1);
    })
    .await;
}

#[tokio::test]
async fn it_makes_no_further_request_once_the_budget_is_spent() {
    with_each_wire(|wire| async move {
        let server = ModelServer::start(wire, [says("no JSON")]).await;
        let call = AgentRequest {
            max_cost_usd: Some(0.000_000_1),
            ..call(Agent::Researcher)
        };
        let error = ask_within(Duration::from_secs(10), &server, &call)
            .await
            .unwrap_err();
        assert!(error.usages[0].cost_usd.unwrap() > 0.000_000_1);
        assert_eq!((error.attempts, server.requests().len()), (1, 1));
    })
    .await;
}
