//! An interceptor in the SDK's DynamoDB client that notes when the reply to each commit arrives.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use aws_sdk_dynamodb::config::interceptors::{
    AfterDeserializationInterceptorContextRef, BeforeSerializationInterceptorContextRef,
};
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::operation::put_item::PutItemInput;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsInput;
use aws_smithy_types::config_bag::{Storable, StoreReplace};

use crate::spy::Item;

/// A step: from the commit before it to its own.
#[derive(Debug, Clone, Copy)]
pub struct StepTime {
    pub begun: Instant,
    pub ended: Instant,
}

impl StepTime {
    pub fn milliseconds(&self) -> f64 {
        (self.ended - self.begun).as_secs_f64() * 1e3
    }
}

/// The steps of a run, from its commits.
pub fn steps_of(commits: &[TimedCommit]) -> Vec<StepTime> {
    let pairs = commits.windows(2).filter(|pair| pair[1].ends_a_step);
    let steps = pairs.map(|pair| StepTime {
        begun: pair[0].at,
        ended: pair[1].at,
    });
    steps.collect()
}

/// A successful commit.
#[derive(Debug, Clone, Copy)]
pub struct TimedCommit {
    at: Instant,
    ends_a_step: bool,
}

/// Notes when DynamoDB's reply to each commit arrives, by session.
#[derive(Debug, Clone, Default)]
pub struct Stopwatch(Arc<Mutex<HashMap<String, Vec<TimedCommit>>>>);

impl Stopwatch {
    /// The commits since the last call, by session.
    pub fn take(&self) -> Vec<Vec<TimedCommit>> {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *noted).into_values().collect()
    }
}

/// A commit that is on its way.
#[derive(Debug)]
struct SentCommit {
    session: String,
    ends_a_step: bool,
}

impl Storable for SentCommit {
    type Storer = StoreReplace<Self>;
}

impl SentCommit {
    fn of(entry: &Item) -> Option<Self> {
        let text = |name: &str| entry.get(name)?.as_s().ok();
        Some(Self {
            session: text("PK")?.clone(),
            ends_a_step: text("events")?.contains(r#""step_complete""#),
        })
    }
}

impl Intercept for Stopwatch {
    fn name(&self) -> &'static str {
        "Stopwatch"
    }

    fn read_before_serialization(
        &self,
        context: &BeforeSerializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let input = context.input();
        let put = input.downcast_ref().and_then(PutItemInput::item);
        let entry = put.or_else(|| input.downcast_ref().and_then(entry_of));
        if let Some(sent) = entry.and_then(SentCommit::of) {
            config.interceptor_state().store_put(sent);
        }
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let (Ok(_), Some(sent)) = (context.output_or_error(), config.load::<SentCommit>()) {
            let commit = TimedCommit {
                at: Instant::now(),
                ends_a_step: sent.ends_a_step,
            };
            let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            noted.entry(sent.session.clone()).or_default().push(commit);
        }
        Ok(())
    }
}

/// The entry is the first item of a commit's transaction.
fn entry_of(transaction: &TransactWriteItemsInput) -> Option<&Item> {
    Some(transaction.transact_items().first()?.put()?.item())
}
