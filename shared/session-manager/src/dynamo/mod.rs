//! The DynamoDB layer: keys, items and requests. No other module sends a request.

mod calls;
pub(crate) mod item;
pub(crate) mod items;
pub(crate) mod keys;
pub(crate) mod update;
pub(crate) mod wire;
