//! Metrics in CloudWatch's embedded metric format, which are lines of the log.
//!
//! The committing process counts runs, steps and costs from the committed events and prints them at
//! once, so that metrics and record agree. Dimensions are few: each combination is billed.

use std::sync::OnceLock;
use std::time::Duration;

use metrics::{Unit, counter, describe_counter, describe_histogram, histogram};
use metrics_cloudwatch_embedded::{Builder, Collector};
use session::{Envelope, EventBody, Mode, StoredEventBody};

use crate::EdgeSettings;

/// A metric.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// Its name in CloudWatch.
    pub name: &'static str,
    /// The names of its dimensions.
    pub dimensions: &'static [&'static str],
    /// Its unit.
    pub unit: Unit,
    /// Its meaning.
    pub doc: &'static str,
}

macro_rules! metrics {
    ($($constant:ident $name:literal [$($dimension:literal),*] $unit:ident, $doc:literal;)*) => {
        $(const $constant: &str = $name;)*

        /// All metrics.
        pub const METRICS: &[Metric] = &[
            $(Metric { name: $name, dimensions: &[$($dimension),*], unit: Unit::$unit, doc: $doc },)*
        ];
    };
}

metrics! {
    RUNS "Runs" ["Mode", "End"] Count, "Runs that ended: `completed`, `failed`, `cancelled`.";
    STEP_TIME "StepTime" ["Mode"] Seconds, "How long a step of a plan took.";
    COST "CostUsd" ["Mode"] Count, "US dollars, one value per priced call of a model.";
    QUEUE_TIME "QueueTime" [] Seconds, "From the sending of a message to its delivery to a worker.";
    DEAD_LETTERS "DeadLetters" [] Count, "Messages that the queue moved to its dead-letter queue.";
    SWEEPS "Sweeps" [] Count, "Runs of the sweeper over all due sessions.";
    SWEPT "Swept" [] Count, "Sessions for which the sweeper did something overdue.";
}

const MODE: &str = "Mode";
const END: &str = "End";

/// `None` where another recorder was installed first.
static COLLECTOR: OnceLock<Option<&'static Collector>> = OnceLock::new();

/// Starts measuring, in the namespace of the configuration.
pub fn start(settings: &EdgeSettings) {
    COLLECTOR.get_or_init(|| {
        let namespace = settings.metrics_namespace.clone();
        let collector = Builder::new().cloudwatch_namespace(namespace).init();
        describe();
        collector
            .inspect_err(|error| tracing::error!(%error, "nothing is measured"))
            .ok()
    });
}

fn describe() {
    for metric in METRICS {
        // Only the unit is used, and both kinds of metric set it.
        match metric.unit {
            Unit::Count => describe_counter!(metric.name, metric.unit, metric.doc),
            _ => describe_histogram!(metric.name, metric.unit, metric.doc),
        }
    }
}

/// Prints the measurements since the last flush.
pub fn flush() {
    let Some(Some(collector)) = COLLECTOR.get() else {
        return;
    };
    if let Err(error) = collector.flush(std::io::stdout()) {
        tracing::warn!(%error, "metrics not printed");
    }
}

/// Counts the events of a commit and prints at once, since the process may end after it.
pub fn committed(mode: Mode, events: &[Envelope]) {
    count(mode, events);
    flush();
}

fn count(mode: Mode, events: &[Envelope]) {
    for event in events {
        if let StoredEventBody::Known(body) = &event.body {
            recorded(mode, body);
        }
    }
}

fn recorded(mode: Mode, body: &EventBody) {
    match body {
        EventBody::WorkflowCompleted { .. } => ended(mode, "completed"),
        EventBody::WorkflowFailed { .. } => ended(mode, "failed"),
        EventBody::WorkflowCancelled { .. } => ended(mode, "cancelled"),
        EventBody::StepComplete { execution_time, .. } => {
            histogram!(STEP_TIME, MODE => mode.id()).record(*execution_time);
        }
        EventBody::CostUpdate { cost, .. } if cost.priced => {
            histogram!(COST, MODE => mode.id()).record(cost.cost_usd);
        }
        _ => {}
    }
}

fn ended(mode: Mode, end: &'static str) {
    counter!(RUNS, MODE => mode.id(), END => end).increment(1);
}

/// Records how long a message waited for a worker.
pub fn taken_up(after: Duration) {
    histogram!(QUEUE_TIME).record(after.as_secs_f64());
}

/// Counts a dead letter.
pub fn dead_letter() {
    counter!(DEAD_LETTERS).increment(1);
}

/// Counts a run of the sweeper, and the sessions for which it did something.
pub fn swept(sessions: usize) {
    counter!(SWEEPS).increment(1);
    counter!(SWEPT).increment(sessions.try_into().unwrap_or(u64::MAX));
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use session::{RunId, Seq, Timestamp};
    use uuid::Uuid;

    use super::*;

    fn event(body: EventBody) -> Envelope {
        Envelope {
            timestamp: Timestamp::from_micros(0).unwrap(),
            run_id: None,
            session_id: "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap(),
            seq: Some(Seq(1)),
            body: body.into(),
        }
    }

    #[test]
    fn what_was_committed_is_measured_once_under_its_name_and_holds_no_content() {
        start(&EdgeSettings::read(|_| None).unwrap());
        let step = |execution_time| {
            event(EventBody::StepComplete {
                step_number: 1,
                goal: "secret".into(),
                summary: "secret".into(),
                execution_time,
            })
        };
        let failed = event(EventBody::WorkflowFailed {
            run_id: RunId::new(Uuid::nil()),
            error: "secret".into(),
            failed_step: None,
        });
        count(Mode::OneShot, &[step(1.5), step(2.0), failed]);
        taken_up(Duration::from_millis(250));
        swept(0);

        let collector = COLLECTOR.get().unwrap().unwrap();
        let lines = || {
            let mut printed = Vec::new();
            collector.flush(&mut printed).unwrap();
            let text = String::from_utf8(printed).unwrap();
            assert!(!text.contains("secret"), "{text}");
            let parse = |line| serde_json::from_str::<Value>(line).unwrap();
            text.lines().map(parse).collect::<Vec<_>>()
        };
        let lines_of = |name: &str, all: &[Value]| {
            let found = all.iter().find(|line| !line[name].is_null()).cloned();
            found.unwrap_or_else(|| panic!("no {name} in {all:?}"))
        };
        let all = lines();
        let steps = lines_of(STEP_TIME, &all);
        assert_eq!(steps[STEP_TIME], json!([1.5, 2.0]));
        assert_eq!(steps[MODE], "one-shot");
        let directive = &steps["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(directive["Namespace"], "Intermission");
        assert_eq!(directive["Dimensions"], json!([["Mode"]]));
        assert_eq!(
            directive["Metrics"],
            json!([{"Name": STEP_TIME, "Unit": "Seconds"}])
        );
        let runs = lines_of(RUNS, &all);
        assert_eq!((&runs[RUNS], &runs[END]), (&json!(1), &json!("failed")));
        let plain = lines_of(SWEEPS, &all);
        assert_eq!(
            (&plain[SWEEPS], &plain[QUEUE_TIME]),
            (&json!(1), &json!([0.25]))
        );
        assert!(lines().is_empty(), "nothing is told twice");
    }
}
