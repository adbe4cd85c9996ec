//! What a worker needs to know of a run: its record, folded.
//!
//! A worker keeps nothing from one invocation to the next. It reads the record from `run.memory_from` on, which for a
//! run that took over from a failed one begins with that one, and folds in what it and others append later.

use std::collections::{BTreeMap, VecDeque};

use session::{
    Envelope, EventBody, Made, Message, NodeStatus, Phase, PlanStep, Recorded, Role, Seq, Timestamp,
};

use crate::{agent, clip::clip_chars, remarks::remarks};

/// How many messages a result shows, and how many characters of each.
const CHAT_MESSAGES: usize = 20;
const CHAT_CHARS: usize = 2_000;

/// A step of the plan that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoneStep {
    /// What was to be done.
    pub sub_task: String,
    /// What came of it.
    pub summary: String,
}

/// A run's record, folded.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Memory {
    seen: Seq,
    task: Option<String>,
    additions: Vec<String>,
    pub(crate) told: Told,
    pub(crate) draft: Vec<PlanStep>,
    pub(crate) remarks: Vec<String>,
    pub(crate) plan: Vec<PlanStep>,
    pub(crate) done: BTreeMap<u32, DoneStep>,
    pub(crate) step_started: Option<Timestamp>,
    pub(crate) artifacts: Vec<String>,
    pub(crate) chat: VecDeque<Message>,
}

/// Where the run stands as its watchers were told, so that a beginning tells only what they do not know yet.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Told {
    pub phase: Option<(Phase, Option<u32>)>,
    pub running: Option<String>,
}

impl Memory {
    /// Folds the record of a run, from its `memory_from` on.
    pub fn of(record: &[Envelope]) -> Self {
        let mut memory = Self::default();
        memory.apply(record);
        memory
    }

    /// Folds in what was appended since, by this worker or by others. What it has seen already counts once.
    pub fn apply(&mut self, record: &[Envelope]) {
        for envelope in record {
            let Some(seq) = envelope.seq.filter(|seq| *seq > self.seen) else {
                continue;
            };
            self.seen = seq;
            if let Some(message) = envelope.as_message() {
                self.hear(message);
            }
            if let Recorded::Known(body) = &envelope.body {
                self.told.note(body);
                self.note(body, envelope.timestamp);
            }
        }
    }

    /// The last event that was folded in; what comes after it is to be read and applied.
    pub const fn seen(&self) -> Seq {
        self.seen
    }

    /// Replaces the beginning of a long task by the whole, which the artifact of its `user_message` holds.
    pub fn complete_task(&mut self, whole: String) {
        self.task = Some(whole);
    }

    /// Adds what was said in the session before this run, oldest first, so that the result can show it.
    pub fn add_earlier(&mut self, messages: impl DoubleEndedIterator<Item = Message>) {
        for message in messages.rev() {
            if self.chat.len() >= CHAT_MESSAGES {
                break;
            }
            self.chat.push_front(shortened(message));
        }
    }

    /// The task in the client's words, with what they added on resume.
    pub fn task(&self) -> String {
        let mut text = self.task.clone().unwrap_or_default();
        for addition in &self.additions {
            text.push_str("\n\nAdded later by the user:\n");
            text.push_str(addition);
        }
        text
    }

    /// The steps that are done, in their order.
    pub fn done(&self) -> Vec<DoneStep> {
        self.done.values().cloned().collect()
    }

    /// The artifacts of the run, in the order in which they were made.
    pub fn artifacts(&self) -> &[String] {
        &self.artifacts
    }

    fn hear(&mut self, message: Message) {
        if self.chat.len() == CHAT_MESSAGES {
            self.chat.pop_front();
        }
        self.chat.push_back(shortened(message));
    }

    fn note(&mut self, body: &EventBody, at: Timestamp) {
        match body {
            EventBody::UserMessage {
                role: Role::User,
                content,
                ..
            } => self.note_user(content),
            EventBody::AgentMessage {
                agent,
                message,
                artifact,
                made,
                ..
            } => {
                self.artifacts = with_artifact(&self.artifacts, artifact.as_deref());
                self.note_made(agent, message, made.as_ref());
            }
            EventBody::PlanningComplete { steps, .. } => {
                self.plan.clone_from(steps);
                self.done.clear();
            }
            EventBody::StepStart { .. } => self.step_started = Some(at),
            EventBody::StepComplete {
                step_number,
                goal,
                summary,
                ..
            } => {
                let done = DoneStep {
                    sub_task: goal.clone(),
                    summary: summary.clone(),
                };
                self.done.insert(*step_number, done);
            }
            _ => {}
        }
    }

    fn note_user(&mut self, content: &str) {
        if self.task.is_some() {
            self.additions.push(content.to_owned());
        } else {
            self.task = Some(content.to_owned());
        }
    }

    fn note_made(&mut self, agent: &str, message: &str, made: Option<&Made>) {
        match made {
            Some(Made::Plan(plan)) => {
                self.draft.clone_from(plan);
                self.remarks.clear();
            }
            None if agent == agent::PLAN_REVIEWER => self.remarks.extend(remarks(message)),
            _ => {}
        }
    }
}

impl Told {
    /// What the watchers of a run know that begins: nothing but that it is at its `init`.
    pub const fn at_first() -> Self {
        Self {
            phase: Some((Phase::Init, None)),
            running: None,
        }
    }

    pub fn note(&mut self, body: &EventBody) {
        match body {
            EventBody::DagCreated { .. } => *self = Self::at_first(),
            EventBody::PhaseChange { phase, step_number } => {
                self.phase = Some((*phase, *step_number));
            }
            EventBody::DagNodeStatusChanged {
                node_id,
                new_status,
                ..
            } => {
                self.running = (*new_status == NodeStatus::Running).then(|| node_id.clone());
            }
            _ => {}
        }
    }
}

/// The artifacts after one more; the same name replaces.
pub(crate) fn with_artifact(artifacts: &[String], name: Option<&str>) -> Vec<String> {
    let mut artifacts = artifacts.to_vec();
    if let Some(name) = name.filter(|name| !artifacts.iter().any(|known| known == name)) {
        artifacts.push(name.to_owned());
    }
    artifacts
}

fn shortened(message: Message) -> Message {
    let content = clip_chars(&message.content, CHAT_CHARS).to_owned();
    Message { content, ..message }
}
