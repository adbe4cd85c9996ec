//! What a session's record is made of.
//!
//! An event is written once, with the commit that makes it true, and never changed. Its `data` is what clients of the
//! contract see. A kind that this version does not know (written by a newer one) is kept and shown as it is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    ApprovalId, ApprovalStatus, Mode, NodeStatus, Phase, RunId, Seq, SessionId, Timestamp,
};

/// One node of a run's graph.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DagNode {
    /// `planning`, `step_1`, `terminator`, …
    pub id: String,
    /// Its name for people.
    pub label: String,
    /// `planning`, `agent`, `init` or `terminator`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Who works on it.
    pub agent: Option<String>,
    /// Where it stands.
    pub status: NodeStatus,
    /// Its number, for the steps of a plan.
    pub step_number: Option<u32>,
    /// What it is for, for the steps of a plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goal: Option<String>,
}

/// One arrow of a run's graph.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DagEdge {
    /// The node that comes first.
    pub source: String,
    /// The node that waits for it.
    pub target: String,
}

/// A run's graph: nodes, edges, and the ids of the nodes by depth.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Dag {
    /// All nodes.
    pub nodes: Vec<DagNode>,
    /// All edges.
    pub edges: Vec<DagEdge>,
    /// Node ids by depth.
    pub levels: Vec<Vec<String>>,
}

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlanStep {
    /// What is to be done.
    pub sub_task: String,
    /// Who does it.
    pub sub_task_agent: String,
    /// What to mind.
    pub bullet_points: Vec<String>,
}

/// How copilot means to do a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RouteKind {
    /// One agent answers it.
    OneShot,
    /// By a plan.
    Planned,
    /// Not before the person has answered a question.
    Clarify,
    /// Not before the person has agreed to a proposal.
    Propose,
}

/// What copilot decided about a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Route {
    /// How it is done.
    pub kind: RouteKind,
    /// Who does it, where one agent does.
    pub agent: String,
}

/// What an agent's words are beside words: the part that the engine goes by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StructuredOutput {
    /// A plan's draft.
    Plan(Vec<PlanStep>),
    /// Ideas to choose from, the best first.
    Ideas(Vec<String>),
    /// Copilot's decision.
    Route(Route),
}

// The form of `StructuredOutput` as it stands beside an agent's words: one of these at most.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "a form alone, which is never filled in")]
struct StructuredOutputFields {
    #[schemars(skip_serializing_if = "Option::is_none")]
    plan: Option<Vec<PlanStep>>,
    #[schemars(skip_serializing_if = "Option::is_none")]
    ideas: Option<Vec<String>>,
    #[schemars(skip_serializing_if = "Option::is_none")]
    route: Option<Route>,
}

/// Who speaks in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The person.
    User,
    /// An agent.
    Assistant,
    /// The system.
    System,
}

/// A file that a run made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ArtifactLink {
    /// Its name.
    pub name: String,
    /// Where it can be fetched, where that is known.
    pub url: Option<String>,
}

/// A question to a person, as `approval_requested` carries it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ApprovalRequest {
    /// Which question.
    pub approval_id: ApprovalId,
    /// The DAG node that it is about; null for a whole plan.
    pub step_id: Option<String>,
    /// What an answer decides, in a word.
    pub action: String,
    /// One of the contract's checkpoint types.
    pub checkpoint_type: String,
    /// One sentence for people.
    pub description: String,
    /// The question.
    pub message: String,
    /// The answers that count.
    pub options: Vec<String>,
    /// What the person needs to know.
    pub context: Value,
    /// When the question lapses.
    pub expires_at: Timestamp,
}

/// What happened. The names and fields are the contract's (section 3); `user_message`, `approval_resolved`,
/// `approval_expired`, `slice_started`, `slice_ended` and `run_requeued` are ours beside it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "event_type", content = "data", rename_all = "snake_case")]
#[allow(
    missing_docs,
    reason = "the fields are the contract's, documented there and in the README"
)]
pub enum EventBody {
    /// Something about the session as a whole.
    Status {
        message: String,
        session_id: SessionId,
    },
    /// A person's words: a message of the history. `approval_id` is set where they were said in answer to a question.
    UserMessage {
        role: Role,
        content: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        artifact: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        approval_id: Option<ApprovalId>,
    },
    /// A worker takes the run up for the first time.
    WorkflowStarted {
        run_id: RunId,
        task_description: String,
        mode: Mode,
        agent: String,
        model: String,
    },
    /// The run's graph, with its start.
    DagCreated {
        run_id: RunId,
        #[serde(flatten)]
        dag: Dag,
    },
    /// The whole graph anew: the plan stands, or the next turn begins.
    DagUpdated {
        run_id: RunId,
        #[serde(flatten)]
        dag: Dag,
    },
    /// A node begins or ends.
    DagNodeStatusChanged {
        node_id: String,
        old_status: NodeStatus,
        new_status: NodeStatus,
    },
    /// A phase, or a step of one, begins.
    PhaseChange {
        phase: Phase,
        step_number: Option<u32>,
    },
    /// An agent's words: a message of the history. `plan`, `ideas` or `route` stand beside them where they mean more than words.
    AgentMessage {
        agent: String,
        role: Role,
        message: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        artifact: Option<String>,
        #[serde(flatten)]
        #[schemars(with = "StructuredOutputFields")]
        made: Option<StructuredOutput>,
    },
    /// One model call that was committed; `cost_usd` is null where the model has no known price.
    CostUpdate {
        run_id: RunId,
        agent: String,
        step_id: Option<String>,
        model: String,
        tokens: u64,
        input_tokens: u64,
        output_tokens: u64,
        cost_usd: Option<f64>,
        total_cost_usd: f64,
    },
    /// The plan stands.
    PlanningComplete {
        num_steps: u32,
        steps: Vec<PlanStep>,
    },
    /// A step begins.
    StepStart { step_number: u32, goal: String },
    /// A step is done.
    StepComplete {
        step_number: u32,
        goal: String,
        summary: String,
        execution_time: f64,
    },
    /// A step fails, and with it the run, unless a person is asked.
    StepFailed { step_number: u32, error: String },
    /// A person is asked.
    ApprovalRequested(ApprovalRequest),
    /// A person's answer, in the record; `approval_received` is the reply to the one who gave it.
    ApprovalResolved {
        approval_id: ApprovalId,
        approved: bool,
        resolution: String,
        feedback: Option<String>,
        modifications: Option<Value>,
        resolved_by: String,
    },
    /// Nobody has answered in time.
    ApprovalExpired { approval_id: ApprovalId },
    /// The run stops after the step that it is in.
    WorkflowPaused { run_id: RunId, message: String },
    /// The run goes on.
    WorkflowResumed { run_id: RunId, message: String },
    /// The run was ended.
    WorkflowCancelled { run_id: RunId, message: String },
    /// An answer was stored as an artifact.
    FilesUpdated { files_tracked: Vec<String> },
    /// A line worth showing.
    Output { message: String },
    /// The run has succeeded: what came of it.
    Result {
        execution_time: f64,
        session_id: SessionId,
        mode: Mode,
        summary: String,
        chat_history: Vec<Message>,
        final_context: Value,
        artifacts: Vec<ArtifactLink>,
    },
    /// The run has succeeded.
    WorkflowCompleted {
        run_id: RunId,
        execution_time: f64,
        mode: Mode,
    },
    /// The last event of a run that has succeeded.
    Complete { message: String },
    /// The run has failed.
    WorkflowFailed {
        run_id: RunId,
        error: String,
        failed_step: Option<String>,
    },
    /// The last event of a run that has failed.
    Error {
        message: String,
        error_type: String,
        code: String,
    },
    /// A worker took over a run that had begun before; `attempt` counts takings since the last commit.
    SliceStarted { attempt: u32 },
    /// A worker's time was up; the run goes on in the next message.
    SliceEnded { hops: u32 },
    /// A message was overdue and is sent again.
    RunRequeued { sends: u32 },
}

/// An event's body: of a kind that we know, or kept as it was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum StoredEventBody {
    /// One of ours.
    Known(EventBody),
    /// Written by another version.
    Unknown {
        /// Its kind.
        event_type: String,
        /// Its content.
        #[serde(default)]
        data: Value,
    },
}

impl From<EventBody> for StoredEventBody {
    fn from(body: EventBody) -> Self {
        Self::Known(body)
    }
}

/// An event as an entry of the log stores it; seq and time are the entry's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The run that it belongs to; none for what concerns the session alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<RunId>,
    /// What happened.
    #[serde(flatten)]
    pub body: StoredEventBody,
}

/// A server frame, and an element of `GET …/events`: the contract's envelope.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Envelope {
    /// When it was committed.
    pub timestamp: Timestamp,
    /// The run that it belongs to.
    pub run_id: Option<RunId>,
    /// The session.
    pub session_id: SessionId,
    /// Its place; none for a reply that is not part of the record.
    pub seq: Option<Seq>,
    /// `event_type` and `data`.
    #[serde(flatten)]
    #[schemars(with = "EventBody")]
    pub body: StoredEventBody,
}

/// A message of the history, in the shape of the contract.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Message {
    /// The place of its event.
    pub seq: Seq,
    /// Who speaks.
    pub role: Role,
    /// What was said; of an answer above 32 KiB its beginning.
    pub content: String,
    /// Which agent speaks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// In which run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<RunId>,
    /// When.
    pub timestamp: Timestamp,
}

impl EventBody {
    /// A person's words.
    pub fn user(content: impl Into<String>) -> Self {
        Self::UserMessage {
            role: Role::User,
            content: content.into(),
            artifact: None,
            approval_id: None,
        }
    }

    /// Whether it is a message of the history.
    pub const fn is_message(&self) -> bool {
        matches!(self, Self::UserMessage { .. } | Self::AgentMessage { .. })
    }
}

impl Envelope {
    /// The event as a message of the history, if it is one.
    pub fn as_message(&self) -> Option<Message> {
        let (role, content, agent) = match &self.body {
            StoredEventBody::Known(EventBody::UserMessage { role, content, .. }) => {
                (*role, content, None)
            }
            StoredEventBody::Known(EventBody::AgentMessage {
                agent,
                role,
                message,
                ..
            }) => (*role, message, Some(agent.clone())),
            _ => return None,
        };
        Some(Message {
            seq: self.seq?,
            role,
            content: content.clone(),
            agent,
            run_id: self.run_id,
            timestamp: self.timestamp,
        })
    }
}

/// An approval's row, in the shape of the contract.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Approval")]
#[allow(
    missing_docs,
    reason = "the fields are the contract's, documented there"
)]
pub struct ApprovalRow {
    pub approval_id: ApprovalId,
    pub run_id: RunId,
    pub step_id: Option<String>,
    pub checkpoint_type: String,
    pub message: String,
    pub options: Vec<String>,
    pub context: Value,
    pub status: ApprovalStatus,
    pub resolution: Option<String>,
    pub feedback: Option<String>,
    pub modifications: Option<Value>,
    pub resolved_by: Option<String>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub resolved_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_kind_is_kept_as_it_was() {
        let text = r#"{"event_type":"from_the_future","data":{"x":[1,2.5]}}"#;
        let event: Event = serde_json::from_str(text).unwrap();
        assert!(
            matches!(&event.body, StoredEventBody::Unknown { event_type, .. } if event_type == "from_the_future")
        );
        assert_eq!(serde_json::to_string(&event).unwrap(), text);
    }

    #[test]
    fn a_known_kind_of_another_shape_is_kept_too() {
        let text =
            r#"{"event_type":"phase_change","data":{"phase":"dreaming","step_number":null}}"#;
        let event: Event = serde_json::from_str(text).unwrap();
        assert!(matches!(event.body, StoredEventBody::Unknown { .. }));
        assert_eq!(serde_json::to_string(&event).unwrap(), text);
    }

    #[test]
    fn what_an_agent_made_stands_beside_its_words() {
        let said = |made| Event {
            run_id: None,
            body: EventBody::AgentMessage {
                agent: "planner".into(),
                role: Role::Assistant,
                message: "m".into(),
                artifact: None,
                made,
            }
            .into(),
        };
        let route = Route {
            kind: RouteKind::OneShot,
            agent: "engineer".into(),
        };
        for (made, field) in [
            (None, ""),
            (Some(StructuredOutput::Plan(Vec::new())), r#","plan":[]"#),
            (
                Some(StructuredOutput::Ideas(vec!["i".into()])),
                r#","ideas":["i"]"#,
            ),
            (
                Some(StructuredOutput::Route(route)),
                r#","route":{"kind":"one_shot","agent":"engineer"}"#,
            ),
        ] {
            let event = said(made);
            let text = serde_json::to_string(&event).unwrap();
            assert_eq!(
                text,
                format!(
                    r#"{{"event_type":"agent_message","data":{{"agent":"planner","role":"assistant","message":"m"{field}}}}}"#
                )
            );
            assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), event);
        }
    }

    #[test]
    fn a_known_kind_round_trips() {
        let event = Event {
            run_id: None,
            body: EventBody::PhaseChange {
                phase: Phase::Control,
                step_number: Some(2),
            }
            .into(),
        };
        let text = serde_json::to_string(&event).unwrap();
        assert_eq!(
            text,
            r#"{"event_type":"phase_change","data":{"phase":"control","step_number":2}}"#
        );
        assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), event);
    }
}
