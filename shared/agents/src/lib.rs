//! The models behind the agents: who is asked (providers), what they are told (prompts, as files),
//! in which form they must answer (JSON schemas made from Rust types), how often and how long they are asked
//! (attempts and retries, within a deadline), and what it costs (a price table that ships as data).
//!
//! This crate knows no session, no storage and no AWS: a caller hands in a [`Brief`] and gets back an [`Answer`]
//! or a [`CallError`], both with the [`Usage`] of every model call that was made.

mod agent;
mod answer;
mod brief;
mod call;
mod config;
mod error;
mod form;
mod ideas;
mod names;
mod offline;
mod openai;
mod page;
mod paper;
mod prompt;
mod provider;
mod route;
mod team;
mod usage;

pub use agent::{Agent, UnknownAgent};
pub use answer::{Answer, Content, Plan, PlanStep, Program, Report, Review};
pub use brief::{AgentCall, Brief, DoneStep, Turn, recent};
pub use call::Agents;
pub use config::{ConfigError, ModelConfig, ProviderKind, Secret};
pub use error::{CallError, Failure, ProviderError};
pub use form::Misfit;
pub use ideas::{Idea, Ideas};
pub use names::ModelNames;
pub use offline::MODEL as OFFLINE_MODEL;
pub use page::{PAGE_READER, PageText};
pub use paper::{Paper, PaperSummary};
pub use route::{Route, RouteKind, TaskAgent};
pub use team::StepAgent;
pub use usage::{Usage, has_price};
