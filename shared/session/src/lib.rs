#![doc = include_str!("../README.md")]

mod approval;
mod artifact_name;
mod command;
mod decide;
mod event;
mod id;
mod limits;
mod mode;
mod push_turn;
mod recover;
mod refusal;
mod state;
mod status;
mod time;
mod usd;
mod whole;
mod worker_kind;

pub use approval::{canonical_resolution, resolution_for};
pub use artifact_name::{ArtifactName, InvalidName};
pub use command::{
    ApprovalAnswer, ApprovalEnd, Change, Command, NewRun, NewSession, Next, Progress, RowChange,
    Rules, RunEnd, RunFailure, RunRow, StageStart, TaskId,
};
pub use decide::{MAX_ATTEMPTS, MAX_HOPS, create};
pub use event::{
    ApprovalReceived, ApprovalRequest, ApprovalRow, ArtifactLink, CallCost, Dag, DagEdge, DagNode,
    Envelope, Event, EventBody, Message, PlanStep, Role, Route, RouteKind, StoredEventBody,
    StructuredOutput, TrackedFiles,
};
pub use id::{ApprovalId, CommitId, Epoch, InvalidId, OwnerId, RunId, Seq, SessionId, digest};
pub use limits::{CONTENT_BYTES, DESCRIPTION_CHARS, FRAME_BYTES};
pub use mode::{MODES, Mode, ModeInfo, UnknownMode};
pub use push_turn::PushTurn;
pub use recover::{DueAction, Wake};
pub use refusal::Refusal;
pub use state::{Lease, OpenApproval, Position, Run, SCHEMA, Stage, State, UnreadableState};
pub use status::{
    ApprovalStatus, NodeStatus, Phase, RunStatus, SessionStatus, SuspendReason, UnknownValue,
};
pub use time::{InvalidTimestamp, Timestamp};
pub use usd::plus_usd;
pub use whole::{whole_number, whole_number_in};
pub use worker_kind::WorkerKind;
