//! Enhancing a text with the papers that it refers to.

use serde_json::{Value, json};
use tests::files::{names, text};
use tests::model::model;
use tests::papers::{Paper, Trouble, archive, publish};
use tests::rest::{create, get, newest_run, record, start, types, until_status};
use tests::stack::shared_workers;

use super::lines;

fn paper(title: &str, said: &str, trouble: &[Trouble]) -> Paper {
    let long = "The sea rises and falls, and the gauge in the harbour shows it day after day.\n"
        .repeat(20);
    Paper {
        title: title.into(),
        pages: vec![format!("{title}\n{said}\n{long}")],
        trouble: trouble.to_vec(),
        ..Paper::default()
    }
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn readable_papers_follow_the_text_and_the_others_are_named() {
    archive();
    model();
    let _calm = shared_workers().await;
    let good = publish(paper("Tides of bays", "We measured.", &[]));
    let gone = publish(paper("Lost", "", &[Trouble::Gone]));
    let dumb = publish(paper("Silent", "[[status=400 at=summarizer]]", &[]));
    let id = create("enhance-input").await;
    let task = format!("Plan a tide gauge, as in arXiv:{good}, {gone} and {dumb}.");
    start(&id, &task).await;
    until_status(&id, "completed").await;

    let enhanced = text(&id, "enhanced_input.md").await;
    let (original, added) = enhanced
        .split_once("## Contextual Information and References")
        .unwrap();
    assert_eq!(original.trim_end(), task);
    assert!(
        added.contains("Tides of bays") && added.contains("A scripted"),
        "{added}"
    );
    for left_out in [&gone, &dumb] {
        assert!(added.contains(left_out.as_str()), "{left_out} in {added}");
    }
    let events = record(&id).await;
    let told = lines(&events);
    assert!(
        told.iter()
            .any(|line| line.contains(&dumb) && line.contains("left out")),
        "{told:?}"
    );
    let run = newest_run(&id).await;
    let costs = get(&format!(
        "/api/sessions/{id}/runs/{}/costs",
        run["id"].as_str().unwrap()
    ))
    .await
    .ok();
    assert_eq!(
        costs["agent_breakdown"][0]["agent"], "summarizer",
        "{costs}"
    );
    assert!(costs["total_tokens"].as_u64() >= Some(120), "{costs}");
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_text_without_references_is_returned_unchanged() {
    let _calm = shared_workers().await;
    let id = create("enhance-input").await;
    let task = "  Nothing to look up here.\n\n";
    start(&id, task).await;
    until_status(&id, "completed").await;
    assert_eq!(text(&id, "enhanced_input.md").await, task);
    let events = record(&id).await;
    let phases: Vec<&Value> = events
        .iter()
        .filter(|event| event["event_type"] == "phase_change")
        .map(|event| &event["data"]["phase"])
        .collect();
    let all = ["extraction", "download", "summarize", "output"].map(|phase| json!(phase));
    assert!(all.iter().eq(phases), "{:?}", types(&events));
    let result = events
        .iter()
        .find(|event| event["event_type"] == "result")
        .unwrap();
    let summary = result["data"]["summary"].as_str().unwrap();
    assert!(summary.contains("no paper"), "{summary}");
    assert!(names(&id).await.contains(&"enhanced_input.md".into()));
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_run_fails_with_a_reason_if_no_paper_can_be_summarised() {
    archive();
    model();
    let _calm = shared_workers().await;
    let dumb = publish(paper("Silent", "[[status=400 at=summarizer]]", &[]));
    let id = create("enhance-input").await;
    start(&id, &format!("Read {dumb}.")).await;
    let detail = until_status(&id, "suspended").await;
    assert_eq!(detail["suspend_reason"], "run_failed");
    assert!(
        detail["error"].as_str().unwrap().contains(&dumb),
        "{detail}"
    );
    let files = names(&id).await;
    assert!(
        files.contains(&format!("{dumb}.pdf")),
        "fetched papers must remain: {files:?}"
    );
}
