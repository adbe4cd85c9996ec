//! The items of the table, as serde sees them: attribute names stand in these structs and in `keys`, nowhere else.
//!
//! Whatever clients and agents shaped (events, configuration, contexts) is stored as JSON text: DynamoDB allows 32 levels of
//! nesting, their JSON any number.

mod entry;
mod rows;
mod summary;

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde::de::DeserializeOwned;
use session::Seq;

pub(crate) use entry::LogEntry;
pub(crate) use rows::{ApprovalItem, ConfigItem, FollowerItem, RunItem, SlotItem};
pub use rows::{Connection, RequestKeyItem};
pub use summary::SessionSummary;
pub(crate) use summary::{moving, tombstone};

use crate::error::Malformed;

/// An item, or a part of one, by attribute name.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// The item of a value; what is none is absent.
pub(crate) fn to_item(what: &'static str, value: impl Serialize) -> Result<Item, Malformed> {
    let mut item: Item =
        serde_dynamo::to_item(value).map_err(|error| Malformed::new(what, error))?;
    item.retain(|_, value| !value.is_null());
    Ok(item)
}

/// The value of an item.
pub(crate) fn from_item<T: DeserializeOwned>(
    what: &'static str,
    item: Item,
) -> Result<T, Malformed> {
    serde_dynamo::from_item(item).map_err(|error| Malformed::new(what, error))
}

/// A text attribute.
pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// A place in the record as an attribute.
pub(crate) fn place(seq: Seq) -> AttributeValue {
    AttributeValue::N(seq.0.to_string())
}

/// A whole number as an attribute.
pub(crate) fn number(value: i64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}
