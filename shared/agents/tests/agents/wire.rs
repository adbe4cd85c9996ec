//! What is sent to an OpenAI-compatible service, how its answers are read and counted, and which settings are refused.

use std::time::Duration;

use crate::asking::{KEY, ask, ask_within, call, message, plan, report};
use crate::server::{ModelServer, Reply, says};
use agents::{
    Agent, AgentCall, Agents, DoneStep, ModelConfig, PlanStep, ProviderKind, Secret, StepAgent,
    Turn,
};
use serde_json::json;

#[tokio::test]
async fn it_answers_in_the_form_of_each_agent() {
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
        let server = ModelServer::start([says(&reply)]).await;
        let content = ask(&server, agent).await.unwrap().content;
        assert_eq!(serde_json::to_value(&content).unwrap(), reply, "{agent}");
        assert_eq!(
            (content.message(), content.summary()),
            (message.into(), summary.into())
        );
    }
}

#[tokio::test]
async fn it_sends_prompt_task_key_and_schema() {
    let server = ModelServer::start([says(&plan(1))]).await;
    ask(&server, Agent::Planner).await.unwrap();
    let request = &server.requests()[0];
    assert_eq!(request["path"], "/v1/chat/completions");
    assert_eq!(request["authorization"], format!("Bearer {KEY}"));
    assert_eq!(request["body"]["model"], "gpt-5-mini");
    let format = &request["body"]["response_format"];
    assert_eq!(format["type"], "json_schema");
    assert_eq!(format["json_schema"]["name"], "planner");
    assert_eq!(format["json_schema"]["strict"], true);
    let schema = &format["json_schema"]["schema"];
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
    assert!(message(&server, 0, 0).contains("At most 2 steps."));
    assert!(message(&server, 0, 0).contains("\"maxItems\": 2"));
    assert!(
        !message(&server, 0, 0).contains("tides"),
        "nothing of the client's in a system message"
    );
    assert!(message(&server, 0, 1).contains("# Task\n\nHow do tides work?"));
}

#[tokio::test]
async fn it_tells_an_agent_all_that_its_brief_holds() {
    let server = ModelServer::start([says(&report())]).await;
    let step = PlanStep {
        sub_task: "Explain the moon's part".to_owned(),
        sub_task_agent: StepAgent::Researcher,
        bullet_points: vec!["distance".to_owned()],
    };
    let mut call = call(Agent::Researcher);
    call.model = Some("gpt-4.1".to_owned());
    call.brief.history = vec![Turn {
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
        assert!(message(&server, 0, 1).contains(part), "{part} is missing");
    }
}

#[tokio::test]
async fn it_counts_tokens_and_cost_of_a_call() {
    let server = ModelServer::start([says(&report())]).await;
    let answer = ask(&server, Agent::Researcher).await.unwrap();
    let usage = &answer.usages[0];
    assert_eq!(
        (usage.input_tokens, usage.output_tokens, usage.estimated),
        (100, 20, false)
    );
    assert_eq!(
        usage.cost_usd,
        Some(0.000_065),
        "100 at $0.25 and 20 at $2 a million"
    );
}

#[tokio::test]
async fn it_does_not_know_the_cost_of_a_model_without_a_price() {
    let server = ModelServer::start([says(&report())]).await;
    let call = AgentCall {
        model: Some("llama-at-home".to_owned()),
        ..call(Agent::Researcher)
    };
    let answer = ask_within(Duration::from_secs(10), &server, &call)
        .await
        .unwrap();
    assert_eq!(answer.usages[0].cost_usd, None);
    assert!(!agents::has_price("llama-at-home") && agents::has_price(agents::OFFLINE_MODEL));
}

#[tokio::test]
async fn it_estimates_tokens_that_the_service_does_not_count() {
    let body = json!({"choices": [{"message": {"content": report().to_string()}}]});
    let server = ModelServer::start([Reply::Http(200, vec![], body.to_string())]).await;
    let usage = ask(&server, Agent::Researcher)
        .await
        .unwrap()
        .usages
        .remove(0);
    assert!(usage.estimated && usage.input_tokens > 100 && usage.output_tokens > 10);
}

#[test]
fn it_names_the_variable_that_is_wrong() {
    let good = ModelConfig {
        provider: ProviderKind::OpenAi,
        model_id: Some("m".to_owned()),
        openai_api_key: Some(Secret::new(KEY)),
        ..ModelConfig::default()
    };
    assert!(Agents::new(good.clone()).is_ok());
    let bad = [
        (
            ModelConfig {
                model_id: None,
                ..good.clone()
            },
            "MODEL_ID",
        ),
        (
            ModelConfig {
                openai_api_key: None,
                ..good.clone()
            },
            "OPENAI_API_KEY",
        ),
        (
            ModelConfig {
                openai_api_key: Some(Secret::new("two\nlines")),
                ..good.clone()
            },
            "OPENAI_API_KEY",
        ),
        (
            ModelConfig {
                openai_base_url: Some("localhost:80".to_owned()),
                ..good.clone()
            },
            "OPENAI_BASE_URL",
        ),
        (
            ModelConfig {
                openai_base_url: Some(String::new()),
                ..good.clone()
            },
            "OPENAI_BASE_URL",
        ),
        (
            ModelConfig {
                invocation: good.call_timeout + good.margin,
                ..good
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
        assert!(
            Agents::new(config)
                .unwrap_err()
                .to_string()
                .contains(variable),
            "{variable}"
        );
    }
    assert!(
        "bedrok"
            .parse::<ProviderKind>()
            .unwrap_err()
            .to_string()
            .contains("MODEL_PROVIDER")
    );
}
