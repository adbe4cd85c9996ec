//! The items of the table as serde types. Attribute names stand in these types, in the contract's
//! `RunRow` and `ApprovalRow`, and in `keys`.
//!
//! Events, states, configurations and contexts are stored as JSON text, because DynamoDB allows 32
//! levels of nesting and clients' JSON has any number.

mod entry;
mod rows;
mod side_items;
mod summary;

pub(crate) use entry::{EntryHead, LogEntry, state};
pub(crate) use rows::{
    RunSpan, approval_item, approval_row, modifications_text, run_item, run_row,
};
pub(crate) use side_items::{ConfigItem, FollowerItem, RunLocatorItem, SlotItem};
pub use side_items::{Connection, RequestKeyItem};
pub use summary::SessionSummary;
pub(crate) use summary::{changes, deleted_summary};
