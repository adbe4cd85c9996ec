//! The events of a session.
//!
//! A commit writes its events once and they never change. Clients see an event's `data` as the
//! contract defines it. An event of a kind that this version does not know (a newer version wrote
//! it) is kept and shown unchanged.

mod approval;
mod call_cost;
mod envelope;
mod graph;
mod structured_output;
mod tracked_files;

pub use approval::{ApprovalReceived, ApprovalRequest, ApprovalRow};
pub use call_cost::CallCost;
pub use envelope::{Envelope, Message};
pub use graph::{Dag, DagEdge, DagNode};
pub use structured_output::{PlanStep, Route, RouteKind, StructuredOutput};
pub use tracked_files::TrackedFiles;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{ApprovalId, Mode, NodeStatus, Phase, RunId, SessionId};
use structured_output::StructuredOutputFields;

/// The author of a message.
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

/// A file that a run wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ArtifactLink {
    /// The name of the artifact.
    pub name: String,
    /// The URL to download it, if one was made.
    pub url: Option<String>,
}

/// What happened. Names and fields are the contract's (section 3). `user_message`,
/// `approval_expired`, `slice_started`, `slice_ended`, `run_requeued` and `unreadable` are
/// additions of this project.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "event_type", content = "data", rename_all = "snake_case")]
#[allow(
    missing_docs,
    reason = "the contract and the list of events document the fields"
)]
pub enum EventBody {
    /// A fact about the session as a whole.
    Status {
        message: String,
        session_id: SessionId,
    },
    /// A person's message in the history. `approval_id` is set on feedback to an approval.
    UserMessage {
        role: Role,
        content: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        artifact: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        approval_id: Option<ApprovalId>,
    },
    /// A worker takes the run for the first time.
    WorkflowStarted {
        run_id: RunId,
        task_description: String,
        mode: Mode,
        agent: String,
        model: String,
    },
    /// The first graph of the run.
    DagCreated {
        run_id: RunId,
        #[serde(flatten)]
        dag: Dag,
    },
    /// The whole new graph, after the plan is complete or when the next turn begins.
    DagUpdated {
        run_id: RunId,
        #[serde(flatten)]
        dag: Dag,
    },
    /// The work of a node begins or ends.
    DagNodeStatusChanged {
        node_id: String,
        old_status: NodeStatus,
        new_status: NodeStatus,
    },
    /// A phase or one of its steps begins.
    PhaseChange {
        phase: Phase,
        step_number: Option<u32>,
    },
    /// An agent's message in the history, with its structured output (`plan`, `ideas` or
    /// `route`) if it has one.
    AgentMessage {
        agent: String,
        role: Role,
        message: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        artifact: Option<String>,
        #[serde(flatten)]
        #[schemars(with = "StructuredOutputFields")]
        structured_output: Option<StructuredOutput>,
    },
    /// One committed model call. The total is the run's so far; `cost_usd` is 0 and `priced` false
    /// if the price of the model is unknown; `estimated` is true if its provider counted no tokens.
    CostUpdate {
        run_id: RunId,
        agent: String,
        step_id: Option<String>,
        model: String,
        tokens: u64,
        input_tokens: u64,
        output_tokens: u64,
        #[serde(flatten)]
        cost: CallCost,
        total_cost_usd: f64,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        estimated: bool,
    },
    /// The plan is complete.
    PlanningComplete {
        num_steps: u32,
        steps: Vec<PlanStep>,
    },
    /// A step begins.
    StepStart { step_number: u32, goal: String },
    /// A step is complete.
    StepComplete {
        step_number: u32,
        goal: String,
        summary: String,
        execution_time: f64,
    },
    /// A step fails. The run fails too, unless the run asks for an approval.
    StepFailed { step_number: u32, error: String },
    /// The run asks for an approval.
    ApprovalRequested(ApprovalRequest),
    /// An approval is closed: by an answer, or because its run was cancelled or its time is up.
    #[serde(alias = "approval_resolved")]
    ApprovalReceived(ApprovalReceived),
    /// The approval expired without an answer.
    ApprovalExpired { approval_id: ApprovalId },
    /// The run stops after its current step.
    WorkflowPaused { run_id: RunId, message: String },
    /// The run continues.
    WorkflowResumed { run_id: RunId, message: String },
    /// The run was cancelled.
    WorkflowCancelled { run_id: RunId, message: String },
    /// Files were stored as artifacts. `files` names all files of the run so far.
    FilesUpdated(TrackedFiles),
    /// A line of output to show.
    Output { message: String },
    /// The run has succeeded, with its result.
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
    /// A worker took a run that had begun before. `attempt` counts the leases since the last
    /// commit of work.
    SliceStarted { attempt: u32 },
    /// The slice ended; the run continues with the next message.
    SliceEnded { hops: u32 },
    /// A wake message was overdue and is sent again.
    RunRequeued { sends: u32 },
    /// Takes the place of an event that cannot be read any more. It is never stored.
    Unreadable {
        original_type: Option<String>,
        message: String,
    },
}

/// The body of an event: of a known kind, or kept as it was stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum StoredEventBody {
    /// A kind that this version knows.
    Known(EventBody),
    /// A kind that another version wrote.
    Unknown {
        /// The kind.
        event_type: String,
        /// The content.
        #[serde(default)]
        data: Value,
    },
}

impl From<EventBody> for StoredEventBody {
    fn from(body: EventBody) -> Self {
        Self::Known(body)
    }
}

/// An event as a log entry stores it. The entry holds its seq and time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The run that it belongs to; `None` if it concerns the session alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<RunId>,
    /// What happened.
    #[serde(flatten)]
    pub body: StoredEventBody,
}

impl EventBody {
    /// A person's message without an artifact or an approval.
    pub fn user(content: impl Into<String>) -> Self {
        Self::UserMessage {
            role: Role::User,
            content: content.into(),
            artifact: None,
            approval_id: None,
        }
    }

    /// Whether the event is a message of the history.
    pub const fn is_message(&self) -> bool {
        matches!(self, Self::UserMessage { .. } | Self::AgentMessage { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_of_an_unknown_kind_is_kept_unchanged() {
        let text = r#"{"event_type":"from_the_future","data":{"x":[1,2.5]}}"#;
        let event: Event = serde_json::from_str(text).unwrap();
        assert!(
            matches!(&event.body, StoredEventBody::Unknown { event_type, .. } if event_type == "from_the_future")
        );
        assert_eq!(serde_json::to_string(&event).unwrap(), text);
    }

    #[test]
    fn an_event_of_a_known_kind_with_another_shape_is_kept_unchanged() {
        let text =
            r#"{"event_type":"phase_change","data":{"phase":"dreaming","step_number":null}}"#;
        let event: Event = serde_json::from_str(text).unwrap();
        assert!(matches!(event.body, StoredEventBody::Unknown { .. }));
        assert_eq!(serde_json::to_string(&event).unwrap(), text);
    }

    #[test]
    fn an_answer_stored_under_its_earlier_kind_is_read_and_shown_as_received() {
        let text = r#"{"event_type":"approval_resolved","data":{"approval_id":"01890a5d-ac96-774b-bcce-b302099a8057","approved":true,"resolution":"approve","feedback":null,"modifications":null,"resolved_by":"ada"}}"#;
        let event: Event = serde_json::from_str(text).unwrap();
        let shown = serde_json::to_string(&event).unwrap();
        assert_eq!(
            shown,
            text.replace("approval_resolved", "approval_received")
        );
    }

    #[test]
    fn structured_output_is_flattened_into_the_message() {
        let message_with = |structured_output| Event {
            run_id: None,
            body: EventBody::AgentMessage {
                agent: "planner".into(),
                role: Role::Assistant,
                message: "m".into(),
                artifact: None,
                structured_output,
            }
            .into(),
        };
        let route = Route {
            kind: RouteKind::OneShot,
            agent: "engineer".into(),
        };
        for (structured_output, field) in [
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
            let event = message_with(structured_output);
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
    fn an_event_of_a_known_kind_round_trips() {
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
