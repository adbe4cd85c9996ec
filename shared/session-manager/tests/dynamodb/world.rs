//! Helpers for the tests: an owner with a table, sessions in all relevant states, and a worker's
//! commits.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use session::{
    Command, EventBody, Mode, NewRun, NewSession, Next, OwnerId, Phase, Position, Progress, Role,
    Rules, Run, RunId, SessionId, Stage, StageStart, State, TaskId, Timestamp, digest,
};
use session_manager::{Actor, ChangeError, Committed, NewSessionRows, RequestKey, SessionManager};
use uuid::Uuid;

use crate::proxy::Proxy;
use crate::table;

pub type Item = std::collections::HashMap<String, AttributeValue>;

/// A time on the tests' own clock.
pub fn at(second: u64) -> Timestamp {
    let start = Timestamp::from_micros(1_790_000_000_000_000).unwrap();
    start.plus(Duration::from_secs(second))
}

/// A table, and an owner with sessions in it.
pub struct World {
    pub client: Client,
    pub table: String,
    pub manager: SessionManager,
    pub proxy: Proxy,
    pub owner: OwnerId,
}

impl World {
    /// The manager uses the proxy, the test itself does not.
    pub async fn new() -> Self {
        let endpoint = table::endpoint();
        let client = table::client(&endpoint);
        let table = table::create(&client).await;
        let proxy = Proxy::before(&endpoint).await;
        let through = table::client(&proxy.endpoint);
        let manager = SessionManager::new(through, &table, Rules::default());
        Self {
            client,
            table,
            manager,
            proxy,
            owner: OwnerId::of("tests", "ada"),
        }
    }

    pub fn ada(&self) -> Actor {
        Actor::Client(self.owner.clone())
    }

    pub fn bob(&self) -> Actor {
        Actor::Client(OwnerId::of("tests", "bob"))
    }

    pub fn new_session(&self, mode: Mode, run: Option<NewRun>) -> NewSession {
        NewSession {
            id: SessionId::new(Uuid::now_v7()),
            owner: self.owner.clone(),
            mode,
            run,
        }
    }

    /// A session without a run.
    pub async fn session(&self, mode: Mode) -> State {
        let new = self.new_session(mode, None);
        let created = self.manager.create(&new, &rows(), None, at(0)).await;
        created.unwrap().state
    }

    /// A session with a queued run.
    pub async fn queued(&self, mode: Mode) -> State {
        let new = self.new_session(mode, Some(new_run()));
        let created = self.manager.create(&new, &rows(), None, at(0)).await;
        created.unwrap().state
    }

    /// A session with a leased run, until second 100.
    pub async fn running(&self, mode: Mode) -> State {
        let state = self.queued(mode).await;
        let lease = take_lease(&state, at(100));
        self.manager
            .commit_on(state, &lease, at(1))
            .await
            .unwrap()
            .state
    }

    /// Applies a command as the owner.
    pub async fn does(
        &self,
        session: SessionId,
        command: Command,
        now: Timestamp,
    ) -> Result<Committed, ChangeError> {
        self.manager
            .change(session, &self.ada(), &command, now)
            .await
    }

    /// Reads the session's state as this actor and starts a run on it.
    pub async fn start_run(
        &self,
        session: SessionId,
        actor: &Actor,
        run: &NewRun,
        key: Option<&RequestKey>,
        now: Timestamp,
    ) -> Result<Committed, ChangeError> {
        let state = self.manager.state(session, actor).await?;
        self.manager.start_run(state, run, None, key, now).await
    }

    /// All items of a partition.
    pub async fn partition(&self, pk: &str) -> Vec<Item> {
        let request = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("PK = :pk")
            .expression_attribute_values(":pk", AttributeValue::S(pk.into()))
            .consistent_read(true);
        let pages: Result<Vec<_>, _> = request.into_paginator().items().send().collect().await;
        pages.unwrap()
    }

    /// The sort keys of a session's items.
    pub async fn sort_keys(&self, session: SessionId) -> Vec<String> {
        let items = self.partition(&format!("SESSION#{session}")).await;
        items
            .iter()
            .map(|item| item["SK"].as_s().unwrap().clone())
            .collect()
    }

    /// An item of a session.
    pub async fn item(&self, session: SessionId, sk: &str) -> Option<Item> {
        let items = self.partition(&format!("SESSION#{session}")).await;
        items
            .into_iter()
            .find(|item| item["SK"].as_s().unwrap() == sk)
    }

    /// How many of these runs are found by their ids alone.
    pub async fn locators(&self, runs: &[RunId]) -> usize {
        let mut found = 0;
        for run in runs {
            found += self.partition(&format!("RUN#{run}")).await.len();
        }
        found
    }

    /// Asserts that the log has neither a gap nor a fork, and that each entry's state ends at its
    /// own seq. Returns the last seq.
    pub async fn assert_whole(&self, session: SessionId) -> u64 {
        let items = self.partition(&format!("SESSION#{session}")).await;
        let mut next = 1;
        for item in items {
            let sk = item["SK"].as_s().unwrap();
            let Some(first) = sk.strip_prefix("LOG#") else {
                continue;
            };
            assert_eq!(
                first.parse::<u64>().unwrap(),
                next,
                "a gap or a fork at {sk}"
            );
            let last: u64 = item["last"].as_n().unwrap().parse().unwrap();
            let events: Vec<serde_json::Value> =
                serde_json::from_str(item["events"].as_s().unwrap()).unwrap();
            assert_eq!(next + events.len() as u64, last + 1);
            let state = State::from_json(item["state"].as_s().unwrap()).unwrap();
            assert_eq!(state.last_seq.0, last);
            next = last + 1;
        }
        next - 1
    }
}

pub fn rows() -> NewSessionRows {
    NewSessionRows {
        name: "a session".into(),
        config: r#"{"model":"small"}"#.into(),
        run_config: None,
    }
}

pub fn new_run() -> NewRun {
    NewRun {
        id: RunId::new(Uuid::now_v7()),
        task: "Say something.".into(),
        artifact: None,
        task_id: None,
        agent: "researcher".into(),
        model: "small".into(),
    }
}

pub fn task_id(text: &str) -> TaskId {
    TaskId {
        text: text.into(),
        digest: digest(&[text]),
    }
}

/// A new run with a client's task id, and its request key.
pub fn named_run(owner: &OwnerId, task: &str) -> (NewRun, RequestKey) {
    let named = task_id(task);
    let run = NewRun {
        task_id: Some(named.clone()),
        ..new_run()
    };
    let key = RequestKey::task(owner.clone(), &named, &run.task);
    (run, key)
}

pub fn run_of(state: &State) -> &Run {
    state.run.as_ref().unwrap()
}

/// Step `n` of a plan of nine.
pub fn step(n: u32) -> StageStart {
    StageStart {
        position: Position {
            stage: Stage::Step,
            step: n,
            steps: 9,
            round: 0,
            tries: 0,
            calls: 0,
            begun: true,
        },
        phase: Phase::Control,
        step: Some(n),
        events: vec![EventBody::StepStart {
            step_number: n,
            goal: "go on".into(),
        }],
        history_from: None,
    }
}

pub fn take_lease(state: &State, until: Timestamp) -> Command {
    let run = run_of(state);
    Command::TakeLease {
        run: run.id,
        until,
        at: run.position,
        opening: step(run.position.step.max(1)),
    }
}

pub fn said(message: &str) -> EventBody {
    EventBody::AgentMessage {
        agent: "researcher".into(),
        role: Role::Assistant,
        message: message.into(),
        artifact: None,
        structured_output: None,
    }
}

/// A worker's commit of a message and the next position.
pub fn commit(state: &State, message: &str, next: Next) -> Command {
    let run = run_of(state);
    Command::Commit {
        run: run.id,
        epoch: state.lease.epoch,
        progress: Progress {
            at: run.position,
            work: vec![said(message)],
            cost_usd: 0.0,
            tokens: 0,
            next,
        },
        yield_lease: false,
    }
}

/// A worker's commit that keeps the position and sends no notification: it changes only the log.
pub fn note(state: &State, message: &str) -> Command {
    let opening = StageStart {
        position: run_of(state).position,
        phase: state.phase,
        step: state.current_step,
        events: Vec::new(),
        history_from: None,
    };
    commit(state, message, Next::Advance(opening))
}

/// A worker's commit that ends the run.
pub fn finish(state: &State) -> Command {
    let result = EventBody::Output {
        message: "done".into(),
    };
    commit(state, "the end", Next::Complete(Box::new(result)))
}

pub const SUSPEND: Command = Command::Suspend { run: None };
pub const CANCEL: Command = Command::Cancel { run: None };

pub fn resume() -> Command {
    Command::Resume {
        run: None,
        context: None,
        takeover: None,
    }
}
