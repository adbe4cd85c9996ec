//! An event of a run as a row of its history: what happened, to which node, by which agent.
//!
//! It is made from the published form of an event, `event_type` and `data`, so that kinds which
//! another version wrote are shown too.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};
use session::{Envelope, Timestamp};

/// The number of characters of a quoted text in a description.
const QUOTED: usize = 200;

/// Bookkeeping: what the history of a node leaves out unless a client asks for it.
const INTERNAL: [&str; 3] = ["phase_change", "dag_node_status_changed", "cost_update"];

/// The events about a run as a whole: they belong to no node.
const OF_THE_RUN: [&str; 15] = [
    "status",
    "workflow_started",
    "workflow_paused",
    "workflow_resumed",
    "workflow_cancelled",
    "workflow_completed",
    "dag_created",
    "dag_updated",
    "phase_change",
    "result",
    "complete",
    "error",
    "slice_started",
    "slice_ended",
    "run_requeued",
];

/// An event of a run. Null is what the event does not say.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct RunEvent {
    /// Its `seq` in the session's record, as text.
    pub id: String,
    /// When it was committed.
    pub timestamp: Timestamp,
    /// Its kind, as in the record.
    pub event_type: String,
    /// The status, role, phase, checkpoint or resolution that it is about.
    pub event_subtype: Option<String>,
    /// The node that it belongs to.
    pub node_id: Option<String>,
    /// The agent that it is about.
    pub agent_name: Option<String>,
    /// What happened, as a sentence on one line.
    pub description: String,
    /// `running`, `completed`, `failed` and so on, of what the event begins or ends.
    pub status: Option<String>,
    /// How long what it ends took.
    pub duration_ms: Option<u64>,
    /// What went in: a task, a goal, an answer.
    pub inputs: Option<Value>,
    /// What came out: a message, a summary, a plan, names of files.
    pub outputs: Option<Value>,
    /// Why something failed.
    pub error_message: Option<String>,
    /// The fields of the event's `data` that are not in `inputs`, `outputs` or `error_message`.
    pub meta: Value,
}

impl RunEvent {
    /// The row of an event. `node` is the node named last; an event that names one replaces it.
    pub(crate) fn of(envelope: &Envelope, node: &mut Option<String>) -> Self {
        let (event_type, mut data) = published(envelope);
        let kind = event_type.as_str();
        let named = named_node(&data);
        let whole = named.is_none() && OF_THE_RUN.contains(&kind);
        *node = named.or_else(|| node.take());
        Self {
            id: envelope.seq.unwrap_or_default().to_string(),
            timestamp: envelope.timestamp,
            event_subtype: subtype(kind, &data),
            node_id: node.clone().filter(|_| !whole),
            agent_name: text(&data, "agent").map(str::to_owned),
            description: describe(kind, &data, QUOTED),
            status: status(kind, &data).map(str::to_owned),
            duration_ms: milliseconds(&data),
            inputs: inputs(kind, &mut data),
            outputs: outputs(kind, &mut data),
            error_message: error_message(kind, &mut data),
            event_type,
            meta: Value::Object(data),
        }
    }

    /// Whether it is bookkeeping.
    pub(crate) fn is_internal(&self) -> bool {
        INTERNAL.contains(&self.event_type.as_str())
    }
}

/// An event as a line of text: its time, its kind and its description, of at most `chars`
/// characters of each quoted text.
pub(crate) fn line(envelope: &Envelope, chars: usize) -> String {
    let (kind, data) = published(envelope);
    let told = describe(&kind, &data, chars);
    format!("{} {kind} {told}", envelope.timestamp)
}

/// The kind and the fields of an event.
fn published(envelope: &Envelope) -> (String, Map<String, Value>) {
    let body = serde_json::to_value(&envelope.body).unwrap_or_default();
    let kind = body["event_type"].as_str().unwrap_or_default().to_owned();
    let data = match body {
        Value::Object(mut body) => body.remove("data").unwrap_or_default(),
        _ => Value::Null,
    };
    match data {
        Value::Object(data) => (kind, data),
        Value::Null => (kind, Map::new()),
        other => (kind, Map::from_iter([("value".to_owned(), other)])),
    }
}

fn text<'a>(data: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    data.get(name)?.as_str()
}

fn number(data: &Map<String, Value>, name: &str) -> Option<u64> {
    data.get(name)?.as_u64()
}

/// The node that the event itself names.
fn named_node(data: &Map<String, Value>) -> Option<String> {
    let mut by_id = ["node_id", "step_id", "failed_step"].into_iter();
    let by_id = by_id.find_map(|name| text(data, name)).map(str::to_owned);
    by_id.or_else(|| Some(format!("step_{}", number(data, "step_number")?)))
}

fn subtype(kind: &str, data: &Map<String, Value>) -> Option<String> {
    let name = match kind {
        "dag_node_status_changed" => "new_status",
        "phase_change" => "phase",
        "agent_message" | "user_message" => "role",
        "approval_requested" => "checkpoint_type",
        "approval_received" => "resolution",
        "cost_update" => "model",
        "error" => "error_type",
        _ => return None,
    };
    text(data, name).map(str::to_owned)
}

fn status<'a>(kind: &str, data: &'a Map<String, Value>) -> Option<&'a str> {
    Some(match kind {
        "dag_node_status_changed" => text(data, "new_status")?,
        "workflow_started" | "workflow_resumed" | "step_start" | "slice_started" => "running",
        "agent_message" | "planning_complete" | "step_complete" | "result"
        | "workflow_completed" | "complete" => "completed",
        "step_failed" | "workflow_failed" | "error" => "failed",
        "approval_requested" => "waiting_approval",
        "workflow_paused" => "paused",
        "workflow_cancelled" => "cancelled",
        _ => return None,
    })
}

/// The cast turns a negative time into 0.
fn milliseconds(data: &Map<String, Value>) -> Option<u64> {
    let seconds = data.get("execution_time")?.as_f64()?;
    Some((seconds * 1000.0).round() as u64)
}

fn inputs(kind: &str, data: &mut Map<String, Value>) -> Option<Value> {
    let name = match kind {
        "user_message" => "content",
        "workflow_started" => "task_description",
        "step_start" => "goal",
        "approval_received" => {
            let names = ["resolution", "feedback", "modifications"];
            let answer = names.map(|name| (name.to_owned(), data.remove(name).unwrap_or_default()));
            return Some(Value::Object(answer.into_iter().collect()));
        }
        _ => return None,
    };
    data.remove(name)
}

fn outputs(kind: &str, data: &mut Map<String, Value>) -> Option<Value> {
    let name = match kind {
        "agent_message" | "output" | "approval_requested" => "message",
        "step_complete" | "result" => "summary",
        "planning_complete" => "steps",
        "files_updated" => "files",
        _ => return None,
    };
    data.remove(name)
}

fn error_message(kind: &str, data: &mut Map<String, Value>) -> Option<String> {
    let name = match kind {
        "step_failed" | "workflow_failed" => "error",
        "error" => "message",
        _ => return None,
    };
    match data.remove(name)? {
        Value::String(message) => Some(message),
        _ => None,
    }
}

/// What happened, on one line, with at most `chars` characters of each quoted text.
fn describe(kind: &str, data: &Map<String, Value>, chars: usize) -> String {
    let quoted = |name| one_line(text(data, name).unwrap_or_default(), chars);
    let count = |name| number(data, name).unwrap_or_default();
    let length = |name| data.get(name).and_then(Value::as_array).map_or(0, Vec::len);
    match kind {
        "user_message" => format!("The user: {}", quoted("content")),
        "agent_message" => format!("{}: {}", quoted("agent"), quoted("message")),
        "workflow_started" => format!("The run starts: {}", quoted("task_description")),
        "dag_created" | "dag_updated" => format!("The graph has {} nodes.", length("nodes")),
        "dag_node_status_changed" => format!("{} is {}.", quoted("node_id"), quoted("new_status")),
        "phase_change" => match number(data, "step_number") {
            Some(step) => format!("The phase is {}, step {step}.", quoted("phase")),
            None => format!("The phase is {}.", quoted("phase")),
        },
        "cost_update" => {
            let (agent, model) = (quoted("agent"), quoted("model"));
            format!("{agent} used {} tokens of {model}.", count("tokens"))
        }
        "planning_complete" => format!("The plan has {} steps.", length("steps")),
        "step_start" => format!("Step {} starts: {}", count("step_number"), quoted("goal")),
        "step_complete" => {
            let (step, summary) = (count("step_number"), quoted("summary"));
            format!("Step {step} is complete: {summary}")
        }
        "step_failed" => format!("Step {} failed: {}", count("step_number"), quoted("error")),
        "approval_requested" => format!("The run asks: {}", quoted("message")),
        "approval_received" => {
            let (resolution, feedback) = (quoted("resolution"), quoted("feedback"));
            format!("The question is closed: {resolution}. {feedback}")
                .trim_end()
                .to_owned()
        }
        "approval_expired" => "The question expired without an answer.".to_owned(),
        "files_updated" => format!("The run has {} files.", length("files")),
        "result" => format!("The result: {}", quoted("summary")),
        "workflow_completed" => "The run is complete.".to_owned(),
        "workflow_failed" => format!("The run failed: {}", quoted("error")),
        "slice_started" => "A worker goes on with the run.".to_owned(),
        "slice_ended" => "The worker hands the run on.".to_owned(),
        "run_requeued" => "The run is queued again.".to_owned(),
        // `status`, `output`, `error` and so on, and kinds of other versions.
        _ if data.contains_key("message") => quoted("message"),
        _ => kind.replace('_', " "),
    }
}

/// A text on one line, cut after `chars` characters.
fn one_line(text: &str, chars: usize) -> String {
    let mut line = String::new();
    for word in text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
    {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    match line.char_indices().nth(chars) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use session::{RunId, Seq, SessionId};
    use uuid::Uuid;

    use super::*;

    /// An event of this kind, as it is stored.
    pub(crate) fn event(seq: u64, kind: &str, data: Value) -> Envelope {
        Envelope {
            timestamp: Timestamp::from_micros(1_790_000_000_000_000).unwrap(),
            run_id: Some(RunId::new(Uuid::from_u128(2))),
            session_id: SessionId::new(Uuid::from_u128(1)),
            seq: Some(Seq(seq)),
            body: serde_json::from_value(json!({"event_type": kind, "data": data})).unwrap(),
        }
    }

    fn row(kind: &str, data: Value) -> RunEvent {
        RunEvent::of(&event(7, kind, data), &mut None)
    }

    #[test]
    fn a_message_is_the_output_of_its_agent() {
        let data = json!({"agent": "researcher", "role": "assistant", "message": "High\n\ntide."});
        let mut node = Some("step_1".to_owned());
        let row = RunEvent::of(&event(7, "agent_message", data), &mut node);
        assert_eq!(
            serde_json::to_value(&row).unwrap(),
            json!({
                "id": "7", "timestamp": "2026-09-21T14:13:20.000000Z",
                "event_type": "agent_message", "event_subtype": "assistant", "node_id": "step_1",
                "agent_name": "researcher", "description": "researcher: High tide.",
                "status": "completed", "duration_ms": null, "inputs": null,
                "outputs": "High\n\ntide.", "error_message": null,
                "meta": {"agent": "researcher", "role": "assistant"},
            })
        );
    }

    #[test]
    fn a_step_begins_ends_and_fails() {
        let start = row("step_start", json!({"step_number": 2, "goal": "Measure."}));
        assert_eq!(
            (start.node_id.as_deref(), start.status.as_deref()),
            (Some("step_2"), Some("running"))
        );
        assert_eq!(start.inputs, Some(json!("Measure.")));
        let data =
            json!({"step_number": 2, "goal": "g", "summary": "Done.", "execution_time": 1.5});
        let complete = row("step_complete", data);
        assert_eq!(
            (complete.duration_ms, complete.status.as_deref()),
            (Some(1500), Some("completed"))
        );
        assert_eq!(complete.description, "Step 2 is complete: Done.");
        let failed = row(
            "step_failed",
            json!({"step_number": 2, "error": "No tide."}),
        );
        assert_eq!(
            (failed.error_message.as_deref(), failed.status.as_deref()),
            (Some("No tide."), Some("failed"))
        );
        assert_eq!(failed.meta, json!({"step_number": 2}));
    }

    #[test]
    fn an_event_belongs_to_the_node_named_last_or_to_the_run() {
        let mut node = None;
        let mut node_of = |kind, data| RunEvent::of(&event(1, kind, data), &mut node).node_id;
        let said = json!({"role": "user", "content": "c"});
        let phase = |step: Option<u32>| json!({"phase": "control", "step_number": step});
        let status =
            json!({"node_id": "planning", "old_status": "pending", "new_status": "running"});
        for (kind, data, expected) in [
            ("user_message", said.clone(), None),
            ("dag_node_status_changed", status, Some("planning")),
            ("user_message", said.clone(), Some("planning")),
            ("phase_change", phase(None), None),
            ("phase_change", phase(Some(1)), Some("step_1")),
            ("user_message", said, Some("step_1")),
            ("complete", json!({"message": "m"}), None),
        ] {
            assert_eq!(node_of(kind, data).as_deref(), expected, "{kind}");
        }
    }

    #[test]
    fn files_are_outputs_and_answers_are_inputs() {
        let names = ["a.md", "b.md"];
        let data = json!({"files_tracked": 2, "files": names, "node_id": "step_1"});
        let files = row("files_updated", data);
        assert_eq!(files.outputs, Some(json!(["a.md", "b.md"])));
        assert_eq!(files.description, "The run has 2 files.");
        let data = json!({
            "approval_id": Uuid::nil(), "approved": true, "resolution": "approve", "feedback": "Good.",
            "modifications": null, "resolved_by": "ada",
        });
        let answer = row("approval_received", data);
        let given = json!({"resolution": "approve", "feedback": "Good.", "modifications": null});
        assert_eq!(answer.inputs, Some(given));
        assert_eq!(answer.description, "The question is closed: approve. Good.");
    }

    #[test]
    fn an_event_of_an_unknown_kind_is_shown_with_its_data() {
        for (data, meta) in [
            (json!({"depth": 3}), json!({"depth": 3})),
            (json!([1]), json!({"value": [1]})),
            (Value::Null, json!({})),
        ] {
            let row = row("sea_level", data);
            assert_eq!((row.description.as_str(), row.status), ("sea level", None));
            assert_eq!(row.meta, meta);
        }
    }

    #[test]
    fn a_line_has_no_line_break_and_a_bounded_length() {
        let long = format!("a\u{2028}b\r\n\u{1b}[1mc {}", "x".repeat(5000));
        let line = line(&event(1, "output", json!({"message": long})), 20);
        assert_eq!(
            line,
            "2026-09-21T14:13:20.000000Z output a b [1mc xxxxxxxxxxx…"
        );
    }
}
