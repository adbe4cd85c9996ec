//! The order of events on one connection, while a replay and a run go on.
//!
//! The worker is this process, so that its commits are many and fast.

use std::time::{Duration, Instant};

use lambda_kit::now;
use serde_json::{Value, json};
use session::{
    Command, EventBody, Mode, NewSession, Next, OwnerId, Progress, SessionId, StageStart, State,
};
use session_manager::{Actor, NewSessionRows};
use tests::model::model;
use tests::stack::{shared_workers, stack};
use tests::ws::connect;
use uuid::Uuid;

use executor::{Executor, TextTasks};

use crate::in_process::{executor, run};

/// The events of one commit: an entry has 32 at most.
const EACH: usize = 30;

/// A worker of this process whose commits reach the stack's connections.
struct Worker {
    executor: Executor<TextTasks>,
    state: State,
}

impl Worker {
    async fn new() -> Self {
        let callback = stack().get("WS_URL").replacen("ws://", "http://", 1);
        let settings = [("WS_CALLBACK_URL", callback.as_str())];
        let executor = executor(stack().get("AWS_ENDPOINT_URL_DYNAMODB"), &settings).await;
        let new = NewSession {
            id: SessionId::new(Uuid::now_v7()),
            owner: OwnerId::of("local", "local"),
            mode: Mode::OneShot,
            run: Some(run("Count to a thousand.")),
        };
        let rows = NewSessionRows {
            name: "long".into(),
            config: "{}".into(),
            run_config: None,
        };
        let created = executor.sessions.create(&new, &rows, None, now()).await;
        let state = created.unwrap().state;
        let mut worker = Self { executor, state };
        let (run, opening) = (worker.state.run.clone().unwrap(), worker.start());
        worker
            .change(Command::TakeLease {
                run: run.id,
                until: now().plus(Duration::from_secs(600)),
                at: run.position,
                opening,
            })
            .await;
        worker
    }

    /// The same stage again.
    fn start(&self) -> StageStart {
        StageStart {
            position: self.state.run.as_ref().unwrap().position,
            phase: self.state.phase,
            step: None,
            events: Vec::new(),
            history_from: None,
        }
    }

    async fn change(&mut self, command: Command) {
        let (sessions, id) = (&self.executor.sessions, self.state.session_id);
        let changed = sessions.change(id, &Actor::System, &command, now()).await;
        let committed = changed.unwrap();
        self.executor.outbox.publish(&committed, now()).await;
        self.state = committed.state;
    }

    /// Commits and pushes some lines.
    async fn says(&mut self, commits: usize) {
        for _ in 0..commits {
            let run = self.state.run.clone().unwrap();
            let line = || EventBody::Output {
                message: "a line".into(),
            };
            self.change(Command::Commit {
                run: run.id,
                epoch: self.state.lease.epoch,
                progress: Progress {
                    at: run.position,
                    work: (0..EACH).map(|_| line()).collect(),
                    cost_usd: 0.0,
                    tokens: 0,
                    next: Next::Advance(self.start()),
                },
                yield_lease: false,
            })
            .await;
        }
    }
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_long_replay_goes_on_by_itself_and_live_events_wait_behind_it() {
    // A killed worker would send a part of the replay twice.
    let _calm = shared_workers().await;
    let mut worker = Worker::new().await;
    worker.says(40).await;
    let session = worker.state.session_id.to_string();
    let mut client = connect(&Uuid::now_v7().to_string()).await;
    // The worker goes on while more than two parts of 500 events are replayed.
    let config = json!({"session_id": session});
    let first = json!({"task": "any text", "config": config});
    let (frames, ()) = tokio::join!(client.exchange(&first), worker.says(10));
    let (status, rest) = frames.split_first().unwrap();
    let (end, replayed) = rest.split_last().unwrap();
    assert_eq!(status["event_type"], "status");
    assert_eq!(status["seq"], Value::Null);
    assert_eq!(end["event_type"], "replay_end");
    assert_eq!(end["data"]["more"], false, "{end}");
    in_order(replayed, 1);
    assert!(replayed.len() > 1_200, "{}", replayed.len());

    let live = replayed.len() as u64 + 1;
    worker.says(1).await;
    let last = worker.state.last_seq.0;
    let mut frames = Vec::new();
    while frames
        .last()
        .is_none_or(|frame: &Value| frame["seq"] != last)
    {
        frames.push(client.frame().await);
    }
    in_order(&frames, live);
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_client_that_subscribes_asks_for_each_further_part() {
    let _calm = shared_workers().await;
    let mut worker = Worker::new().await;
    worker.says(20).await;
    let session = worker.state.session_id.to_string();
    let mut client = connect(&Uuid::now_v7().to_string()).await;
    let frames = client.exchange(&subscribe(&session, 0)).await;
    let (end, replayed) = frames.split_last().unwrap();
    in_order(replayed, 1);
    assert_eq!(
        (&end["data"]["more"], &end["data"]["next_after"]),
        (&json!(true), &json!(500))
    );
    // A commit between the parts waits for the next one.
    worker.says(1).await;
    let frames = client.exchange(&subscribe(&session, 500)).await;
    let (end, replayed) = frames.split_last().unwrap();
    in_order(replayed, 501);
    assert_eq!(end["data"]["more"], false);
    assert_eq!(replayed.last().unwrap()["seq"], worker.state.last_seq.0);
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_clients_commits_in_the_middle_of_a_run_keep_the_order() {
    let _calm = shared_workers().await;
    model();
    let mut client = connect(&Uuid::now_v7().to_string()).await;
    let config = json!({"mode": "planning-control", "maxPlanSteps": 12});
    let first = json!({"task": "[[steps=12]] Count to twelve.", "config": config});
    client.send(&first).await;
    // The model answers at once: the worker commits while its pushes are on their way.
    let (mut events, mut asked, mut resumed) = (Vec::new(), 0, 0);
    loop {
        let frame = client.frame().await;
        let event = frame["event_type"].as_str().unwrap();
        let is_last = event == "complete";
        if event == "step_start" && asked == resumed {
            asked += 1;
            client.send(&json!({"type": "pause"})).await;
        }
        if event == "workflow_paused" {
            client.send(&json!({"type": "resume"})).await;
        }
        resumed += usize::from(event == "workflow_resumed");
        if !frame["seq"].is_null() {
            events.push(frame);
        }
        if is_last {
            break;
        }
    }
    assert!(resumed > 0);
    in_order(&events, 1);
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn fifty_subscribes_in_a_burst_are_a_few_replays_of_a_whole_record() {
    let _calm = shared_workers().await;
    let mut worker = Worker::new().await;
    worker.says(5).await;
    let (session, last) = (worker.state.session_id.to_string(), worker.state.last_seq.0);
    let mut client = connect(&Uuid::now_v7().to_string()).await;
    client.follow(&session).await;
    let begun = Instant::now();
    for _ in 0..50 {
        client.send(&subscribe(&session, 0)).await;
    }
    let (mut replayed, mut ended, mut refused) = (Vec::new(), 0, 0);
    while ended + refused < 50 {
        let frame = client.frame().await;
        if frame["event_type"] == "replay_end" {
            in_order(&replayed, 1);
            assert_eq!(replayed.len() as u64, last, "a whole record each time");
            replayed.clear();
            ended += 1;
        } else if frame["seq"].is_null() {
            assert_eq!(frame["data"]["code"], "too_many_replays", "{frame}");
            refused += 1;
        } else {
            replayed.push(frame);
        }
    }
    assert!(replayed.is_empty(), "a refused one sends nothing");
    let regained = begun.elapsed().as_secs() + 1;
    println!("50 subscribes: {ended} replays of {last} events, {refused} refused");
    assert!(ended >= 10 && ended <= 10 + regained, "{ended} replays");
    // The connection is live, without a gap and without an event twice.
    worker.says(1).await;
    let mut live = Vec::new();
    for _ in 0..EACH {
        live.push(client.frame().await);
    }
    in_order(&live, last + 1);
    assert!(client.is_silent_for(Duration::from_millis(500)).await);
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_second_replay_on_a_connection_takes_the_place_of_the_first() {
    let _calm = shared_workers().await;
    let mut worker = Worker::new().await;
    let session = worker.state.session_id.to_string();
    worker.says(40).await;
    // A part of 500 events, and the connection waits for its next one.
    let mut client = connect(&Uuid::now_v7().to_string()).await;
    client.follow(&session).await;
    // MiniStack hands on one frame of a connection after another; API Gateway does not wait.
    let items = stack().items(&session).await;
    let keys = items.iter().map(|item| item["SK"].as_s().unwrap());
    let connection = keys.filter_map(|sk| sk.strip_prefix("CONNECTION#")).next();
    let sample = include_str!("../../events/ws-message.json");
    let mut frame: Value = serde_json::from_str(sample).unwrap();
    frame["requestContext"]["connectionId"] = json!(connection.unwrap());
    frame["body"] = json!(subscribe(&session, 0).to_string());
    let first = stack().invoke("ws-message", &frame);
    let (mut sent, mut ends) = (0, 0);
    let second = async {
        while client.frame().await["seq"] != 30 {
            sent += 1;
        }
        let again = stack().invoke("ws-message", &frame);
        let read = async {
            while ends == 0 {
                match &client.frame().await {
                    end if end["event_type"] == "replay_end" => ends += 1,
                    _ => sent += 1,
                }
            }
        };
        tokio::join!(again, read);
    };
    tokio::join!(first, second);
    assert!(
        client.is_silent_for(Duration::from_millis(500)).await,
        "one end alone"
    );
    println!("two replays at the same time: {sent} posts");
    assert!((530..800).contains(&sent), "{sent} posts");
}

fn subscribe(session: &str, after: u64) -> Value {
    json!({"type": "subscribe", "session_id": session, "after": after})
}

/// Each frame is an event, and the next one of the record.
fn in_order(frames: &[Value], from: u64) {
    let seqs = frames.iter().map(|frame| frame["seq"].as_u64());
    let expected = (from..).map(Some).take(frames.len());
    assert!(seqs.clone().eq(expected), "{:?}", seqs.collect::<Vec<_>>());
}
