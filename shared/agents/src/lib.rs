//! The models behind the agents: who is asked (providers), what they are told (prompts, as files),
//! in which form they must answer (JSON schemas made from Rust types), how often and how long they are asked
//! (attempts and retries, within a deadline), and what it costs (a price table that ships as data).
//!
//! This crate knows no session and no storage, and of AWS only Bedrock, whose client is handed in: a caller hands in a [`Brief`]
//! and gets back an [`Answer`] or a [`CallError`], both with the [`Usage`] of every model call that was made.

mod agent;
mod answer;
mod anthropic;
mod bedrock;
mod brief;
mod call;
mod config;
mod error;
mod form;
mod ideas;
mod key;
mod kind;
mod models;
mod names;
mod offline;
mod openai;
mod page;
mod paper;
mod prices;
mod prompt;
mod provider;
mod providers;
mod route;
mod secrets;
mod settings;
mod team;
mod transport;
mod usage;

pub use agent::{Agent, UnknownAgent};
pub use answer::{Answer, Content, Plan, PlanStep, Program, Report, Review};
pub use aws_sdk_bedrockruntime::Client as BedrockClient;
pub use brief::{AgentCall, Brief, DoneStep, Turn, recent};
pub use call::Agents;
pub use config::{ConfigError, ModelConfig, Secret, Service};
pub use error::{CallError, Failure, ProviderError};
pub use form::Misfit;
pub use ideas::{Idea, Ideas};
pub use key::{Fetching, Key, KeyError, KeyStore};
pub use kind::{ProviderKind, ProviderList};
pub use models::Models;
pub use names::{ModelNames, NotSetUp};
pub use offline::MODEL as OFFLINE_MODEL;
pub use page::{PAGE_READER, PageText};
pub use paper::{Paper, PaperSummary};
pub use prices::{PriceError, Prices};
pub use route::{Route, RouteKind, TaskAgent};
pub use settings::ModelSettings;
pub use team::StepAgent;
pub use usage::Usage;
