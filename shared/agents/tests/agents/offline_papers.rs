//! The offline engine as a summarizer: that each entry is a sentence of the paper, under the
//! heading where it belongs.

use std::time::{Duration, Instant};

use agents::{Agent, Agents, Content, ModelConfig, PaperBrief, PaperSummary};

use crate::offline::{brief, once};
use crate::papers::paper;

const TEXT: &str = "1 Introduction
Harbours have been known to silt up since antiquity, and nobody likes it.
Tab. 3 4.5 6.7 8.9 1.2 3.4 5.6
2 Methods
We propose a procedure that is based on the harmonic analysis of water levels. The level was
measured by means of pressure gauges below the low-water line.
3 Data
Our data set holds observations from ten gauges, collected over four years.
4 Results
We find that the level rises by 3 m at spring tide. The results confirm that neap tides are lower
than the model of Doodson predicts.
References
[1] We find that nobody reads the references of a paper about spring tides, by A. Doodson.
[2] Harbours and their tides in the light of our data set, by B. Proudman and others.";

async fn summary(paper: Option<PaperBrief>) -> PaperSummary {
    let agents = Agents::new(ModelConfig::default()).unwrap();
    let call = once(Agent::Summarizer, brief("How high are spring tides?"));
    let deadline = Instant::now() + Duration::from_secs(60);
    let answer = match &paper {
        Some(paper) => agents.summarize(&call, paper, deadline).await,
        None => agents.call(&call, deadline).await,
    };
    match answer.unwrap().content {
        Content::PaperSummary(summary) => summary,
        other => panic!("no summary: {other:?}"),
    }
}

fn with_text(text: &str) -> Option<PaperBrief> {
    Some(PaperBrief {
        text: text.to_owned(),
        ..paper()
    })
}

#[tokio::test]
async fn it_quotes_findings_methods_and_data_from_the_paper() {
    let summary = summary(with_text(TEXT)).await;
    let findings = summary.key_findings.join("\n");
    assert!(
        findings.contains("We find that the level rises by 3 m at spring tide."),
        "{findings}"
    );
    assert!(
        !findings.contains("nobody reads"),
        "not from the references: {findings}"
    );
    assert!(
        summary
            .methods
            .iter()
            .any(|m| m.contains("harmonic analysis")),
        "{:?}",
        summary.methods
    );
    assert!(
        summary.data.iter().any(|d| d.contains("ten gauges")),
        "{:?}",
        summary.data
    );
    assert_eq!(summary.keywords, ["harbours", "tides"]);
    assert_eq!(
        (summary.title, summary.authors),
        (paper().title, paper().authors)
    );
    let text = TEXT.split_whitespace().collect::<Vec<_>>().join(" ") + &paper().abstract_text;
    for quote in [summary.key_findings, summary.methods, summary.data].concat() {
        assert!(text.contains(&quote), "{quote} is not in the paper");
    }
}

#[tokio::test]
async fn it_falls_back_to_the_abstract_and_says_where_there_is_nothing() {
    let from_abstract = summary(with_text("")).await;
    assert_eq!(from_abstract.abstract_text, "We measure tides in harbours.");
    let nothing = summary(Some(PaperBrief::default())).await;
    assert_eq!(
        nothing.key_findings,
        ["The text that was given holds no sentence to quote."]
    );
    assert_eq!(summary(None).await.key_findings, nothing.key_findings);
}

#[tokio::test]
async fn it_quotes_a_paper_without_spaces() {
    let summary = summary(with_text("潮は一日に二度満ちる。\n月が海を引く。")).await;
    assert_eq!(summary.key_findings[1], "潮は一日に二度満ちる。");
}

#[tokio::test]
async fn it_stays_within_its_form_and_its_time_for_a_whole_book() {
    let book = TEXT
        .lines()
        .take(13)
        .collect::<Vec<_>>()
        .join("\n")
        .repeat(500);
    assert!(book.len() > 250_000);
    let start = std::time::Instant::now();
    let summary = summary(with_text(&book)).await;
    assert!(!summary.key_findings.is_empty() && summary.key_findings.len() <= 5);
    assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
}
