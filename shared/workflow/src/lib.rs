//! The modes' paths: what a run does next, as data and pure functions.
//!
//! A mode is a row of a table ([`ModeSpec`]) over a small set of stages. [`Engine`] stands on a session's state, the run's
//! [`RunSettings`] and the [`RunHistory`] that was folded from its record, and tells three things: what to record when a worker
//! begins ([`Engine::open`]), what there is to do ([`Engine::work`]: ask an agent, ask a person, work on a document), and what
//! follows from what came of it ([`Engine::advance`]; a person's answer is in the memory when the run goes on). There is no I/O in here, no async and no clock; `session` decides what of it is appended.

mod advance;
pub mod agent;
mod begin;
mod check;
mod checkpoint;
mod clip;
mod document;
mod engine;
mod graph;
mod ideas;
mod keys;
mod memory;
mod mode_spec;
mod ocr;
mod outcome;
mod person;
mod progress_builder;
mod question;
mod remarks;
mod result;
mod settings;
mod work;

pub use check::{AnswerError, check_answer};
pub use checkpoint::{Checkpoint, CheckpointSettings};
pub use clip::{MAX_MESSAGE_BYTES, clip};
pub use document::{DocumentTask, DocumentTaskResult, asks_arxiv_at};
pub use engine::Engine;
pub use memory::{DoneStep, RunHistory};
pub use mode_spec::ModeSpec;
pub use ocr::{DocumentName, OcrSettings};
pub use outcome::{AgentAnswer, AnswerContent, Outcome, StageFailure, Usage};
pub use question::ApprovalPrompt;
pub use settings::{RunSettings, RunSettingsError};
pub use work::{AgentRequest, Brief, EarlierMessage, Work};
