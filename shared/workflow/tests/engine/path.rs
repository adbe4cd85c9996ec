//! A mode's path as text, compared with a file in `tests/paths`. After an intended change run
//! `UPDATE_PATHS=1 cargo test -p workflow` and review the difference.

use std::{fmt::Write as _, fs, path::PathBuf, time::Duration};

use serde_json::Value;
use session::{Envelope, Epoch, Mode, Refusal, RouteKind, RunStatus, Stage};
use workflow::{AgentRequest, DocumentTask, Outcome, Work};

use crate::{print, script, world::World};

const STEPS: usize = 2;

/// A session and the text of its path.
pub struct Path {
    world: World,
    text: String,
    epoch: Epoch,
}

impl Path {
    pub fn new(title: &str, mode: Mode, config: &Value) -> Self {
        let world = World::new(mode, config);
        let mut path = Self {
            text: format!("== {title}\n"),
            epoch: world.state.lease.epoch,
            world,
        };
        let log = path.world.log.clone();
        path.tell("a task arrives", Ok(log));
        path
    }

    fn tell(&mut self, who: &str, told: Result<Vec<Envelope>, Refusal>) {
        match told {
            Ok(told) => {
                let standing = print::standing(&self.world.state);
                writeln!(self.text, "\n{who}  →  {standing}").unwrap();
                for envelope in &told {
                    writeln!(self.text, "{}", print::event(envelope)).unwrap();
                }
            }
            Err(refusal) => writeln!(self.text, "\n{who}  →  refused: {refusal}").unwrap(),
        }
    }

    pub fn take(&mut self) {
        let taken = self.world.take_lease();
        if let Ok((epoch, _)) = &taken {
            self.epoch = *epoch;
        }
        self.tell("a worker takes the lease", taken.map(|(_, told)| told));
    }

    /// One turn of the worker: executes the next work and commits the outcome.
    pub fn turn(&mut self, answer: impl FnOnce(&AgentRequest) -> Outcome) {
        let memory = self.world.memory();
        let (who, progress) = match self.world.work(&memory).unwrap() {
            Work::Commit(progress) => ("nobody is asked".to_owned(), *progress),
            Work::AskPerson(question) => {
                let who = format!("a person is asked, {}", question.checkpoint.as_str());
                let told = self.world.ask(&memory, self.epoch, *question);
                return self.tell(&who, told);
            }
            Work::DocumentTask(document) => {
                let outcome = script::unit(self.world.state.mode, &document);
                let progress = self.world.advance(&memory, &outcome);
                (of_document(&document), progress.unwrap())
            }
            Work::Ask(request) => {
                let outcome = answer(&request);
                let progress = self.world.advance(&memory, &outcome).unwrap();
                (
                    format!("{} is asked about {}", request.agent, request.node),
                    progress,
                )
            }
        };
        let told = self
            .world
            .commit(self.world.run().id, self.epoch, progress, false);
        self.tell(&who, told);
    }

    /// The next request to an agent, after all commits that need no request.
    pub fn request(&mut self) -> AgentRequest {
        loop {
            let memory = self.world.memory();
            match self.world.work(&memory).unwrap() {
                Work::Ask(request) => return *request,
                Work::Commit(_) => self.good(),
                work => panic!("an agent is asked: {work:?}"),
            }
        }
    }

    /// The status of the run.
    pub fn status(&self) -> RunStatus {
        self.world.run().status
    }

    /// Fails a document task with this outcome; returns false if the next work is not a document
    /// task.
    pub fn fails(&mut self, outcome: &Outcome) -> bool {
        let memory = self.world.memory();
        let Some(Work::DocumentTask(document)) = self.world.work(&memory) else {
            return false;
        };
        let progress = self.world.advance(&memory, outcome).unwrap();
        let run = self.world.run().id;
        let told = self.world.commit(run, self.epoch, progress, false);
        self.tell(&of_document(&document), told);
        true
    }

    pub fn good(&mut self) {
        self.turn(|request| script::good(request, STEPS));
    }

    pub fn suspend(&mut self) {
        let told = self.world.suspend();
        self.tell("the client suspends", told);
    }

    pub fn resume(&mut self, context: Option<&str>) {
        let told = self.world.resume(context);
        self.tell("the client resumes", told);
    }

    pub fn cancel(&mut self) {
        let told = self.world.cancel();
        self.tell("the client cancels", told);
    }

    /// A person answers.
    pub fn person(&mut self, resolution: &str) {
        self.says(resolution, None, None);
    }

    /// A person answers with feedback or a plan.
    pub fn says(&mut self, resolution: &str, feedback: Option<&str>, plan: Option<Value>) {
        let told = self.world.answer(resolution, feedback, plan);
        self.tell(&format!("a person answers {resolution}"), told);
    }

    /// The approval expires without an answer.
    pub fn expire(&mut self) {
        let told = self.world.expire();
        self.tell("nobody answers in time", told);
    }

    /// Copilot chooses this route.
    pub fn routed(&mut self, kind: RouteKind) {
        self.turn(|_| script::routed(kind));
    }

    /// Succeeds until this approval is requested, and accepts all approvals before it.
    pub fn until_asked(&mut self, checkpoint: &str) {
        loop {
            match (self.world.run().status, self.asked()) {
                (RunStatus::WaitingApproval, Some(open)) if open.0 == checkpoint => return,
                (RunStatus::WaitingApproval, Some(open)) => self.person(&open.1),
                (RunStatus::Queued, _) => self.take(),
                (RunStatus::Running, _) => self.good(),
                (status, _) => panic!("{status} before {checkpoint}"),
            }
        }
    }

    /// Succeeds and accepts all approvals until the run ends or pauses. Ends a conversation at its
    /// first turn.
    pub fn yes_to_all(mut self) -> Self {
        loop {
            match (self.world.run().status, self.asked()) {
                (RunStatus::WaitingApproval, Some((checkpoint, _)))
                    if checkpoint == "copilot_turn" =>
                {
                    self.person("done");
                }
                (RunStatus::WaitingApproval, Some((_, yes))) => self.person(&yes),
                (RunStatus::Queued, _) => self.take(),
                (RunStatus::Running, _) => self.good(),
                _ => return self,
            }
        }
    }

    /// The open approval, and its accepting answer.
    fn asked(&self) -> Option<(String, String)> {
        let open = self.world.state.approval.as_ref()?;
        Some((open.checkpoint.clone(), open.options[0].clone()))
    }

    /// The worker is lost, and its lease expires.
    pub fn crash(&mut self) {
        self.world.pass(Duration::from_secs(300));
        writeln!(self.text, "\nthe worker is lost").unwrap();
    }

    /// Successful turns until the worker is at this stage of this step.
    pub fn until(&mut self, stage: Stage, step: u32) {
        loop {
            let at = self.world.run().position;
            if (at.stage, at.step) == (stage, step) {
                return;
            }
            self.good();
        }
    }

    /// Successful turns while the run is running; then the whole text.
    fn told_to_the_end(mut self) -> String {
        while self.world.run().status == RunStatus::Running {
            self.good();
        }
        self.text
    }
}

/// The document task and what it needs.
fn of_document(document: &DocumentTask) -> String {
    let DocumentTask {
        stage,
        index,
        total,
        ..
    } = document;
    let asks = match (&document.request, document.calls_arxiv()) {
        (Some(request), _) => format!(", may ask {}", request.agent),
        (None, true) => ", asks arXiv".into(),
        (None, false) => String::new(),
    };
    let last = if document.last_try { ", last try" } else { "" };
    format!("documents, {stage:?} {index} of {total}{asks}{last}")
}

pub fn compare(name: &str, paths: impl IntoIterator<Item = Path>) {
    let texts: Vec<String> = paths.into_iter().map(Path::told_to_the_end).collect();
    let text = texts.join("\n");
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/paths/{name}.txt"));
    if std::env::var_os("UPDATE_PATHS").is_some() {
        fs::write(&file, &text).unwrap();
    }
    let expected = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        expected == text,
        "{name}.txt is not the path; it is now:\n{text}"
    );
}
