//! The history of a run: its events, folded in order.

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

/// A completed step of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoneStep {
    /// The goal of the step.
    pub sub_task: String,
    /// The summary of its result.
    pub summary: String,
}

/// The approval that was requested last.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LastPrompt {
    pub checkpoint: Option<Checkpoint>,
    /// The step that it is about.
    pub step: u32,
}

/// The answer to an approval.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ReceivedAnswer {
    pub resolution: String,
    pub modifications: Option<Value>,
}

/// The record of a run, folded.
///
/// A worker keeps nothing between invocations. It folds the record from `run.history_from` on,
/// which for a run that took over a failed one begins with the failed one, and applies what it
/// and others append later.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunHistory {
    seen: Seq,
    pub(super) task: Option<String>,
    pub(super) additions: Vec<String>,
    pub(super) turn_from: Seq,
    pub(super) prompt: Option<LastPrompt>,
    pub(super) step_feedback: Option<(u32, String)>,
    pub(super) redos: BTreeMap<u32, u32>,
    /// The steps of earlier parts of the turn.
    pub(super) earlier_steps: Vec<DoneStep>,
    /// The newest answer to an approval, and its seq.
    pub(crate) answer: Option<(Seq, ReceivedAnswer)>,
    /// How often the plan was sent back.
    pub(crate) revisions: u32,
    /// How often the budget was raised.
    pub(crate) budget_raises: u32,
    /// The newest ideas.
    pub(crate) ideas: Vec<String>,
    /// The idea that was chosen at `after_ideas`.
    pub(crate) choice: Option<String>,
    /// Copilot's last message: a question, a proposal or a reason.
    pub(crate) routing: String,
    /// The agent that answers the turn.
    pub(crate) routed_to: Option<String>,
    /// The proposal that was approved.
    pub(crate) proposal: String,
    /// Why the last step failed.
    pub(crate) error: String,
    pub(crate) published: PublishedStatus,
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
        let mut history = Self::default();
        history.apply(record);
        history
    }

    /// Folds in the events that were appended since. Earlier events are skipped.
    pub fn apply(&mut self, record: &[Envelope]) {
        for envelope in record {
            let Some(seq) = envelope.seq.filter(|seq| *seq > self.seen) else {
                continue;
            };
            self.seen = seq;
            if let Some(message) = envelope.as_message() {
                self.add_message(message);
            }
            if let StoredEventBody::Known(body) = &envelope.body {
                self.published.apply(body);
                self.apply_event(seq, body, envelope.timestamp);
            }
        }
    }

    /// The seq of the last event that was folded in.
    pub const fn seen(&self) -> Seq {
        self.seen
    }

    /// The seq at which the current turn began: the run's task, or the answer that ended the turn
    /// before.
    pub const fn turn_from(&self) -> Seq {
        self.turn_from
    }

    /// Replaces the beginning of a long task by the whole, from the artifact of its `user_message`.
    pub fn complete_task(&mut self, whole: String) {
        self.task = Some(whole);
    }

    /// Adds the session's messages before this run, oldest first, for the result.
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

    /// The steps completed before a step of the plan, in this part of the turn and in earlier ones.
    pub(crate) fn done_before(&self, step: u32) -> Vec<DoneStep> {
        let here = self.done.range(..step).map(|(_, done)| done);
        self.earlier_steps.iter().chain(here).cloned().collect()
    }

    /// The remarks for a step: the chosen idea, and the feedback about this step.
    pub(crate) fn step_remarks(&self, step: u32) -> Vec<String> {
        let choice = self.choice.as_ref();
        let choice = choice.map(|idea| format!("The user chose this idea: {idea}"));
        let feedback = self
            .step_feedback
            .as_ref()
            .filter(|(about, _)| *about == step);
        choice
            .into_iter()
            .chain(feedback.map(|(_, text)| text.clone()))
            .collect()
    }

    /// How often `redo` was chosen for a step.
    pub(crate) fn redos(&self, step: u32) -> u32 {
        self.redos.get(&step).copied().unwrap_or_default()
    }

    /// The last message of an agent, as much of it as a result shows.
    pub(crate) fn last_answer(&self) -> &str {
        let mut newest_first = self.chat.iter().rev();
        let answer = newest_first.find(|message| message.role == Role::Assistant);
        answer.map_or("", |message| message.content.as_str())
    }

    /// The artifacts of the run, in the order in which they were made.
    pub fn artifacts(&self) -> &[String] {
        &self.artifacts
    }

    fn add_message(&mut self, message: Message) {
        if self.chat.len() == CHAT_MESSAGES {
            self.chat.pop_front();
        }
        self.chat.push_back(shortened(message));
    }

    fn apply_event(&mut self, seq: Seq, body: &EventBody, at: Timestamp) {
        match body {
            EventBody::UserMessage {
                role: Role::User,
                content,
                approval_id,
                ..
            } => self.apply_user_message(seq, content, approval_id.is_some()),
            EventBody::AgentMessage {
                agent,
                message,
                artifact,
                structured_output: made,
                ..
            } => {
                self.artifacts = with_artifact(&self.artifacts, artifact.as_deref());
                self.apply_output(agent, message, made.as_ref());
            }
            EventBody::FilesUpdated(tracked) => self.artifacts.clone_from(&tracked.files),
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
            // A takeover has its own budget.
            EventBody::WorkflowStarted { .. } => self.budget_raises = 0,
            _ => self.apply_approval(seq, body),
        }
    }

    /// The first message of a run is its task. The feedback of an answer is applied with the
    /// answer.
    fn apply_user_message(&mut self, seq: Seq, content: &str, is_answer: bool) {
        if self.task.is_none() {
            self.task = Some(content.to_owned());
            self.turn_from = seq;
        } else if !is_answer {
            self.additions.push(content.to_owned());
        }
    }

    fn apply_output(&mut self, agent: &str, message: &str, made: Option<&StructuredOutput>) {
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
