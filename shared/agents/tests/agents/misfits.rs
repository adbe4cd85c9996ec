//! What is asked for again, and how often.

use std::time::Duration;

use crate::asking::{ask, ask_within, call, message, plan, report};
use crate::server::{ModelServer, choice, says, says_text};
use agents::{Agent, AgentCall, Content, Failure, Misfit, RouteKind, StepAgent};
use serde_json::json;

#[tokio::test]
async fn it_asks_again_with_the_validation_error() {
    let server = ModelServer::start([says(&json!({"content": "text"})), says(&report())]).await;
    let answer = ask(&server, Agent::Researcher).await.unwrap();
    assert_eq!(
        (answer.attempts, answer.usages.len()),
        (2, 2),
        "both answers cost money"
    );
    assert_eq!(message(&server, 1, 2), r#"{"content":"text"}"#);
    assert!(message(&server, 1, 3).contains("\"summary\" is a required property"));
}

#[tokio::test]
async fn it_asks_again_for_whatever_does_not_fit() {
    let refusal = json!({"role": "assistant", "content": null, "refusal": "I won't."});
    let cut = json!({"role": "assistant", "content": "{\"content\": \"# Ti"});
    let bad = [
        (
            says_text("Here is your report: tides."),
            "not valid JSON: line 1, column 1",
        ),
        (choice(cut, "length"), "cut off because it was too long"),
        (choice(refusal, "stop"), "You gave no answer"),
        (
            choice(json!({"content": ""}), "content_filter"),
            "You gave no answer",
        ),
        (says_text(""), "Your answer was empty"),
        (says(&json!({"content": " ", "summary": "s"})), "/content"),
        (
            says(&json!({"content": "c", "summary": "s", "more": 1})),
            "'more' was unexpected",
        ),
    ];
    for (reply, told) in bad {
        let server = ModelServer::start([reply, says(&report())]).await;
        assert_eq!(ask(&server, Agent::Researcher).await.unwrap().attempts, 2);
        assert!(
            message(&server, 1, 3).contains(told),
            "{told}: {}",
            message(&server, 1, 3)
        );
    }
}

#[tokio::test]
async fn it_accepts_json_in_a_markdown_fence() {
    let server = ModelServer::start([says_text(&format!("```json\n{}\n```\n", report()))]).await;
    assert_eq!(ask(&server, Agent::Researcher).await.unwrap().attempts, 1);
}

#[tokio::test]
async fn it_holds_a_plan_to_its_number_of_steps() {
    let server = ModelServer::start([says(&plan(3)), says(&plan(0)), says(&plan(2))]).await;
    assert_eq!(ask(&server, Agent::Planner).await.unwrap().attempts, 3);
    assert!(message(&server, 1, 3).contains("/steps: "));
}

#[tokio::test]
async fn it_asks_again_for_a_step_that_is_given_to_an_agent_outside_the_team() {
    let by = |agent: &str| {
        let step = json!({"sub_task": "Think", "sub_task_agent": agent, "bullet_points": []});
        says(&json!({ "steps": [step] }))
    };
    let server = ModelServer::start([by("engineer"), by("poet"), by("idea_maker")]).await;
    let mut call = call(Agent::Planner);
    call.brief.team = vec![StepAgent::IdeaMaker, StepAgent::IdeaHater];
    let answer = ask_within(Duration::from_secs(10), &server, &call).await;
    let answer = answer.unwrap();
    assert_eq!(answer.attempts, 3);
    let Content::Plan(plan) = answer.content else {
        panic!("no plan: {:?}", answer.content)
    };
    assert_eq!(plan.steps[0].sub_task_agent, StepAgent::IdeaMaker);
    let told = message(&server, 1, 3);
    assert!(told.contains("/steps/0/sub_task_agent: ") && told.contains("idea_hater"));
}

#[tokio::test]
async fn it_asks_again_for_a_question_to_a_user_who_may_not_be_asked() {
    let way = |route: &str, agent: &str| {
        says(&json!({"route": route, "agent": agent, "message": "Because."}))
    };
    let script = [
        way("clarify", "researcher"),
        way("planned", "idea_maker"),
        way("planned", "researcher"),
    ];
    let server = ModelServer::start(script).await;
    let mut call = call(Agent::CopilotControl);
    call.brief.may_ask = false;
    let answer = ask_within(Duration::from_secs(10), &server, &call).await;
    let answer = answer.unwrap();
    assert_eq!(answer.attempts, 3);
    assert!(matches!(answer.content, Content::Route(route) if route.route == RouteKind::Planned));
    assert!(message(&server, 1, 3).contains("/route: "));
    assert!(message(&server, 2, 3).contains("/agent: "));
}

#[tokio::test]
async fn it_asks_again_for_ideas_of_another_number_or_length() {
    let ideas = |count: usize, title: &str| {
        let idea = json!({"title": title, "description": "d"});
        says(&json!({"ideas": vec![idea; count], "content": "c", "summary": "s"}))
    };
    let script = [ideas(0, "t"), ideas(9, "t"), ideas(8, &"t".repeat(200))];
    let server = ModelServer::start(script).await;
    assert_eq!(ask(&server, Agent::IdeaMaker).await.unwrap().attempts, 3);
    for bad in [" ".to_owned(), "t".repeat(201)] {
        let server = ModelServer::start([ideas(1, &bad), ideas(1, "t")]).await;
        assert_eq!(ask(&server, Agent::IdeaMaker).await.unwrap().attempts, 2);
        assert!(message(&server, 1, 3).contains("/ideas/0/title: "));
    }
}

#[tokio::test]
async fn it_asks_again_for_a_plan_whose_steps_are_too_much_together() {
    // In Cyrillic, as JSON counts characters and a record bytes: a step of the longest has 15 KB and more.
    let step = json!({
        "sub_task": "ж".repeat(2_000), "sub_task_agent": "researcher",
        "bullet_points": vec!["ж".repeat(500); 12],
    });
    let large = json!({"steps": vec![step; 5]});
    let server = ModelServer::start([says(&large), says(&plan(2))]).await;
    let mut call = call(Agent::Planner);
    call.brief.max_steps = 5;
    let answer = ask_within(Duration::from_secs(10), &server, &call).await;
    assert_eq!(answer.unwrap().attempts, 2);
    assert!(message(&server, 1, 3).contains("at most 65536 fit"));
}

#[tokio::test]
async fn it_shows_the_model_only_its_last_misfit() {
    let server =
        ModelServer::start([says_text("first"), says_text("second"), says(&report())]).await;
    ask(&server, Agent::Researcher).await.unwrap();
    assert_eq!(
        server.requests()[2]["body"]["messages"]
            .as_array()
            .unwrap()
            .len(),
        4
    );
    assert_eq!(message(&server, 2, 2), "second");
}

#[tokio::test]
async fn it_gives_up_after_max_attempts_and_counts_them_all() {
    let server = ModelServer::start([says_text("no JSON")]).await;
    let error = ask(&server, Agent::Researcher).await.unwrap_err();
    assert!(matches!(
        error.failure,
        Failure::Misfit(Misfit::NotJson { line: 1, .. })
    ));
    assert_eq!(
        (error.attempts, error.usages.len(), server.requests().len()),
        (3, 3, 3)
    );
    assert_eq!(error.code(), "answer_misfit");
    assert!(!error.is_worth_a_new_invocation());
}

#[tokio::test]
async fn it_does_not_ask_again_once_its_answers_have_cost_what_they_may() {
    let server = ModelServer::start([says_text("no JSON")]).await;
    let call = AgentCall {
        max_cost_usd: Some(0.000_000_1),
        ..call(Agent::Researcher)
    };
    let error = ask_within(Duration::from_secs(10), &server, &call)
        .await
        .unwrap_err();
    assert!(error.usages[0].cost_usd.unwrap() > 0.000_000_1);
    assert_eq!((error.attempts, server.requests().len()), (1, 1));
}
