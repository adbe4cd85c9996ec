//! An interceptor in the SDK's DynamoDB client. It records each request, the written keys, and the
//! returned capacity.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_dynamodb::config::interceptors::{
    AfterDeserializationInterceptorContextRef, BeforeSerializationInterceptorContextRef,
    BeforeTransmitInterceptorContextRef,
};
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemOutput;
use aws_sdk_dynamodb::operation::get_item::GetItemOutput;
use aws_sdk_dynamodb::operation::put_item::{PutItemInput, PutItemOutput};
use aws_sdk_dynamodb::operation::query::{QueryInput, QueryOutput};
use aws_sdk_dynamodb::operation::transact_write_items::{
    TransactWriteItemsInput, TransactWriteItemsOutput,
};
use aws_sdk_dynamodb::types::{AttributeValue, ConsumedCapacity, TransactWriteItem};

pub type Item = HashMap<String, AttributeValue>;

/// The purpose of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// A single put with this key.
    Put(Key),
    /// A transaction that writes these keys.
    Transaction(Vec<Key>),
    /// A query for the followers of a session.
    Followers,
    /// Any other request.
    Other,
}

/// Partition and sort key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    pub pk: String,
    pub sk: String,
}

/// The recorded requests.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    pub requests: Vec<Request>,
    /// The number of requests sent, including retries.
    pub sent: usize,
    /// The units that DynamoDB Local reports.
    pub units: f64,
    /// The read units among them.
    pub read: f64,
}

#[derive(Debug, Clone, Default)]
pub struct Spy(Arc<Mutex<Seen>>);

impl Spy {
    /// The requests since the last call.
    pub fn take(&self) -> Seen {
        self.note(std::mem::take)
    }

    fn note<T>(&self, change: impl FnOnce(&mut Seen) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Intercept for Spy {
    fn name(&self) -> &'static str {
        "Spy"
    }

    fn read_before_serialization(
        &self,
        context: &BeforeSerializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let input = context.input();
        let request = if let Some(put) = input.downcast_ref::<PutItemInput>() {
            Request::Put(put.item().and_then(Key::of).ok_or("a put without a key")?)
        } else if let Some(transaction) = input.downcast_ref::<TransactWriteItemsInput>() {
            let keys = transaction.transact_items().iter().map(written);
            let keys: Option<Vec<_>> = keys.collect();
            Request::Transaction(keys.ok_or("a transaction that writes no key")?)
        } else if input.downcast_ref().is_some_and(asks_for_followers) {
            Request::Followers
        } else {
            Request::Other
        };
        self.note(|seen| seen.requests.push(request));
        Ok(())
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.note(|seen| seen.sent += 1);
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Ok(output) = context.output_or_error() else {
            return Ok(());
        };
        let read = if let Some(query) = output.downcast_ref::<QueryOutput>() {
            units(query.consumed_capacity())
        } else if let Some(item) = output.downcast_ref::<GetItemOutput>() {
            units(item.consumed_capacity())
        } else if let Some(items) = output.downcast_ref::<BatchGetItemOutput>() {
            units(items.consumed_capacity())
        } else {
            0.0
        };
        let capacity = if let Some(put) = output.downcast_ref::<PutItemOutput>() {
            units(put.consumed_capacity())
        } else if let Some(transaction) = output.downcast_ref::<TransactWriteItemsOutput>() {
            units(transaction.consumed_capacity())
        } else {
            read
        };
        self.note(|seen| {
            seen.units += capacity;
            seen.read += read;
        });
        Ok(())
    }
}

impl Key {
    /// The key of an item.
    pub fn of(item: &Item) -> Option<Self> {
        let text = |name| item.get(name)?.as_s().ok().cloned();
        Some(Self {
            pk: text("PK")?,
            sk: text("SK")?,
        })
    }
}

pub fn units<'a>(capacity: impl IntoIterator<Item = &'a ConsumedCapacity>) -> f64 {
    let each = capacity
        .into_iter()
        .filter_map(ConsumedCapacity::capacity_units);
    each.sum()
}

fn written(part: &TransactWriteItem) -> Option<Key> {
    let key = match (part.put(), part.update(), part.delete()) {
        (Some(put), ..) => put.item(),
        (_, Some(update), _) => update.key(),
        (.., Some(delete)) => delete.key(),
        _ => return None,
    };
    Key::of(key)
}

fn asks_for_followers(query: &QueryInput) -> bool {
    let mut values = query.expression_attribute_values().into_iter().flatten();
    values.any(|(_, value)| value.as_s().is_ok_and(|text| text == "CONNECTION#"))
}
