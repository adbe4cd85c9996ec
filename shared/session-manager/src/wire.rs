//! How DynamoDB is called: one span for each, with the capacity that it consumed, and never with a content.
//!
//! Retries of a single request are the SDK's, tuned here: three attempts, soon after each other, with time limits that leave room
//! for all three, so that one connection that hangs is no outage. A repeated put may meet its own first attempt; the append
//! protocol knows its own entry again, and a transaction carries the SDK's token.

use std::pin::Pin;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::ConsumedCapacity;
use backon::{BackoffBuilder, ExponentialBuilder};
use tracing::field::Empty;
use tracing::{Instrument, Span, debug_span};

use crate::error::StorageError;
use crate::items::Item;

/// How often one request is sent, the first time included.
const ATTEMPTS: u32 = 3;
/// DynamoDB answers in milliseconds: whoever waits longer than this asks again.
const ATTEMPT_TIMEOUT: Duration = Duration::from_millis(1_500);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// All attempts of one request, with the pauses between them.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(5);

/// How often something is tried that others stand in the way of.
pub(crate) const TRIES: usize = 10;

/// The pauses between [`TRIES`]: 5 ms at first, doubling up to 160 ms, each with up to as much again at random.
pub(crate) fn pauses() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::new()
        .with_min_delay(Duration::from_millis(5))
        .with_max_delay(Duration::from_millis(160))
        .with_max_times(TRIES - 1)
        .with_jitter()
        .build()
}

/// The client with the retries and time limits that this crate counts on.
pub(crate) fn tuned(client: &Client) -> Client {
    let retries = RetryConfig::standard()
        .with_max_attempts(ATTEMPTS)
        .with_initial_backoff(Duration::from_millis(50))
        .with_max_backoff(Duration::from_millis(100));
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
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
///
/// Boxed, because the future of an SDK call is large and deep, and would be laid out anew in every layer above.
pub(crate) fn metered<'a, O: 'a, E: 'a>(
    operation: &'static str,
    call: impl Future<Output = Result<O, SdkError<E>>> + Send + 'a,
    capacity: impl FnOnce(&O) -> &[ConsumedCapacity] + Send + 'a,
) -> Pin<Box<dyn Future<Output = Result<O, SdkError<E>>> + Send + 'a>> {
    let span = debug_span!("dynamodb", operation, capacity = Empty);
    let measured = async {
        let output = call.await?;
        let units: f64 = capacity(&output)
            .iter()
            .filter_map(ConsumedCapacity::capacity_units)
            .sum();
        Span::current().record("capacity", units);
        Ok(output)
    };
    Box::pin(measured.instrument(span))
}

/// The pages of a query, one after the other.
pub(crate) struct QueryPages {
    request: QueryFluentBuilder,
    start: Option<Item>,
    done: bool,
}

impl QueryPages {
    /// From the beginning, or from a key on.
    pub const fn new(request: QueryFluentBuilder, start: Option<Item>) -> Self {
        Self {
            request,
            start,
            done: false,
        }
    }

    /// Lets the pages from here on look at no more than so many items each.
    pub fn look_at(&mut self, items: usize) {
        let items = i32::try_from(items).unwrap_or(i32::MAX);
        self.request = self.request.clone().limit(items);
    }

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
