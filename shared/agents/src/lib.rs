//! The models behind the agents: who is asked (providers), what they are told (prompts, as files),
//! in which form they must answer (JSON schemas made from Rust types), how often and how long they are asked
//! (attempts and retries, within a deadline), and what it costs (a price table that ships as data).
//!
//! A caller hands in the [`AgentRequest`](workflow::AgentRequest) of the engine and gets back an
//! [`ModelAnswer`] or a [`CallError`], both with the [`Usage`](workflow::Usage) of every model call. This
//! crate knows no storage; of AWS it uses Bedrock, and Secrets Manager for keys.

mod agent;
mod answer;
mod call;
mod config;
mod error;
mod form;
mod history;
mod ideas;
mod kind;
mod models;
mod names;
mod offline;
mod page;
mod paper;
mod prices;
mod prompt;
mod provider;
mod providers;
mod route;
mod settings;
mod team;
mod usage;

pub use agent::{Agent, UnknownAgent};
pub use answer::{Content, ModelAnswer, Plan, Program, Report, Review};
pub use aws_sdk_bedrockruntime::Client as BedrockClient;
pub use call::Agents;
pub use config::{ModelConfig, ModelConfigError, Secret, ServiceSettings};
pub use error::{CallError, CallFailure, ProviderError};
pub use form::Misfit;
pub use history::recent;
pub use ideas::{Idea, Ideas};
pub use kind::{ProviderKind, ProviderList};
pub use models::Models;
pub use names::{ModelNames, NotSetUp};
pub use offline::MODEL as OFFLINE_MODEL;
pub use page::{PAGE_READER, PageText};
pub use paper::{Paper, PaperSummary};
pub use prices::{PriceError, Prices};
pub use providers::{Fetching, Key, KeyError, KeyStore};
pub use route::{RouteAnswer, TaskAgent};
pub use settings::ModelSettings;
