//! One session with its log, and the actions of clients and workers.

use std::time::Duration;

use serde_json::{Value, json};
use session::{
    ApprovalAnswer, ApprovalId, Command, Envelope, Epoch, Event, Mode, NewRun, NewSession, OwnerId,
    Progress, Refusal, Rules, Run, RunId, Seq, SessionId, State, Timestamp,
};
use uuid::Uuid;
use workflow::{ApprovalPrompt, Engine, Outcome, RunHistory, RunSettings, Work, check_answer};

pub const MODEL: &str = "offline/extract-1";
const LEASE: Duration = Duration::from_secs(180);
const A_WHILE: Duration = Duration::from_secs(1);

pub struct World {
    pub state: State,
    pub log: Vec<Envelope>,
    pub settings: RunSettings,
    pub now: Timestamp,
    rules: Rules,
    runs: u128,
    questions: u128,
}

type PublishedStatus = Result<Vec<Envelope>, Refusal>;

impl World {
    pub fn new(mode: Mode, config: &Value) -> Self {
        let now = Timestamp::from_micros(1_790_000_000_000_000).unwrap();
        let new = NewSession {
            id: SessionId::new(Uuid::from_u128(1)),
            owner: OwnerId::of("test", "ada"),
            mode,
            run: Some(new_run(1)),
        };
        let change = session::create(&new, now);
        let mut world = Self {
            state: change.state.clone(),
            log: Vec::new(),
            settings: RunSettings::parse(mode, config).unwrap(),
            now,
            rules: Rules::default(),
            runs: 1,
            questions: 0,
        };
        world.append(change.events, change.state);
        world
    }

    /// Decides and appends. Every command takes a second. Returns the appended events.
    pub fn command(&mut self, command: &Command) -> Result<Vec<Envelope>, Refusal> {
        self.pass(A_WHILE);
        let change = self.rules.decide(&self.state, command, self.now)?;
        Ok(self.append(change.events, change.state))
    }

    pub fn pass(&mut self, time: Duration) {
        self.now = self.now.plus(time);
    }

    /// The run's history, as a worker folds it.
    pub fn memory(&self) -> RunHistory {
        let from = self.run().history_from;
        let first = self
            .log
            .iter()
            .position(|envelope| envelope.seq == Some(from));
        RunHistory::of(&self.log[first.unwrap()..])
    }

    pub fn take_lease(&mut self) -> Result<(Epoch, Vec<Envelope>), Refusal> {
        let memory = self.memory();
        let engine = self.engine(&memory).ok_or(Refusal::Overtaken)?;
        let run = self.run();
        let command = Command::TakeLease {
            run: run.id,
            until: self.now.plus(LEASE),
            at: run.position,
            opening: engine.open(MODEL),
        };
        let told = self.command(&command)?;
        Ok((self.state.lease.epoch, told))
    }

    /// The next work, at the time of the next command.
    pub fn work(&self, memory: &RunHistory) -> Option<Work> {
        Some(self.engine(memory)?.work(self.then()))
    }

    /// The progress after an outcome, at the time of the next command.
    pub fn advance(&self, memory: &RunHistory, outcome: &Outcome) -> Option<Progress> {
        Some(self.engine(memory)?.advance(outcome, self.then()))
    }

    fn engine<'a>(&'a self, memory: &'a RunHistory) -> Option<Engine<'a>> {
        Engine::on(&self.state, &self.settings, memory)
    }

    fn then(&self) -> Timestamp {
        self.now.plus(A_WHILE)
    }

    pub fn commit(
        &mut self,
        run: RunId,
        epoch: Epoch,
        progress: Progress,
        yield_lease: bool,
    ) -> Result<Vec<Envelope>, Refusal> {
        self.command(&Command::Commit {
            run,
            epoch,
            progress,
            yield_lease,
        })
    }

    /// The newest run.
    pub fn run(&self) -> &Run {
        self.state.run.as_ref().unwrap()
    }

    pub fn suspend(&mut self) -> Result<Vec<Envelope>, Refusal> {
        self.command(&Command::Suspend { run: None })
    }

    pub fn cancel(&mut self) -> Result<Vec<Envelope>, Refusal> {
        self.command(&Command::Cancel { run: None })
    }

    /// Requests an approval, which expires after the time in the rules.
    pub fn ask(
        &mut self,
        memory: &RunHistory,
        epoch: Epoch,
        question: ApprovalPrompt,
    ) -> PublishedStatus {
        self.questions += 1;
        let progress = self.put(memory, question, self.questions);
        self.commit(self.run().id, epoch, progress, false)
    }

    /// An approval with its id and expiry, to be committed.
    pub fn put(&self, memory: &RunHistory, question: ApprovalPrompt, id: u128) -> Progress {
        let id = ApprovalId::new(Uuid::from_u128(id));
        let expires_at = self.then().plus(self.rules.approval_ttl);
        let engine = self.engine(memory).expect("who asks has a run");
        engine.ask(question, id, expires_at)
    }

    /// A person answers the open approval.
    pub fn answer(
        &mut self,
        resolution: &str,
        feedback: Option<&str>,
        plan: Option<Value>,
    ) -> PublishedStatus {
        let open = self.state.approval.clone().ok_or(Refusal::NoSuchApproval)?;
        let answer = ApprovalAnswer {
            approval: open.id,
            resolution: resolution.into(),
            feedback: feedback.map(ToOwned::to_owned),
            modifications: plan.map(|plan| json!({ "plan": plan })),
            by: "ada".into(),
        };
        check_answer(&self.settings, &open.checkpoint, &answer).expect("a good answer");
        self.command(&Command::Answer(answer))
    }

    /// The approval expires, and the sweeper runs.
    pub fn expire(&mut self) -> PublishedStatus {
        self.pass(self.rules.approval_ttl);
        self.command(&Command::Recover)
    }

    /// Resumes the session. A new run takes over a failed one.
    pub fn resume(&mut self, context: Option<&str>) -> Result<Vec<Envelope>, Refusal> {
        let told = self.command(&Command::Resume {
            run: None,
            context: context.map(ToOwned::to_owned),
            takeover: Some(new_run(self.runs + 1)),
        })?;
        self.runs = u128::from(self.state.runs);
        Ok(told)
    }

    fn append(&mut self, events: Vec<Event>, state: State) -> Vec<Envelope> {
        let first = self.log.len() as u64 + 1;
        let told: Vec<Envelope> = (first..)
            .zip(events)
            .map(|(seq, event)| Envelope {
                timestamp: self.now,
                run_id: event.run_id,
                session_id: state.session_id,
                seq: Some(Seq(seq)),
                body: event.body,
            })
            .collect();
        self.state = state;
        self.log.extend(told.iter().cloned());
        told
    }
}

fn new_run(number: u128) -> NewRun {
    NewRun {
        id: RunId::new(Uuid::from_u128(number)),
        task: "Compare three sorting algorithms.".into(),
        artifact: None,
        task_id: None,
        agent: "planner".into(),
        model: MODEL.into(),
    }
}
