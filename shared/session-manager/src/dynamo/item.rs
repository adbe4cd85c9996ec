//! Conversion between Rust values and DynamoDB items.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde::de::DeserializeOwned;
use session::Seq;

/// The cause of an error.
pub(crate) type Cause = Box<dyn std::error::Error + Send + Sync>;

/// An item, or a part of one, by attribute name.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// A stored item is not what this version can read.
#[derive(Debug, thiserror::Error)]
#[error("a stored {what} cannot be read")]
pub struct Malformed {
    what: &'static str,
    #[source]
    source: Cause,
}

impl Malformed {
    pub(crate) fn new(what: &'static str, source: impl Into<Cause>) -> Self {
        Self {
            what,
            source: source.into(),
        }
    }
}

/// The item of a value. A `None` is left out.
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

/// A whole number as an attribute.
pub(crate) fn number(value: i64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// The sequence number of an event as an attribute.
pub(crate) fn seq(seq: Seq) -> AttributeValue {
    AttributeValue::N(seq.0.to_string())
}
