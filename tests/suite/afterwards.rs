//! The stack's output after all other tests.

use std::collections::BTreeSet;

use lambda_kit::metrics::METRICS;
use tests::canary::{PLANTED, logged, said};

use crate::measured::{namespace, values};

#[tokio::test]
#[ignore = "needs what the other tests leave in the logs: make test"]
async fn no_log_contains_a_canary_word() {
    assert_nothing_planted_is_printed().await;
}

/// No log contains a canary word from contents, configurations, tokens or keys.
pub async fn assert_nothing_planted_is_printed() {
    let said = said().await;
    assert!(
        said.lines().count() > 20,
        "the logs must not be empty: {said}"
    );
    let printed: Vec<&str> = said.lines().filter(|line| line.contains(PLANTED)).collect();
    assert!(printed.is_empty(), "{printed:#?}");
}

#[tokio::test]
#[ignore = "needs what the other tests leave in the logs: make test"]
async fn every_metric_was_recorded_and_each_line_is_valid() {
    let (told, wrong) = values(&logged().await, namespace());
    assert!(wrong.is_empty(), "{wrong:#?}");
    let measured: BTreeSet<&str> = told.keys().map(|key| key[0].as_str()).collect();
    // The local queue never gives up a message.
    let known = METRICS.iter().map(|metric| metric.name);
    let known: BTreeSet<&str> = known.filter(|name| *name != "DeadLetters").collect();
    assert!(
        known.is_subset(&measured),
        "{:?}",
        known.difference(&measured)
    );
}
