//! Sessions in DynamoDB: one method per access pattern, over one table.
//!
//! A session is a log of entries that are appended and never changed; each holds the events of one commit and the state
//! after them. The newest entry alone says where the session stands, so every change reads it, decides on it
//! ([`session::Rules::decide`]) and appends on the condition that nobody was first. `append` is that protocol, `keys` and `items`
//! say what the table holds, every other module is one way of reading it.

mod append;
mod approvals;
mod calls;
mod change;
mod connections;
mod costs;
mod cursor;
mod detail;
mod due;
mod error;
mod events;
mod history;
mod items;
mod keys;
mod list;
mod outcome;
mod purge;
mod request_key;
mod rows;
mod runs;
mod size;
mod slot;
mod update;
mod wire;
mod write;

pub use approvals::ApprovalPage;
pub use change::{Actor, Committed, NewSessionRows};
pub use connections::ConnectionId;
pub use costs::{Dollars, OfAgent, OfModel, OfStep, RunCosts, Share, Sums};
pub use detail::Detail;
pub use due::Overdue;
pub use error::{ChangeError, Malformed, ReadError, StorageError, TooLarge};
pub use events::EventPage;
pub use history::HistoryPage;
pub use items::{Connection, RequestKeyItem, SessionSummary};
pub use keys::SHARDS;
pub use list::{Filter, SummaryPage};
pub use purge::Purged;
pub use request_key::RequestKey;
pub use runs::RunPage;
pub use size::item_size;
pub use slot::Slot;

use session::Rules;

/// All sessions, as one table holds them.
#[derive(Debug, Clone)]
pub struct SessionManager {
    client: aws_sdk_dynamodb::Client,
    table: String,
    rules: Rules,
}

impl SessionManager {
    /// Over a table, with the client that the process made once.
    ///
    /// The client's own retries and time limits are replaced by those that the append protocol counts on.
    pub fn new(client: aws_sdk_dynamodb::Client, table: impl Into<String>, rules: Rules) -> Self {
        Self {
            client: wire::tuned(&client),
            table: table.into(),
            rules,
        }
    }

    /// The durations that decisions depend on.
    pub const fn rules(&self) -> &Rules {
        &self.rules
    }
}
