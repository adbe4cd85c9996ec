//! Client settings, spans and paging of the requests to DynamoDB.
//!
//! Each request has a span with the capacity that it consumed and without any content. The SDK
//! retries a single request: three attempts in quick succession, with time limits that leave room
//! for all three, so that one hanging connection is not an outage. A repeated put can meet its own
//! first attempt: the append protocol recognises its own entry, and a transaction has the SDK's
//! idempotency token.

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

use super::item::Item;
use crate::error::StorageError;

/// How often one request is sent at most.
const ATTEMPTS: u32 = 3;
/// The time limit of one attempt. DynamoDB usually answers within milliseconds.
const ATTEMPT_TIMEOUT: Duration = Duration::from_millis(1_500);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// The time limit of all attempts of one request, pauses included.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(5);

/// How often a change that meets conflicts is tried at most.
pub(crate) const TRIES: usize = 10;

/// The pauses between [`TRIES`]: 5 ms, doubling up to 160 ms, each
/// with a random extra of at most its own length.
pub(crate) fn pauses() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::new()
        .with_min_delay(Duration::from_millis(5))
        .with_max_delay(Duration::from_millis(160))
        .with_max_times(TRIES - 1)
        .with_jitter()
        .build()
}

/// The client with the retries and time limits that this crate relies on.
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

/// Runs one request in its span.
///
/// The future is boxed, because the future of an SDK call is large and every caller's future would
/// contain it.
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

/// The pages of a query, in order.
pub(crate) struct QueryPages {
    request: QueryFluentBuilder,
    start: Option<Item>,
    done: bool,
}

impl QueryPages {
    /// The pages from the beginning, or from behind a key.
    pub const fn new(request: QueryFluentBuilder, start: Option<Item>) -> Self {
        Self {
            request,
            start,
            done: false,
        }
    }

    /// The next page, which may be empty. Returns `None` after the last one.
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
