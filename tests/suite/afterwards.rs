//! What the stack has printed when all other tests have run.

use std::collections::BTreeSet;

use lambda_kit::metrics::METRICS;
use tests::canary::{PLANTED, logged, said};

use crate::measured::{namespace, values};

#[tokio::test]
#[ignore = "needs what the other tests leave in the logs: make test"]
async fn no_log_has_a_planted_word() {
    assert_nothing_planted_is_printed().await;
}

/// No log has a word that the tests plant in contents, configurations, tokens and keys.
pub async fn assert_nothing_planted_is_printed() {
    let said = said().await;
    assert!(said.lines().count() > 20, "the logs are there: {said}");
    let printed: Vec<&str> = said.lines().filter(|line| line.contains(PLANTED)).collect();
    assert!(printed.is_empty(), "{printed:#?}");
}

#[tokio::test]
#[ignore = "needs what the other tests leave in the logs: make test"]
async fn everything_was_measured_and_each_line_is_one_that_cloudwatch_takes() {
    let (told, wrong) = values(&logged().await, namespace());
    assert!(wrong.is_empty(), "{wrong:#?}");
    let measured: BTreeSet<&str> = told.keys().map(|key| key[0].as_str()).collect();
    // The queue gives no message up here.
    let known = METRICS.iter().map(|metric| metric.name);
    let known: BTreeSet<&str> = known.filter(|name| *name != "DeadLetters").collect();
    assert!(
        known.is_subset(&measured),
        "{:?}",
        known.difference(&measured)
    );
}
