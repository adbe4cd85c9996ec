#![doc = include_str!("../README.md")]

mod connections;
mod due;
mod dynamo;
mod error;
mod log;
mod owner_day;
mod owner_limits;
mod purge;
mod read;
mod rename;
mod replay;
mod request_key;
mod slot;

pub use connections::{ConnectionId, Follower};
pub use due::Overdue;
pub use dynamo::item::Malformed;
pub use dynamo::items::{Connection, RequestKeyItem, SessionSummary};
pub use dynamo::keys::SHARDS;
pub use error::{ChangeError, ReadError, StorageError, TooLarge};
pub use log::append::Committed;
pub use log::change::Actor;
pub use log::size::item_size;
pub use log::transaction::NewSessionRows;
pub use owner_limits::{LimitReached, OwnerLimits};
pub use purge::Purged;
pub use read::approvals::ApprovalPage;
pub use read::console_log::ConsoleLog;
pub use read::costs::{ByAgent, ByModel, ByStep, CostShare, RunCosts, UsageTotals, UsdAmount};
pub use read::detail::Detail;
pub use read::events::EventPage;
pub use read::find_run::FoundRun;
pub use read::history::HistoryPage;
pub use read::list::{Filter, SummaryPage};
pub use read::run_event::RunEvent;
pub use read::run_events::{EventKind, RunEventFilter, RunEventPage};
pub use read::run_files::{FileOrigin, RecordedFiles, RunAnswer};
pub use read::run_graph::{GraphEdge, GraphNode, RunGraph};
pub use read::runs::RunPage;
pub use replay::{Followed, ReplayEnd, ReplayId};
pub use request_key::RequestKey;
pub use slot::Slot;

use session::Rules;

/// Access to the sessions of one table, with one method per access pattern.
#[derive(Debug, Clone)]
pub struct SessionManager {
    client: aws_sdk_dynamodb::Client,
    table: String,
    rules: Rules,
    limits: OwnerLimits,
}

impl SessionManager {
    /// Uses a table through the process's client, without limits of owners.
    ///
    /// The append protocol's retries and time limits replace the client's own.
    pub fn new(client: aws_sdk_dynamodb::Client, table: impl Into<String>, rules: Rules) -> Self {
        Self {
            client: dynamo::wire::tuned(&client),
            table: table.into(),
            rules,
            limits: OwnerLimits::default(),
        }
    }

    /// The durations that decisions depend on.
    pub const fn rules(&self) -> &Rules {
        &self.rules
    }
}
