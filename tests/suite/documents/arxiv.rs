//! Papers: available ones are fetched, failed ones are named, and requests to the archive are
//! rate-limited and not repeated.

use std::time::Duration;

use serde_json::{Value, json};
use tests::files::{download, names, text};
use tests::papers::{Paper, Trouble, archive, asked, publish};
use tests::rest::{count, create, newest_run, record, start, until_status};
use tests::stack::{eventually, exclusive_workers, shared_workers, stack};

use super::lines;

const METADATA: &str = "arxiv_download_metadata.json";

fn paper(title: &str, trouble: &[Trouble]) -> Paper {
    Paper {
        title: title.into(),
        pages: vec![format!("{title}\nThe sea rises and falls.")],
        trouble: trouble.to_vec(),
        ..Paper::default()
    }
}

async fn metadata(session: &str) -> Value {
    serde_json::from_str(&text(session, METADATA).await).unwrap()
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn available_papers_are_fetched_and_failed_ones_are_named() {
    archive();
    let _calm = shared_workers().await;
    let good = publish(paper("Tides", &[]));
    let gone = publish(paper("Gone", &[Trouble::Gone]));
    let page = publish(paper("Hidden", &[Trouble::WebPage; 9]));
    let busy = publish(paper("Busy", &[Trouble::Busy(1)]));
    let unknown = "0704.0001";
    let id = create("arxiv").await;
    let task = format!(
        "Compare arXiv:{good}, https://arxiv.org/abs/{gone}v2, https://arxiv.org/pdf/{page}, {busy}, arXiv:{unknown} and {good} again."
    );
    start(&id, &task).await;
    until_status(&id, "completed").await;

    let all = metadata(&id).await;
    assert_eq!(
        (&all["total"], &all["downloaded"]),
        (&json!(5), &json!(2)),
        "{all}"
    );
    let version = format!("{gone}v2");
    for (place, (paper, came)) in [
        (&good, true),
        (&version, false),
        (&page, false),
        (&busy, true),
    ]
    .into_iter()
    .enumerate()
    {
        let entry = &all["papers"][place];
        assert_eq!(entry["id"], **paper, "in the order of the task");
        assert_eq!(entry["error"].is_null(), came, "{entry}");
    }
    assert_eq!(all["papers"][0]["title"], "Tides");
    let files = names(&id).await;
    assert_eq!(files.len(), 3, "{files:?}");
    assert!(
        download(&id, &format!("{good}.pdf"))
            .await
            .starts_with(b"%PDF-")
    );
    let events = record(&id).await;
    for failed in [gone.as_str(), &page, unknown] {
        let named = lines(&events)
            .iter()
            .any(|line| line.contains(failed) && line.contains("could not"));
        assert!(named, "{failed} in {:?}", lines(&events));
    }
    let result = events
        .iter()
        .find(|event| event["event_type"] == "result")
        .unwrap();
    assert_eq!(result["data"]["artifacts"].as_array().unwrap().len(), 3);
    let mut newest_first = events.iter().rev();
    let tracked = newest_first.find(|event| event["event_type"] == "files_updated");
    let tracked = &tracked.unwrap()["data"];
    assert_eq!(
        (&tracked["files_tracked"], &tracked["node_id"]),
        (&json!(3), &json!("download"))
    );
    assert_eq!(tracked["files"][0], format!("{good}.pdf"));
    let requests = asked(std::slice::from_ref(&good));
    assert_eq!(
        requests.iter().filter(|request| request.pdf).count(),
        1,
        "named twice, fetched once"
    );
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_run_fails_if_all_papers_fail_but_not_without_references() {
    archive();
    let lost = publish(paper("Lost", &[Trouble::Gone; 9]));
    let id = create("arxiv").await;
    start(&id, &format!("Read {lost}.")).await;
    let detail = until_status(&id, "suspended").await;
    assert_eq!(detail["suspend_reason"], "run_failed");
    assert!(
        detail["error"].as_str().unwrap().contains(&lost),
        "{detail}"
    );
    let events = record(&id).await;
    assert_eq!(
        events.last().unwrap()["data"]["code"],
        "no_paper_downloaded"
    );
    assert_eq!(
        metadata(&id).await["downloaded"],
        0,
        "the reasons stay readable"
    );
    assert_eq!(newest_run(&id).await["status"], "failed");

    let id = create("arxiv").await;
    start(
        &id,
        "There is no paper in here, only the version 10.1234 of something.",
    )
    .await;
    until_status(&id, "completed").await;
    let empty = json!({"total": 0, "downloaded": 0, "failed": 0, "papers": []});
    assert_eq!(metadata(&id).await, empty);
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn versions_are_papers_and_a_withdrawn_one_comes_with_its_last_pdf() {
    archive();
    let _calm = shared_workers().await;
    let several = publish(Paper {
        latest: 3,
        ..paper("Several", &[])
    });
    let withdrawn = publish(Paper {
        latest: 3,
        withdrawn: true,
        ..paper("Withdrawn", &[])
    });
    let id = create("arxiv").await;
    let task = format!(
        "见{several}v1的结论, https://hf.co/papers/{several}v3 and https://huggingface.co/papers/{withdrawn}"
    );
    start(&id, &task).await;
    until_status(&id, "completed").await;

    let all = metadata(&id).await;
    let entries = all["papers"].as_array().unwrap();
    let facts = |entry: &Value| {
        let text = |key: &str| entry[key].as_str().unwrap_or_default().to_owned();
        (
            text("id"),
            text("title"),
            text("file"),
            entry["version"].as_u64(),
            entry["withdrawn"] == true,
        )
    };
    let expected = [
        (
            format!("{several}v1"),
            "Several",
            format!("{several}v1.pdf"),
            1,
            false,
        ),
        (
            format!("{several}v3"),
            "Several",
            format!("{several}v3.pdf"),
            3,
            false,
        ),
        (
            withdrawn.clone(),
            "Withdrawn",
            format!("{withdrawn}v2.pdf"),
            2,
            true,
        ),
    ];
    let expected = expected.map(|(id, title, file, version, withdrawn)| {
        (id, title.to_owned(), file, Some(version), withdrawn)
    });
    assert_eq!(entries.iter().map(facts).collect::<Vec<_>>(), expected);
    for entry in entries {
        let file = download(&id, entry["file"].as_str().unwrap()).await;
        assert!(file.starts_with(b"%PDF-"), "{entry}");
    }
    let events = record(&id).await;
    let named = format!("{withdrawn} was withdrawn");
    assert!(lines(&events).iter().any(|line| line.starts_with(&named)));
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn an_archive_that_is_busy_or_down_loses_no_paper() {
    archive();
    let _calm = shared_workers().await;
    // More failures than a stage has tries.
    let trouble = [
        Trouble::Down,
        Trouble::Down,
        Trouble::SoftlyBusy(1),
        Trouble::Down,
        Trouble::Busy(0),
    ];
    let paper = publish(paper("Patience", &trouble));
    let id = create("arxiv").await;
    start(&id, &format!("Read {paper}.")).await;
    until_status(&id, "completed").await;
    let entry = &metadata(&id).await["papers"][0];
    assert_eq!(
        (&entry["title"], &entry["error"]),
        (&json!("Patience"), &Value::Null)
    );
    let requests = asked(std::slice::from_ref(&paper));
    assert_eq!(
        requests.iter().filter(|request| request.pdf).count(),
        trouble.len() + 1
    );
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_worker_killed_among_ten_papers_fetches_at_most_one_again() {
    archive();
    let _storm = exclusive_workers().await;
    let slow = [Trouble::Slow(Duration::from_millis(1_200))];
    let ids: Vec<String> = (0..10)
        .map(|number| {
            publish(paper(
                &format!("Paper {number}"),
                if number == 4 { &slow } else { &[] },
            ))
        })
        .collect();
    let id = create("arxiv").await;
    start(&id, &format!("Read {}.", ids.join(", "))).await;
    let fifth = [ids[4].clone()];
    eventually("the fifth paper is asked for", || async {
        asked(&fifth)
            .iter()
            .any(|request| request.pdf)
            .then_some(())
    })
    .await;
    assert!(
        stack().kill_document_executors() > 0,
        "there must be a worker to kill"
    );
    until_status(&id, "completed").await;

    let of = |id: &String| {
        asked(std::slice::from_ref(id))
            .iter()
            .filter(|request| request.pdf)
            .count()
    };
    let fetched: Vec<usize> = ids.iter().map(of).collect();
    let again: usize = fetched.iter().map(|times| times - 1).sum();
    assert!(again <= 1, "{fetched:?}");
    assert_eq!(metadata(&id).await["downloaded"], 10);
    let events = record(&id).await;
    assert_eq!(count(&events, "complete"), 1);
    for paper in &ids {
        let told = lines(&events)
            .iter()
            .filter(|line| line.starts_with(paper.as_str()))
            .count();
        assert_eq!(told, 1, "{paper} must be in the record once");
    }
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn two_runs_share_the_slot_of_the_archive() {
    archive();
    let _calm = shared_workers().await;
    let ids: Vec<String> = (0..4)
        .map(|number| publish(paper(&format!("Shared {number}"), &[])))
        .collect();
    let sessions = [create("arxiv").await, create("arxiv").await];
    for (session, papers) in sessions.iter().zip(ids.chunks(2)) {
        start(session, &format!("Read {}.", papers.join(" and "))).await;
    }
    for session in &sessions {
        until_status(session, "completed").await;
    }
    let times: Vec<_> = asked(&ids).iter().map(|request| request.at).collect();
    assert_eq!(
        times.len(),
        6,
        "one for the metadata of each run, one for each paper"
    );
    // The stack's interval is one second. The delay between slot and request varies, so gaps may be
    // shorter.
    let gaps = times.windows(2).map(|pair| pair[1] - pair[0]);
    assert!(
        gaps.clone().all(|gap| gap > Duration::from_millis(500)),
        "{:?}",
        gaps.collect::<Vec<_>>()
    );
}
