//! The requests to DynamoDB, one method for each operation.
//!
//! Unprocessed parts of a batch are sent again.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{
    DeleteRequest, KeysAndAttributes, ReturnConsumedCapacity, ReturnValue,
    ReturnValuesOnConditionCheckFailure, TransactWriteItem, WriteRequest,
};

use super::item::Item;
use super::wire::{QueryPages, metered, pauses};
use crate::SessionManager;
use crate::error::StorageError;

const EXPECTED: &str = "table, key and item are set";

impl SessionManager {
    /// A query of the table. The caller adds the key condition.
    pub(crate) fn query(&self) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.table)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
    }

    /// The pages of a query, from the beginning or from behind a key.
    pub(crate) const fn pages(request: QueryFluentBuilder, start: Option<Item>) -> QueryPages {
        QueryPages::new(request, start)
    }

    /// Reads one item, strongly consistent.
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

    /// Reads up to 100 items, strongly consistent, in any order. Missing items are left out.
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

    /// Puts an item that must not exist. The error of a failed condition has the existing item.
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

    /// Puts an item and replaces an existing one.
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

    /// Updates an item, or leaves it unchanged when the update's condition fails.
    pub(crate) async fn update_if(&self, update: UpdateBuilder) -> Result<(), StorageError> {
        self.update_or_old(update).await.map(drop)
    }

    /// Updates an item. Returns the unchanged item when the update's condition fails.
    pub(crate) async fn update_or_old(
        &self,
        update: UpdateBuilder,
    ) -> Result<Option<Item>, StorageError> {
        let request = self
            .update_request(update)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let updated = metered("UpdateItem", request.send(), |output| {
            output.consumed_capacity.as_slice()
        })
        .await;
        let Err(error) = updated else {
            return Ok(None);
        };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                Ok(Some(failed.item.clone().unwrap_or_default()))
            }
            _ => Err(StorageError::of("UpdateItem", error)),
        }
    }

    /// Updates an item, and returns the attributes that it changes with their new values.
    pub(crate) async fn update_and_get(&self, update: UpdateBuilder) -> Result<Item, StorageError> {
        let request = self
            .update_request(update)
            .return_values(ReturnValue::UpdatedNew);
        metered("UpdateItem", request.send(), |output| {
            output.consumed_capacity.as_slice()
        })
        .await
        .map(|output| output.attributes.unwrap_or_default())
        .map_err(|error| StorageError::of("UpdateItem", error))
    }

    fn update_request(&self, update: UpdateBuilder) -> UpdateItemFluentBuilder {
        let update = update.table_name(&self.table).build().expect(EXPECTED);
        self.client
            .update_item()
            .table_name(update.table_name)
            .set_key(Some(update.key))
            .update_expression(update.update_expression)
            .set_condition_expression(update.condition_expression)
            .set_expression_attribute_names(update.expression_attribute_names)
            .set_expression_attribute_values(update.expression_attribute_values)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
    }

    /// Deletes an item and returns it, if it existed.
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

    /// Writes all of these items or none.
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
        .ok_or_else(|| StorageError::unprocessed(operation))?;
    tokio::time::sleep(pause).await;
    Ok(())
}
