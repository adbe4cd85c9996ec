//! The modes' paths: what a run does next, as data and pure functions.
//!
//! A mode is a row of a table ([`ModeSpec`]) over a small set of stages. [`Engine`] stands on a session's state, the run's
//! [`RunSettings`] and the [`RunHistory`] that was folded from its record, and tells three things: what to record when a worker
//! begins ([`Engine::open`]), what there is to do ([`Engine::work`]: ask an agent, ask a person, work on a document), and what
//! follows from what came of it ([`Engine::advance`]; a person's answer is in the memory when the run goes on). There is no I/O in here, no async and no clock; `session` decides what of it is appended.

mod clip;
mod config;
mod engine;
mod history;
mod modes;

pub use clip::{MAX_MESSAGE_BYTES, clip};
pub use config::{CheckpointSettings, DocumentName, OcrSettings, RunSettings, RunSettingsError};
pub use engine::{
    AgentAnswer, AgentRequest, AnswerContent, AnswerError, ApprovalPrompt, Brief, DocumentTask,
    DocumentTaskResult, EarlierMessage, Engine, Outcome, StageFailure, Usage, Work, asks_arxiv_at, check_answer,
};
pub use history::{DoneStep, RunHistory};
pub use modes::{Checkpoint, ModeSpec, agent};
