//! A load of sessions in all modes, while workers are killed and everything comes more than once.
//!
//! Each mode first runs once in calm. Every session of the load must end like it: the same
//! messages, the same number of each event, the same tokens. `infra/local/chaos.py` gives the
//! number of sessions (`CHAOS_SESSIONS`) and a stack with the offline engine.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use serde_json::{Value, json};
use tests::files::{names, upload};
use tests::papers::{Paper, archive, publish};
use tests::people::{answer, approvals};
use tests::rest::{count, create_with, detail, get, post, record};
use tests::stack::stack;
use tests::ws::connect;
use tests::{pdf, rest};
use tokio::time::{interval, sleep};
use uuid::Uuid;

/// The sessions that go on at the same time: below the default limit of an owner's live runs.
const AT_ONCE: usize = 16;

/// How long one session may take. Each kill costs its run the visibility time-out.
const LONGEST: Duration = Duration::from_secs(300);

/// A document mode's input, of one page.
const DOCUMENT: &str = "tides.pdf";

/// Which events depend on the workers, on the clock, and on the way in which a session begins.
const VARYING: [&str; 5] = [
    "slice_started",
    "slice_ended",
    "run_requeued",
    "output",
    "status",
];

/// What has been done to the load.
#[derive(Default)]
struct Harm {
    kills: AtomicUsize,
    copies: AtomicUsize,
    dropped: AtomicUsize,
    repeated: AtomicUsize,
}

fn more(counter: &AtomicUsize, by: usize) {
    counter.fetch_add(by, Ordering::Relaxed);
}

/// The modes with a config that asks at most one question, and their task.
fn modes(paper: &str) -> [(&'static str, Value, String); 8] {
    let tides = "Explain the tides. The moon pulls at the sea. The sun pulls too.".to_owned();
    let about = format!("What does arXiv:{paper} say of the tides?");
    let plan = json!({"maxPlanSteps": 3});
    let ideas = json!({"checkpoints": "after_ideas"});
    let asks = json!({"hitlVariant": "planning_only", "maxPlanSteps": 3});
    [
        ("one-shot", json!({}), tides.clone()),
        ("planning-control", plan, tides.clone()),
        ("idea-generation", ideas, tides.clone()),
        ("hitl-interactive", asks, tides.clone()),
        ("copilot", json!({}), tides.clone()),
        ("ocr", json!({"document": DOCUMENT}), "Read it.".to_owned()),
        ("arxiv", json!({}), about.clone()),
        ("enhance-input", json!({}), about),
    ]
}

/// What the record of a session says, apart from ids and times.
#[derive(Debug, PartialEq)]
struct Told {
    messages: Vec<(Value, String)>,
    events: BTreeMap<String, usize>,
    tokens: u64,
    files: Vec<String>,
}

/// Starts the session `n` of the load, answers its question, and returns what it has told in the
/// end.
async fn session(n: usize, paper: &str, harm: Option<&Harm>) -> Told {
    let (mode, config, task) = modes(paper)[n % 8].clone();
    // A document is uploaded to a session that exists.
    let by_socket = mode != "ocr" && n / 8 % 2 == 1;
    let (id, followed) = if by_socket {
        let mut config = config;
        config["mode"] = json!(mode);
        let frame = json!({"task": task, "config": config});
        let task_id = Uuid::now_v7().to_string();
        let mut client = connect(&task_id).await;
        let status = client.ask(&frame, "status").await;
        drop(client);
        let id = status["session_id"].as_str().unwrap().to_owned();
        let seen = tokio::spawn(watch(task_id, frame, n));
        (id, Some(seen))
    } else {
        let id = create_with(mode, &config).await;
        if mode == "ocr" {
            let page = pdf::of(&["The moon pulls at the sea.".to_owned()]);
            upload(&id, DOCUMENT, "application/pdf", page).await;
        }
        let body = json!({"task": task});
        let started = post(&format!("/api/sessions/{id}/runs"), &body).await;
        assert_eq!(started.status, 202, "{started:?}");
        (id, None)
    };
    ends(&id, by_socket, harm).await;
    let events = record(&id).await;
    if let Some(seen) = followed {
        assert_eq!(
            seen.await.unwrap(),
            events,
            "{mode} {id}: what a client saw"
        );
        if let Some(harm) = harm {
            more(&harm.dropped, 3);
        }
    }
    told(mode, &id, &events).await
}

/// Follows a task by three sockets, of which two are dropped on the way; returns what the last one
/// saw, from the first event on.
async fn watch(task_id: String, frame: Value, n: usize) -> Vec<Value> {
    for drop_after in [Some(2 + n % 5), Some(6 + n % 7), None] {
        let mut client = connect(&task_id).await;
        client.send(&frame).await;
        loop {
            let last = client.next().await.expect("closed on the way");
            let seen = client.events.len();
            if drop_after.is_some_and(|after| seen >= after) {
                break;
            }
            if last["event_type"] == "error" && last["seq"].is_null() {
                client.send(&frame).await;
            }
            // The rest of a run that has ended is in the same replay.
            if last["event_type"] == "complete" && last["seq"].is_u64() {
                return client.events;
            }
        }
    }
    unreachable!("the last socket is read to the end")
}

/// Wakes the session's workers more often than needed and answers its question twice, until it is
/// completed.
async fn ends(id: &str, by_socket: bool, harm: Option<&Harm>) {
    let deadline = Instant::now() + LONGEST;
    let mut woken = None;
    loop {
        let now = detail(id).await;
        let run = now["active_run"].as_str();
        assert_ne!(now["suspend_reason"], "run_failed", "{id}: {now}");
        if now["status"] == "completed" && run.is_none() {
            return;
        }
        assert!(Instant::now() < deadline, "{id} has not ended: {now}");
        // Each message that a client causes, and each second after it: three times in all.
        if let (Some(harm), Some(run)) = (harm, run)
            && woken != now["version"].as_u64()
        {
            woken = now["version"].as_u64();
            let body = json!({"session_id": id, "run_id": run}).to_string();
            stack().send(&body, 2).await;
            more(&harm.copies, 2);
        }
        if now["suspend_reason"] == "approval_required" {
            for open in approvals(id, "?status=pending").await {
                answer_twice(id, &open, by_socket).await;
                if let Some(harm) = harm {
                    more(&harm.repeated, 1);
                }
            }
        }
        sleep(Duration::from_secs(1)).await;
    }
}

/// Two clients give the same answer at the same time.
async fn answer_twice(id: &str, open: &Value, by_socket: bool) {
    let choice = &open["options"][0];
    let body = json!({"resolution": choice});
    let other = async {
        if !by_socket {
            return answer(id, open, &body).await.ok();
        }
        let mut client = connect(&Uuid::now_v7().to_string()).await;
        client.follow(id).await;
        let approval = &open["approval_id"];
        let frame =
            json!({"type": "resolve_approval", "approval_id": approval, "resolution": choice});
        client.answer(&frame).await
    };
    let (first, second) = tokio::join!(answer(id, open, &body), other);
    assert_eq!(first.ok()["resolution"], *choice);
    let second = second.get("data").unwrap_or(&second);
    assert_eq!(second["resolution"], *choice, "{second}");
}

/// What the session has told, after the checks that hold for every session.
async fn told(mode: &str, id: &str, events: &[Value]) -> Told {
    for kind in [
        "workflow_started",
        "dag_created",
        "result",
        "workflow_completed",
        "complete",
    ] {
        assert_eq!(count(events, kind), 1, "{mode} {id}: {kind}");
    }
    for kind in ["workflow_failed", "error", "step_failed"] {
        assert_eq!(count(events, kind), 0, "{mode} {id}: {kind}");
    }
    let all = approvals(id, "").await;
    assert!(
        all.iter().all(|approval| approval["status"] == "resolved"),
        "{all:?}"
    );
    for kind in ["approval_requested", "approval_received"] {
        assert_eq!(
            count(events, kind),
            all.len(),
            "{mode} {id}: one {kind} each"
        );
    }
    let history = get(&format!("/api/sessions/{id}/history?limit=1000"))
        .await
        .ok();
    let history = history["messages"].as_array().unwrap();
    let said = events.iter().filter(|event| {
        ["user_message", "agent_message"].contains(&event["event_type"].as_str().unwrap())
    });
    assert!(
        said.map(|event| &event["seq"])
            .eq(history.iter().map(|message| &message["seq"])),
        "{mode} {id}: the conversation is the record's"
    );
    Told {
        messages: history
            .iter()
            .map(|message| (message["agent"].clone(), message["content"].to_string()))
            .collect(),
        events: kinds(events),
        tokens: costs(id, events).await,
        files: names(id).await,
    }
}

fn kinds(events: &[Value]) -> BTreeMap<String, usize> {
    let mut kinds = BTreeMap::new();
    for kind in rest::types(events) {
        if !VARYING.contains(&kind) {
            *kinds.entry(kind.to_owned()).or_default() += 1;
        }
    }
    kinds
}

/// The tokens of the session's only run, whose ledger must be the sum of its recorded calls.
async fn costs(id: &str, events: &[Value]) -> u64 {
    let runs = get(&format!("/api/sessions/{id}/runs")).await.ok();
    assert_eq!(runs["total_runs"], 1);
    let run = runs["runs"][0]["id"].as_str().unwrap();
    let costs = get(&format!("/api/runs/{run}/costs")).await.ok();
    let calls = events
        .iter()
        .filter(|event| event["event_type"] == "cost_update");
    let tokens = calls
        .clone()
        .map(|call| call["data"]["tokens"].as_u64().unwrap());
    let dollars = calls
        .clone()
        .map(|call| call["data"]["cost_usd"].as_f64().unwrap());
    let dollars: f64 = dollars.sum();
    let (tokens, calls) = (tokens.sum::<u64>(), calls.count());
    assert!(
        (costs["total_cost_usd"].as_f64().unwrap() - dollars).abs() < 1e-9,
        "{id}"
    );
    assert_eq!(costs["total_tokens"], tokens, "{id}");
    assert_eq!(costs["record_count"], calls, "{id}");
    for breakdown in ["model_breakdown", "agent_breakdown", "step_breakdown"] {
        let rows = costs[breakdown].as_array().unwrap().iter();
        let sum: u64 = rows.map(|row| row["tokens"].as_u64().unwrap()).sum();
        assert_eq!(sum, tokens, "{id}: {breakdown}");
    }
    tokens
}

/// Kills a worker each second, and sweeps as the schedule would, only more often.
async fn storm(harm: &Harm) {
    let kills = async {
        let mut seconds = interval(Duration::from_secs(1));
        for turn in 0.. {
            seconds.tick().await;
            more(&harm.kills, stack().kill_worker(turn));
        }
    };
    let sweeps = async {
        for _ in 0_u32.. {
            sleep(Duration::from_secs(2)).await;
            stack().sweep().await;
        }
    };
    tokio::join!(kills, sweeps);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a stack of its own: make test, make chaos"]
async fn every_session_ends_as_it_would_in_calm() {
    archive();
    let sessions: usize = std::env::var("CHAOS_SESSIONS").map_or(16, |n| n.parse().unwrap());
    let paper = publish(Paper {
        title: "Tides".into(),
        pages: vec!["Tides\nThe moon pulls at the sea.".into()],
        ..Paper::default()
    });
    let mut calm = Vec::new();
    for n in 0..8 {
        calm.push(session(n, &paper, None).await);
    }
    let (harm, begun) = (Harm::default(), Instant::now());
    let (harmed, about) = (&harm, &paper);
    let load = futures::stream::iter(0..sessions)
        .map(|n| async move { (n, session(n, about, Some(harmed)).await) })
        .buffer_unordered(AT_ONCE)
        .for_each(|(n, told)| {
            assert_eq!(told, calm[n % 8], "session {n}, {}", modes(&paper)[n % 8].0);
            std::future::ready(())
        });
    tokio::select! {
        () = load => {}
        () = storm(&harm) => unreachable!("a storm ends with its load"),
    }
    let seconds = begun.elapsed().as_secs_f64();
    let [kills, copies, dropped, repeated] =
        [&harm.kills, &harm.copies, &harm.dropped, &harm.repeated]
            .map(|counter| counter.load(Ordering::Relaxed));
    println!(
        "{sessions} sessions in eight modes ended right: {kills} workers killed, {copies} messages \
         sent again, {dropped} sockets dropped, {repeated} answers given twice; {seconds:.0} s, \
         {:.2} sessions/s",
        sessions as f64 / seconds
    );
    assert!(kills > 0 && copies > 0 && repeated > 0);
}
