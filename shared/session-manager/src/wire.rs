//! The calls to DynamoDB: one span for each, with the capacity that it consumed, and never with a content.
//!
//! Retries of a single request are the SDK's, tuned here: three attempts, soon after each other, each with a time limit. A repeated
//! put may meet its own first attempt; the append protocol knows its own entry again, and a transaction carries the SDK's token.
//! Every page and every unprocessed leftover is followed.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    ConsumedCapacity, DeleteRequest, KeysAndAttributes, ReturnConsumedCapacity, ReturnValue,
    ReturnValuesOnConditionCheckFailure, TransactWriteItem, WriteRequest,
};
use backon::{BackoffBuilder, ExponentialBuilder};
use tracing::field::Empty;
use tracing::{Instrument, Span, debug_span};

use crate::SessionManager;
use crate::error::StorageError;
use crate::items::Item;

/// How often one request is sent, the first time included.
const ATTEMPTS: u32 = 3;
/// DynamoDB answers in milliseconds: whoever waits longer than this asks again.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// How often something is tried that others stand in the way of.
pub(crate) const TRIES: usize = 10;

const EXPECTED: &str = "table, key and item are set";

/// The pauses between [`TRIES`]: 5 ms at first, doubling up to 320 ms, each with as much again at random.
pub(crate) fn pauses() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::new()
        .with_min_delay(Duration::from_millis(5))
        .with_max_delay(Duration::from_millis(320))
        .with_max_times(TRIES - 1)
        .with_jitter()
        .build()
}

/// The client with the retries and time limits that this crate counts on.
pub(crate) fn tuned(client: &Client) -> Client {
    let retries = RetryConfig::standard()
        .with_max_attempts(ATTEMPTS)
        .with_initial_backoff(Duration::from_millis(50))
        .with_max_backoff(Duration::from_secs(1));
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .build();
    let config = client.config().to_builder();
    Client::from_conf(
        config
            .retry_config(retries)
            .timeout_config(timeouts)
            .build(),
    )
}

/// Runs one call in its span.
async fn metered<O, E>(
    operation: &'static str,
    call: impl Future<Output = Result<O, SdkError<E>>>,
    capacity: impl FnOnce(&O) -> &[ConsumedCapacity],
) -> Result<O, SdkError<E>> {
    let span = debug_span!("dynamodb", operation, capacity = Empty);
    async {
        let output = call.await?;
        let units: f64 = capacity(&output)
            .iter()
            .filter_map(ConsumedCapacity::capacity_units)
            .sum();
        Span::current().record("capacity", units);
        Ok(output)
    }
    .instrument(span)
    .await
}

/// The pages of a query, one after the other.
pub(crate) struct Pages {
    request: QueryFluentBuilder,
    start: Option<Item>,
    done: bool,
}

impl Pages {
    /// The next page, which may be empty; `None` behind the last one.
    pub async fn next(&mut self) -> Result<Option<Vec<Item>>, StorageError> {
        if self.done {
            return Ok(None);
        }
        let request = self
            .request
            .clone()
            .set_exclusive_start_key(self.start.take());
        let page = metered("Query", request.send(), |page| {
            page.consumed_capacity.as_slice()
        })
        .await
        .map_err(|error| StorageError::of("Query", error))?;
        self.start = page.last_evaluated_key;
        self.done = self.start.is_none();
        Ok(Some(page.items.unwrap_or_default()))
    }

    /// All items of all pages.
    pub async fn all(mut self) -> Result<Vec<Item>, StorageError> {
        let mut all = Vec::new();
        while let Some(page) = self.next().await? {
            all.extend(page);
        }
        Ok(all)
    }
}

impl SessionManager {
    /// A query, to be given its conditions.
    pub(crate) fn query(&self) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.table)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
    }

    /// Follows a query from its beginning, or from a key on.
    pub(crate) const fn pages(request: QueryFluentBuilder, start: Option<Item>) -> Pages {
        Pages {
            request,
            start,
            done: false,
        }
    }

    /// One item, strongly consistent.
    pub(crate) async fn get(&self, key: Item) -> Result<Option<Item>, StorageError> {
        let request = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key))
            .consistent_read(true)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        metered("GetItem", request.send(), |output| {
            output.consumed_capacity.as_slice()
        })
        .await
        .map(|output| output.item)
        .map_err(|error| StorageError::of("GetItem", error))
    }

    /// Up to 100 items, strongly consistent, in no order; a missing one is left out.
    pub(crate) async fn batch_get(&self, keys: Vec<Item>) -> Result<Vec<Item>, StorageError> {
        const NAME: &str = "BatchGetItem";
        let mut wanted = KeysAndAttributes::builder()
            .set_keys(Some(keys))
            .consistent_read(true)
            .build()
            .expect(EXPECTED);
        let mut found = Vec::new();
        let mut pauses = pauses();
        loop {
            let request = self
                .client
                .batch_get_item()
                .request_items(&self.table, wanted)
                .return_consumed_capacity(ReturnConsumedCapacity::Total);
            let output = metered(NAME, request.send(), |output| output.consumed_capacity())
                .await
                .map_err(|error| StorageError::of(NAME, error))?;
            found.extend(
                output
                    .responses
                    .into_iter()
                    .flat_map(HashMap::into_values)
                    .flatten(),
            );
            let left = output.unprocessed_keys.unwrap_or_default();
            match left.into_values().next() {
                None => return Ok(found),
                Some(left) => wanted = left,
            }
            pause(NAME, &mut pauses).await?;
        }
    }

    /// Puts an item that must not exist; the one in its place comes back with the error.
    pub(crate) async fn put_new(&self, item: Item) -> Result<(), SdkError<PutItemError>> {
        let request = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(PK)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        metered("PutItem", request.send(), |output| {
            output.consumed_capacity.as_slice()
        })
        .await
        .map(|_| ())
    }

    /// Puts an item, whatever was in its place.
    pub(crate) async fn put(&self, item: Item) -> Result<(), StorageError> {
        let request = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        metered("PutItem", request.send(), |output| {
            output.consumed_capacity.as_slice()
        })
        .await
        .map(|_| ())
        .map_err(|error| StorageError::of("PutItem", error))
    }

    /// Deletes an item and brings back what it was, if it was there.
    pub(crate) async fn delete(&self, key: Item) -> Result<Option<Item>, StorageError> {
        let request = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(key))
            .return_values(ReturnValue::AllOld)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        metered("DeleteItem", request.send(), |output| {
            output.consumed_capacity.as_slice()
        })
        .await
        .map(|output| output.attributes)
        .map_err(|error| StorageError::of("DeleteItem", error))
    }

    /// Deletes up to 25 items.
    pub(crate) async fn batch_delete(&self, keys: Vec<Item>) -> Result<(), StorageError> {
        const NAME: &str = "BatchWriteItem";
        let mut left: Vec<_> = keys
            .into_iter()
            .map(|key| {
                DeleteRequest::builder()
                    .set_key(Some(key))
                    .build()
                    .expect(EXPECTED)
            })
            .map(|delete| WriteRequest::builder().delete_request(delete).build())
            .collect();
        let mut pauses = pauses();
        loop {
            let request = self
                .client
                .batch_write_item()
                .request_items(&self.table, left)
                .return_consumed_capacity(ReturnConsumedCapacity::Total);
            let output = metered(NAME, request.send(), |output| output.consumed_capacity())
                .await
                .map_err(|error| StorageError::of(NAME, error))?;
            let unprocessed = output.unprocessed_items.unwrap_or_default();
            match unprocessed.into_values().next() {
                None => return Ok(()),
                Some(unprocessed) => left = unprocessed,
            }
            pause(NAME, &mut pauses).await?;
        }
    }

    /// Writes all of these or none.
    pub(crate) async fn transact(
        &self,
        items: Vec<TransactWriteItem>,
    ) -> Result<(), SdkError<TransactWriteItemsError>> {
        let request = self
            .client
            .transact_write_items()
            .set_transact_items(Some(items))
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        metered("TransactWriteItems", request.send(), |output| {
            output.consumed_capacity()
        })
        .await
        .map(|_| ())
    }
}

async fn pause(
    operation: &'static str,
    pauses: &mut impl Iterator<Item = Duration>,
) -> Result<(), StorageError> {
    let pause = pauses
        .next()
        .ok_or_else(|| StorageError::left_over(operation))?;
    tokio::time::sleep(pause).await;
    Ok(())
}
