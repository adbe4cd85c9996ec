//! What a worker needs to know of a run: its record, folded.
//!
//! A worker keeps nothing from one invocation to the next. It reads the record from `run.history_from` on, which for a
//! run that took over from a failed one begins with that one, and folds in what it and others append later. `told` is what the
//! watchers know, `answers` what people said.

use std::collections::{BTreeMap, VecDeque};

use serde_json::Value;
use session::{
    Envelope, EventBody, Message, PlanStep, Role, Seq, StoredEventBody, StructuredOutput, Timestamp,
};

use super::{published_status::PublishedStatus, remarks::remarks};
use crate::{
    clip::clip_chars,
    modes::{Checkpoint, agent},
};

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

/// The question that a person was asked last.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LastQuestion {
    pub checkpoint: Option<Checkpoint>,
    /// The step that it was about.
    pub step: u32,
}

/// A person's answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ReceivedAnswer {
    pub resolution: String,
    pub modifications: Option<Value>,
}

/// A run's record, folded.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunHistory {
    seen: Seq,
    pub(super) task: Option<String>,
    pub(super) additions: Vec<String>,
    pub(super) turn_from: Seq,
    pub(super) asked: Option<LastQuestion>,
    pub(super) words: Option<(u32, String)>,
    pub(super) redos: BTreeMap<u32, u32>,
    /// What earlier parts of the turn brought.
    pub(super) before: Vec<DoneStep>,
    /// The newest answer of a person, and where it stands.
    pub(crate) given: Option<(Seq, ReceivedAnswer)>,
    /// How often the plan was sent back by a person.
    pub(crate) revisions: u32,
    /// How often a person let the run cost more.
    pub(crate) raised: u32,
    /// The ideas that stand.
    pub(crate) ideas: Vec<String>,
    /// The idea that a person chose.
    pub(crate) choice: Option<String>,
    /// Copilot's last words about the task: a question, a proposal, a reason.
    pub(crate) routing: String,
    /// Who answers the turn.
    pub(crate) routed_to: Option<String>,
    /// A proposal that a person agreed to.
    pub(crate) proposal: String,
    /// Why the last step failed.
    pub(crate) error: String,
    pub(crate) told: PublishedStatus,
    pub(crate) draft: Vec<PlanStep>,
    pub(crate) remarks: Vec<String>,
    pub(crate) plan: Vec<PlanStep>,
    pub(crate) done: BTreeMap<u32, DoneStep>,
    pub(crate) step_started: Option<Timestamp>,
    pub(crate) artifacts: Vec<String>,
    pub(crate) chat: VecDeque<Message>,
}

impl RunHistory {
    /// Folds the record of a run, from its `history_from` on.
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
            if let StoredEventBody::Known(body) = &envelope.body {
                self.told.note(body);
                self.note(seq, body, envelope.timestamp);
            }
        }
    }

    /// The last event that was folded in; what comes after it is to be read and applied.
    pub const fn seen(&self) -> Seq {
        self.seen
    }

    /// Where the turn began that the run is in: with the run, or with what a person said to end the turn before. What was
    /// said earlier is history.
    pub const fn turn_from(&self) -> Seq {
        self.turn_from
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

    /// What was done before a step of the plan, in this part of the turn and in earlier ones.
    pub(crate) fn done_before(&self, step: u32) -> Vec<DoneStep> {
        let here = self.done.range(..step).map(|(_, done)| done);
        self.before.iter().chain(here).cloned().collect()
    }

    /// What a person wants to be minded in a step: the idea they chose, their words about this step.
    pub(crate) fn wishes(&self, step: u32) -> Vec<String> {
        let choice = self.choice.as_ref();
        let choice = choice.map(|idea| format!("The user chose this idea: {idea}"));
        let words = self.words.as_ref().filter(|(about, _)| *about == step);
        choice
            .into_iter()
            .chain(words.map(|(_, words)| words.clone()))
            .collect()
    }

    /// How often a person had a step done again.
    pub(crate) fn redos(&self, step: u32) -> u32 {
        self.redos.get(&step).copied().unwrap_or_default()
    }

    /// What an agent said last, as much of it as a result shows.
    pub(crate) fn last_answer(&self) -> &str {
        let mut newest_first = self.chat.iter().rev();
        let answer = newest_first.find(|message| message.role == Role::Assistant);
        answer.map_or("", |message| message.content.as_str())
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

    fn note(&mut self, seq: Seq, body: &EventBody, at: Timestamp) {
        match body {
            EventBody::UserMessage {
                role: Role::User,
                content,
                approval_id,
                ..
            } => self.note_user(seq, content, approval_id.is_some()),
            EventBody::AgentMessage {
                agent,
                message,
                artifact,
                structured_output: made,
                ..
            } => {
                self.artifacts = with_artifact(&self.artifacts, artifact.as_deref());
                self.note_made(agent, message, made.as_ref());
            }
            EventBody::FilesUpdated { files_tracked } => self.artifacts.clone_from(files_tracked),
            EventBody::PlanningComplete { steps, .. } => {
                self.plan.clone_from(steps);
                self.done.clear();
            }
            EventBody::StepStart { .. } => self.step_started = Some(at),
            EventBody::StepFailed { error, .. } => self.error.clone_from(error),
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
            // A run that takes over has a budget of its own.
            EventBody::WorkflowStarted { .. } => self.raised = 0,
            _ => self.note_question(seq, body),
        }
    }

    /// The first words of a run are its task. What is said in answer to a question is used with the answer.
    fn note_user(&mut self, seq: Seq, content: &str, is_answer: bool) {
        if self.task.is_none() {
            self.task = Some(content.to_owned());
            self.turn_from = seq;
        } else if !is_answer {
            self.additions.push(content.to_owned());
        }
    }

    fn note_made(&mut self, agent: &str, message: &str, made: Option<&StructuredOutput>) {
        match made {
            Some(StructuredOutput::Plan(plan)) => {
                self.draft.clone_from(plan);
                self.remarks.clear();
            }
            Some(StructuredOutput::Ideas(ideas)) => self.ideas.clone_from(ideas),
            Some(StructuredOutput::Route(route)) => {
                self.routing = message.to_owned();
                self.routed_to = Some(route.agent.clone());
            }
            None if agent == agent::PLAN_REVIEWER => self.remarks.extend(remarks(message)),
            None => {}
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
