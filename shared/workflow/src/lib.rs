#![doc = include_str!("../README.md")]

mod clip;
mod config;
mod engine;
mod history;
mod modes;

pub use clip::{MAX_MESSAGE_BYTES, clip_message, is_long};
pub use config::{
    Amount, ApprovalMode, CheckpointChoice, CheckpointSettings, ConfigKey, CostCaps, DocumentName,
    FieldError, HitlVariant, ModelName, OcrSettings, OneShotAgent, RunConfig, RunSettings,
    RunSettingsError, Whole, config_keys,
};
pub use engine::{
    AgentAnswer, AgentRequest, AnswerContent, AnswerError, ApprovalPrompt, Brief, DocumentTask,
    DocumentTaskResult, EarlierMessage, Engine, MAX_CALLS, Modifications, Outcome, StageFailure,
    Usage, Work, asked_again, calls_arxiv_at, check_answer,
};
pub use history::{DoneStep, RunHistory};
pub use modes::{Checkpoint, ModeSpec, agent};
