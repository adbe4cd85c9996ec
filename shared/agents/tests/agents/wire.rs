//! The request to each provider, and how its answers are parsed and counted.

use std::time::Duration;

use crate::asking::{ask, ask_within, call, plan, report, with_each_wire};
use crate::server::{ModelServer, Reply, answers};
use crate::wires::{KEY, Wire};
use agents::Agent;
use serde_json::{Value, json};
use session::PlanStep;
use workflow::{AgentRequest, DoneStep, EarlierMessage};

#[tokio::test]
async fn it_returns_an_answer_in_the_form_of_each_agent() {
    let program = json!({"filename": "tides.py", "language": "python", "code": "print(1)", "explanation": "e", "summary": "s"});
    let review = json!({"approved": false, "recommendations": ["Step 1 is vague."]});
    let ideas = json!({"ideas": [{"title": "Float", "description": "d"}], "content": "# Float", "summary": "s"});
    let route = json!({"route": "clarify", "agent": "engineer", "message": "Which tides?"});
    for (agent, reply, message, summary) in [
        (
            Agent::Planner,
            plan(2),
            "1. Read (researcher)\n2. Read (researcher)",
            "A plan with 2 step(s).",
        ),
        (
            Agent::PlanReviewer,
            review,
            "1. Step 1 is vague.",
            "1 recommendation(s).",
        ),
        (
            Agent::Researcher,
            report(),
            "# Tides\n\nThe moon pulls.",
            "The moon pulls.",
        ),
        (
            Agent::Engineer,
            program,
            "e\n\n`tides.py`:\n\n```python\nprint(1)\n```",
            "s",
        ),
        (Agent::IdeaMaker, ideas, "# Float", "s"),
        (
            Agent::IdeaHater,
            report(),
            "# Tides\n\nThe moon pulls.",
            "The moon pulls.",
        ),
        (
            Agent::CopilotControl,
            route,
            "Which tides?",
            "A question to the user.",
        ),
    ] {
        let server = ModelServer::start(Wire::OpenAi, [answers(&reply)]).await;
        let content = ask(&server, agent).await.unwrap().content;
        assert_eq!(serde_json::to_value(&content).unwrap(), reply, "{agent}");
        assert_eq!(
            (content.message(), content.summary()),
            (message.into(), summary.into())
        );
    }
}

#[tokio::test]
async fn it_sends_prompt_task_and_schema() {
    with_each_wire(|wire| async move {
        let server = ModelServer::start(wire, [answers(&plan(1))]).await;
        ask(&server, Agent::Planner).await.unwrap();
        let schema = server.schema(0);
        assert_eq!(schema["additionalProperties"], false);
        assert_eq!(
            schema["properties"]["steps"]["items"]["required"],
            json!(["sub_task", "sub_task_agent", "bullet_points"])
        );
        assert_eq!(
            schema["properties"]["steps"].get("maxItems"),
            None,
            "not every provider knows limits"
        );
        let system = server.system(0);
        assert!(system.contains("At most 2 steps."));
        assert!(system.contains("\"maxItems\": 2"));
        assert!(
            !system.contains("tides"),
            "a system message must contain no client text"
        );
        assert!(
            server
                .message(0, 0)
                .contains("# Task\n\nHow do tides work?")
        );
    })
    .await;
}

/// The request of a call of the planner.
async fn planners(wire: Wire) -> Value {
    let server = ModelServer::start(wire, [answers(&plan(1))]).await;
    ask(&server, Agent::Planner).await.unwrap();
    server.requests().remove(0)
}

#[tokio::test]
async fn openai_gets_a_strict_json_schema() {
    let request = planners(Wire::OpenAi).await;
    assert_eq!(request["path"], "/v1/chat/completions");
    assert_eq!(request["headers"]["authorization"], format!("Bearer {KEY}"));
    assert_eq!(request["body"]["model"], "gpt-5-mini");
    let format = &request["body"]["response_format"];
    assert_eq!(format["type"], "json_schema");
    assert_eq!(format["json_schema"]["name"], "planner");
    assert_eq!(format["json_schema"]["strict"], true);
    let limits = [
        &request["body"]["max_tokens"],
        &request["body"]["max_completion_tokens"],
    ];
    assert_eq!(
        limits,
        [&json!(16_000), &Value::Null],
        "the name that compatible servers know"
    );
}

#[tokio::test]
async fn anthropic_gets_a_structured_output_with_a_bounded_length() {
    let request = planners(Wire::Anthropic).await;
    assert_eq!(request["path"], "/v1/messages");
    assert_eq!(request["headers"]["x-api-key"], KEY);
    assert_eq!(request["headers"]["anthropic-version"], "2023-06-01");
    assert_eq!(request["headers"]["authorization"], Value::Null);
    let body = &request["body"];
    assert_eq!(body["model"], "claude-haiku-4-5");
    assert_eq!(body["max_tokens"], 16_000);
    assert_eq!(body["output_config"]["format"]["type"], "json_schema");
    assert_eq!(body["messages"][0]["role"], "user");
}

#[tokio::test]
async fn bedrock_gets_a_tool_for_the_answer_and_a_signed_request() {
    let request = planners(Wire::Bedrock).await;
    assert_eq!(request["path"], "/model/amazon.nova-lite-v1%3A0/converse");
    let signature = request["headers"]["authorization"].as_str().unwrap();
    assert!(signature.starts_with("AWS4-HMAC-SHA256 Credential=AKIA/"));
    assert!(!signature.contains(KEY));
    assert_eq!(request["body"]["inferenceConfig"]["maxTokens"], 8_000);
    let tools = &request["body"]["toolConfig"];
    assert_eq!(tools["tools"][0]["toolSpec"]["name"], "answer");
    assert_eq!(
        tools.get("toolChoice"),
        None,
        "models that always think refuse one that is forced"
    );
}

#[tokio::test]
async fn it_sends_the_whole_brief_to_an_agent() {
    let server = ModelServer::start(Wire::OpenAi, [answers(&report())]).await;
    let step = PlanStep {
        sub_task: "Explain the moon's part".to_owned(),
        sub_task_agent: "researcher".to_owned(),
        bullet_points: vec!["distance".to_owned()],
    };
    let mut call = call(Agent::Researcher);
    call.model = Some("gpt-4.1".to_owned());
    call.brief.history = vec![EarlierMessage {
        speaker: "user".to_owned(),
        text: "Hello there".to_owned(),
    }];
    call.brief.instructions = "Be short".to_owned();
    call.brief.remarks = vec!["Step 2 is vague".to_owned()];
    call.brief.done = vec![DoneStep {
        sub_task: "Read".to_owned(),
        summary: "Read it all".to_owned(),
    }];
    call.brief.plan = vec![step.clone()];
    call.brief.step = Some(step);
    let answer = ask_within(Duration::from_secs(10), &server, &call)
        .await
        .unwrap();
    assert_eq!(answer.model, "gpt-4.1");
    assert_eq!(server.requests()[0]["body"]["model"], "gpt-4.1");
    for part in [
        "**user**: Hello there",
        "Be short",
        "- Step 2 is vague",
        "Result: Read it all",
        "# Your step",
        "   - distance",
        "# What the user says about this step",
    ] {
        assert!(server.message(0, 0).contains(part), "{part} is missing");
    }
}

#[tokio::test]
async fn it_counts_the_tokens_and_the_cost_of_a_call() {
    with_each_wire(|wire| async move {
        let server = ModelServer::start(wire, [answers(&report())]).await;
        let answer = ask(&server, Agent::Researcher).await.unwrap();
        let usage = &answer.usages[0];
        assert_eq!(
            (usage.input_tokens, usage.output_tokens),
            (100, 20),
            "what came from a cache is part of the prompt"
        );
        assert!(!usage.estimated);
        assert_eq!(usage.cost_usd, Some(wire.cost()));
    })
    .await;
}

#[tokio::test]
async fn the_cost_of_a_model_without_a_price_is_unknown() {
    let server = ModelServer::start(Wire::OpenAi, [answers(&report())]).await;
    let call = AgentRequest {
        model: Some("llama-at-home".to_owned()),
        ..call(Agent::Researcher)
    };
    let answer = ask_within(Duration::from_secs(10), &server, &call)
        .await
        .unwrap();
    assert_eq!(answer.usages[0].cost_usd, None);
}

#[tokio::test]
async fn it_estimates_tokens_that_the_service_does_not_count() {
    let text = report().to_string();
    for (wire, body) in [
        (
            Wire::OpenAi,
            json!({"choices": [{"message": {"content": text}}]}),
        ),
        (
            Wire::Anthropic,
            json!({"content": [{"type": "text", "text": text}]}),
        ),
        (
            Wire::Bedrock,
            json!({"output": {"message": {"role": "assistant", "content": [{"text": text}]}}, "stopReason": "end_turn"}),
        ),
    ] {
        let reply = Reply::Http(200, vec![], body.to_string());
        let server = ModelServer::start(wire, [reply]).await;
        let usage = ask(&server, Agent::Researcher)
            .await
            .unwrap()
            .usages
            .remove(0);
        assert!(
            usage.input_tokens > 100 && usage.output_tokens > 10 && usage.estimated,
            "{wire:?}"
        );
    }
}
