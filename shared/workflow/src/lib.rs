//! The modes' paths: what a run does next, as data and pure functions.
//!
//! A mode is a row of a table ([`Path`]) over a small set of stages. [`Engine`] stands on a session's state, the run's
//! [`Settings`] and the [`Memory`] that was folded from its record, and tells three things: what to record when a worker
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
mod entry;
mod graph;
mod ideas;
mod keys;
mod memory;
mod ocr;
mod outcome;
mod path;
mod person;
mod question;
mod remarks;
mod result;
mod settings;
mod work;

pub use check::{AnswerError, check_answer};
pub use checkpoint::{Asked, Checkpoint};
pub use clip::{MAX_MESSAGE_BYTES, clip};
pub use document::{Document, Worked, asks_arxiv_at};
pub use engine::Engine;
pub use memory::{DoneStep, Memory};
pub use ocr::{DocumentName, OcrSettings};
pub use outcome::{Answer, Content, Failed, Outcome, Usage};
pub use path::Path;
pub use question::Question;
pub use settings::{Settings, SettingsError};
pub use work::{Brief, Request, Work};
