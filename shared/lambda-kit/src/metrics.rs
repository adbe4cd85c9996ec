//! What is measured, each thing under its one name, in CloudWatch's embedded metric format: lines among the logs.
//!
//! Runs, steps and costs are counted from the events that were committed, by whoever committed them and printed at once, so that
//! the metrics say what the record says. Dimensions are few, because each of their combinations is billed.

use std::sync::OnceLock;
use std::time::Duration;

use metrics::{Unit, counter, describe_counter, describe_histogram, histogram};
use metrics_cloudwatch_embedded::{Builder, Collector};
use session::{Envelope, EventBody, Mode, StoredEventBody};

use crate::EdgeSettings;

/// Something that is measured.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// Its name in CloudWatch.
    pub name: &'static str,
    /// The names of its dimensions.
    pub dimensions: &'static [&'static str],
    /// Its unit.
    pub unit: Unit,
    /// What it is.
    pub doc: &'static str,
}

macro_rules! metrics {
    ($($constant:ident $name:literal [$($dimension:literal),*] $unit:ident, $doc:literal;)*) => {
        $(const $constant: &str = $name;)*

        /// All that is measured.
        pub const METRICS: &[Metric] = &[
            $(Metric { name: $name, dimensions: &[$($dimension),*], unit: Unit::$unit, doc: $doc },)*
        ];
    };
}

metrics! {
    RUNS "Runs" ["Mode", "End"] Count, "Runs that ended, whoever ended them: `completed`, `failed`, `cancelled`.";
    STEP_TIME "StepTime" ["Mode"] Seconds, "How long a step of a plan took.";
    COST "CostUsd" ["Mode"] Count, "US dollars, one value per priced call of a model.";
    QUEUE_TIME "QueueTime" [] Seconds, "From the sending of a message to the worker that takes it up.";
    DEAD_LETTERS "DeadLetters" [] Count, "Messages that the queue gave up on.";
    SWEEPS "Sweeps" [] Count, "Looks of the sweeper at all that is due.";
    SWEPT "Swept" [] Count, "Sessions for which the sweeper did something overdue.";
}

const MODE: &str = "Mode";
const END: &str = "End";

/// None where something else in this process took the measurements first.
static COLLECTOR: OnceLock<Option<&'static Collector>> = OnceLock::new();

/// Measures from now on, in the namespace of the configuration. Until then nothing is measured.
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
        // Only the unit is used, and a name has one whatever kind of metric it is.
        match metric.unit {
            Unit::Count => describe_counter!(metric.name, metric.unit, metric.doc),
            _ => describe_histogram!(metric.name, metric.unit, metric.doc),
        }
    }
}

/// Prints what was measured since the last time.
pub fn flush() {
    let Some(Some(collector)) = COLLECTOR.get() else {
        return;
    };
    if let Err(error) = collector.flush(std::io::stdout()) {
        tracing::warn!(%error, "metrics not printed");
    }
}

/// Counts and prints events that were committed, in a session of this mode: what follows a commit may still be cut short.
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
        EventBody::CostUpdate {
            cost_usd: Some(usd),
            ..
        } => histogram!(COST, MODE => mode.id()).record(*usd),
        _ => {}
    }
}

fn ended(mode: Mode, end: &'static str) {
    counter!(RUNS, MODE => mode.id(), END => end).increment(1);
}

/// A message that was so long on its way to a worker.
pub fn taken_up(after: Duration) {
    histogram!(QUEUE_TIME).record(after.as_secs_f64());
}

/// A message that the queue gave up on.
pub fn dead_letter() {
    counter!(DEAD_LETTERS).increment(1);
}

/// A look of the sweeper, and for how many sessions it did something.
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
