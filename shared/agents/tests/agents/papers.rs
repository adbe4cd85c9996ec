//! The summarizer with a scripted model: the prompt, the requested fields, and the precedence of
//! known fields.

use std::time::{Duration, Instant};

use agents::{Agent, Agents, Content, PaperBrief, PaperSummary};
use serde_json::{Value, json};

use crate::asking::{call, config};
use crate::server::{ModelServer, answers};
use crate::wires::Wire;

pub fn paper() -> PaperBrief {
    PaperBrief {
        id: "2406.00001".to_owned(),
        title: "Tides in harbours".to_owned(),
        authors: vec!["A. Low".to_owned(), "B. High".to_owned()],
        published: "2024-06-01T12:00:00Z".to_owned(),
        abstract_text: "We measure tides in harbours.".to_owned(),
        text: "The level rises by 3 m at spring tide.".to_owned(),
    }
}

fn found() -> Value {
    json!({"keywords": ["tide"], "key_findings": ["It rises by 3 m."], "methods": [], "data": ["Ten gauges."]})
}

async fn summary(server: &ModelServer, paper: &PaperBrief) -> PaperSummary {
    let deadline = Instant::now() + Duration::from_secs(10);
    let agents = Agents::new(config(server)).unwrap();
    let call = call(Agent::Summarizer);
    let answer = agents.summarize(&call, paper, deadline).await;
    match answer.unwrap().content {
        Content::PaperSummary(summary) => summary,
        other => panic!("no summary: {other:?}"),
    }
}

#[tokio::test]
async fn it_sends_the_paper_and_requests_no_known_field() {
    let server = ModelServer::start(Wire::OpenAi, [answers(&found())]).await;
    let summary = summary(&server, &paper()).await;
    let told = server.message(0, 0);
    for part in [
        "# Task\n\nHow do tides work?",
        "# The paper",
        "**arXiv id**: 2406.00001",
        "**Authors**: A. Low, B. High",
        "**Text**: The level rises",
    ] {
        assert!(told.contains(part), "{part} is missing in {told}");
    }
    let schema = server.schema(0);
    let required = json!(["keywords", "key_findings", "methods", "data"]);
    assert_eq!(schema["required"], required);
    assert_eq!(schema["properties"].as_object().unwrap().len(), 4);
    assert_eq!(summary.title, "Tides in harbours");
    assert_eq!(summary.date, "2024-06-01T12:00:00Z");
    assert_eq!(summary.abstract_text, "We measure tides in harbours.");
    assert_eq!(summary.key_findings, ["It rises by 3 m."]);
    let shown = serde_json::to_value(&summary).unwrap();
    assert_eq!(shown["abstract"], "We measure tides in harbours.");
}

#[tokio::test]
async fn it_requests_the_unknown_fields_of_a_paper() {
    let mut answer = found();
    answer["title"] = json!("Tides, by the model");
    answer["date"] = json!("");
    let server = ModelServer::start(Wire::OpenAi, [answers(&found()), answers(&answer)]).await;
    let unknown = PaperBrief {
        title: String::new(),
        published: String::new(),
        ..paper()
    };
    let summary = summary(&server, &unknown).await;
    assert!(
        server
            .message(1, 2)
            .contains("\"title\" is a required property")
    );
    assert_eq!(summary.title, "Tides, by the model");
    assert_eq!(summary.authors, ["A. Low", "B. High"]);
}

#[tokio::test]
async fn it_refuses_a_summary_without_findings_and_ignores_its_title() {
    let mut without = found();
    without["key_findings"] = json!([]);
    let mut another = found();
    another["title"] = json!("Another");
    let server = ModelServer::start(Wire::OpenAi, [answers(&without), answers(&another)]).await;
    assert_eq!(summary(&server, &paper()).await.title, "Tides in harbours");
    assert!(server.message(1, 2).contains("/key_findings: "));
    assert_eq!(server.requests().len(), 2);
}
