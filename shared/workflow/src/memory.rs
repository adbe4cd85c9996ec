//! What a worker needs to know of a run: its record, folded.
//!
//! A worker keeps nothing from one invocation to the next. It reads the record from `run.memory_from` on, which for a
//! run that took over from a failed one begins with that one, and folds in what it and others append later.

use std::collections::{BTreeMap, VecDeque};

use serde_json::Value;
use session::{
    Dag, Envelope, EventBody, Made, Message, NodeStatus, Phase, PlanStep, Recorded, Role, Seq,
    Timestamp,
};

use crate::{Checkpoint, agent, clip::clip_chars, person::DONE, remarks::remarks};

/// How many messages a result shows, and how many characters of each.
const CHAT_MESSAGES: usize = 20;
const CHAT_CHARS: usize = 2_000;

/// What a plan sent back without a word, and a turn continued without one, are told.
const ANOTHER: &str = "The user wants another plan.";
const GO_ON: &str = "Go on from there.";

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
    turn_from: Seq,
    asked: Option<Asked>,
    words: Option<(u32, String)>,
    redos: BTreeMap<u32, u32>,
    /// What earlier parts of the turn brought.
    before: Vec<DoneStep>,
    /// The newest answer of a person, and where it stands.
    pub(crate) given: Option<(Seq, Given)>,
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
    pub(crate) told: Told,
    pub(crate) draft: Vec<PlanStep>,
    pub(crate) remarks: Vec<String>,
    pub(crate) plan: Vec<PlanStep>,
    pub(crate) done: BTreeMap<u32, DoneStep>,
    pub(crate) step_started: Option<Timestamp>,
    pub(crate) artifacts: Vec<String>,
    pub(crate) chat: VecDeque<Message>,
}

/// The question that a person was asked last.
#[derive(Debug, Clone, PartialEq)]
struct Asked {
    checkpoint: Option<Checkpoint>,
    /// The step that it was about.
    step: u32,
}

/// A person's answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Given {
    pub resolution: String,
    pub modifications: Option<Value>,
}

/// Where the run stands as its watchers were told, so that a beginning tells only what they do not know yet.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Told {
    pub phase: Option<(Phase, Option<u32>)>,
    pub nodes: BTreeMap<String, NodeStatus>,
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
                made,
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

    fn note_question(&mut self, seq: Seq, body: &EventBody) {
        match body {
            EventBody::ApprovalRequested(request) => {
                self.asked = Some(Asked {
                    checkpoint: Checkpoint::of(&request.checkpoint_type),
                    step: self.told.phase.and_then(|(_, step)| step).unwrap_or(0),
                });
            }
            EventBody::ApprovalResolved {
                resolution,
                feedback,
                modifications,
                ..
            } => {
                let given = Given {
                    resolution: resolution.clone(),
                    modifications: modifications.clone(),
                };
                self.note_answer(seq, resolution, feedback.as_deref());
                self.given = Some((seq, given));
            }
            EventBody::ApprovalExpired { .. } => {
                let given = Given {
                    resolution: DONE.into(),
                    modifications: None,
                };
                self.given = Some((seq, given));
            }
            _ => {}
        }
    }

    /// What an answer means for what is told to agents later.
    fn note_answer(&mut self, seq: Seq, resolution: &str, feedback: Option<&str>) {
        let Some(Asked { checkpoint, step }) = self.asked.take() else {
            return;
        };
        let words = feedback.map(str::trim).filter(|words| !words.is_empty());
        match (checkpoint, resolution) {
            (Some(Checkpoint::DuringPlanning), "revise") => {
                self.revisions += 1;
                self.remarks = vec![words.unwrap_or(ANOTHER).to_owned()];
            }
            (Some(Checkpoint::AfterStep), "redo") => {
                *self.redos.entry(step).or_default() += 1;
                self.words = words.map(|words| (step, words.to_owned()));
            }
            (Some(Checkpoint::BeforeStep), "approve") | (Some(Checkpoint::OnError), "retry") => {
                self.words = words.map(|words| (step, words.to_owned()));
            }
            (Some(Checkpoint::AfterIdeas), option) => self.choose(option, words),
            (Some(Checkpoint::CopilotTurn), "submit") => self.begin_turn(seq, words),
            (Some(Checkpoint::CopilotTurn), "continue") => self.go_on(words),
            (Some(Checkpoint::Clarification), "submit") => {
                let answer = words.unwrap_or_default();
                let asked = &self.routing;
                self.additions
                    .push(format!("Asked: {asked}\nAnswered: {answer}"));
            }
            (Some(Checkpoint::Proposal), "approve") => self.proposal.clone_from(&self.routing),
            (Some(Checkpoint::Budget), "continue") => self.raised += 1,
            _ => {}
        }
        let used = matches!(
            (checkpoint, resolution),
            (Some(Checkpoint::DuringPlanning), "revise")
                | (Some(Checkpoint::AfterStep), "redo")
                | (Some(Checkpoint::BeforeStep), "approve")
                | (Some(Checkpoint::OnError), "retry")
                | (Some(Checkpoint::AfterIdeas), "custom")
                | (Some(Checkpoint::CopilotTurn | Checkpoint::Clarification), _)
        );
        self.additions
            .extend(words.filter(|_| !used).map(ToOwned::to_owned));
    }

    fn choose(&mut self, option: &str, words: Option<&str>) {
        let number = option.strip_prefix("option_");
        let number = number.and_then(|number| number.parse::<usize>().ok());
        let idea = number.and_then(|number| self.ideas.get(number.checked_sub(1)?).cloned());
        self.choice = idea.or_else(|| words.map(ToOwned::to_owned));
    }

    /// A person's next task: what was planned and done for the last one is history.
    fn begin_turn(&mut self, seq: Seq, words: Option<&str>) {
        // Their message stands right before their answer.
        self.turn_from = Seq(seq.0.saturating_sub(1));
        self.task = Some(words.unwrap_or_default().to_owned());
        self.additions.clear();
        self.before.clear();
        self.end_part();
    }

    /// The same task goes on: what was done for it so far stays in sight.
    fn go_on(&mut self, words: Option<&str>) {
        let answer = DoneStep {
            sub_task: "The answer so far".into(),
            summary: self.last_answer().to_owned(),
        };
        let done = std::mem::take(&mut self.done);
        match done.is_empty() {
            true => self.before.push(answer),
            false => self.before.extend(done.into_values()),
        }
        self.additions.push(words.unwrap_or(GO_ON).to_owned());
        self.end_part();
    }

    fn end_part(&mut self) {
        self.draft.clear();
        self.plan.clear();
        self.done.clear();
        self.remarks.clear();
        self.proposal.clear();
        self.routed_to = None;
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

    fn note_made(&mut self, agent: &str, message: &str, made: Option<&Made>) {
        match made {
            Some(Made::Plan(plan)) => {
                self.draft.clone_from(plan);
                self.remarks.clear();
            }
            Some(Made::Ideas(ideas)) => self.ideas.clone_from(ideas),
            Some(Made::Route(route)) => {
                self.routing = message.to_owned();
                self.routed_to = Some(route.agent.clone());
            }
            None if agent == agent::PLAN_REVIEWER => self.remarks.extend(remarks(message)),
            None => {}
        }
    }
}

impl Told {
    /// What the watchers of a run know that begins: nothing but that it is at its `init`.
    pub const fn at_first() -> Self {
        Self {
            phase: Some((Phase::Init, None)),
            nodes: BTreeMap::new(),
        }
    }

    /// What a node is told to be.
    pub fn status(&self, node: &str) -> NodeStatus {
        self.nodes.get(node).copied().unwrap_or(NodeStatus::Pending)
    }

    pub fn note(&mut self, body: &EventBody) {
        match body {
            EventBody::DagCreated { dag, .. } => {
                *self = Self::at_first();
                self.draw(dag);
            }
            EventBody::DagUpdated { dag, .. } => self.draw(dag),
            EventBody::PhaseChange { phase, step_number } => {
                self.phase = Some((*phase, *step_number));
            }
            EventBody::DagNodeStatusChanged {
                node_id,
                new_status,
                ..
            } => {
                self.nodes.insert(node_id.clone(), *new_status);
            }
            _ => {}
        }
    }

    fn draw(&mut self, dag: &Dag) {
        let nodes = dag.nodes.iter();
        self.nodes = nodes.map(|node| (node.id.clone(), node.status)).collect();
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
