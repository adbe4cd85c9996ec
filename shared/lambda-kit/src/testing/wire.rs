//! Services with recorded replies, which list the operations that a handler calls.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_dynamodb::config::SharedHttpClient;
use lambda_http::http::Response;
use serde::Serialize;
use serde_json::{Map, Value, json};
use session::{
    ApprovalId, ApprovalRequest, ApprovalRow, Change, Command, Event, Mode, NewRun, NewSession,
    Next, OwnerId, Phase, Position, Progress, RowChange, Rules, RunId, SessionId, StageStart,
    State, Timestamp,
};
use session_manager::OwnerLimits;
use stub_http::stub_client;
use uuid::Uuid;

use super::{ID, TABLE, app_with, outbox_with};
use crate::{App, Outbox};

/// The table and the connections, behind one HTTP client.
#[derive(Debug, Clone, Default)]
pub struct Wire(Arc<Mutex<Book>>);

#[derive(Debug, Default)]
struct Book {
    replies: HashMap<&'static str, VecDeque<Value>>,
    asked: Vec<String>,
    pushed: Vec<Value>,
}

impl Book {
    /// The next reply to an operation. Without one, the reply is that the table does not exist.
    fn answer(&mut self, operation: &str) -> Value {
        self.asked.push(operation.to_owned());
        let left = self.replies.get_mut(operation);
        left.and_then(VecDeque::pop_front)
            .unwrap_or_else(|| json!({"__type": "ResourceNotFoundException"}))
    }
}

impl Wire {
    /// With the replies of each operation, in their order.
    pub fn new(replies: impl IntoIterator<Item = (&'static str, Value)>) -> Self {
        let mut book = Book::default();
        for (operation, reply) in replies {
            book.replies.entry(operation).or_default().push_back(reply);
        }
        Self(Arc::new(Mutex::new(book)))
    }

    /// For the local owner.
    pub fn app(&self) -> App {
        app_with(self.client())
    }

    /// For the local owner, who may have one live run, and ten bytes of uploads a day.
    pub fn app_with_a_limit(&self) -> App {
        let app = self.app();
        let limits = OwnerLimits {
            live_runs: Some(1),
            upload_bytes_per_day: Some(10),
            ..OwnerLimits::default()
        };
        App {
            sessions: app.sessions.with_limits(limits),
            ..app
        }
    }

    /// Push, and no queue.
    pub fn outbox(&self, app: &App) -> Outbox {
        outbox_with(app, self.client())
    }

    /// The operations that the table was asked for.
    pub fn asked(&self) -> Vec<String> {
        self.book(|book| book.asked.clone())
    }

    /// The frames that were sent to connections.
    pub fn pushed(&self) -> Vec<Value> {
        self.book(|book| book.pushed.clone())
    }

    fn book<T>(&self, read: impl FnOnce(&mut Book) -> T) -> T {
        read(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn client(&self) -> SharedHttpClient {
        let wire = self.clone();
        stub_client(move |request| {
            let target = request.headers().get("x-amz-target");
            let operation = target.and_then(|target| target.to_str().ok()?.split('.').next_back());
            let reply = wire.book(|book| match operation {
                Some(operation) => book.answer(operation),
                None => {
                    let frame = request.body().bytes().unwrap_or_default();
                    book.pushed
                        .push(serde_json::from_slice(frame).unwrap_or_default());
                    json!({})
                }
            });
            let status = if reply["__type"].is_null() { 200 } else { 400 };
            let response = Response::builder().status(status);
            response.body(reply.to_string()).unwrap_or_default()
        })
    }
}

/// The reply to a query: these items.
pub fn found(items: &[Value]) -> Value {
    json!({"Items": items.iter().map(item).collect::<Vec<_>>()})
}

/// The reply to a read of one item.
pub fn got(fields: &Value) -> Value {
    json!({"Item": item(fields)})
}

/// The reply to a read of several items.
pub fn got_all(items: &[Value]) -> Value {
    let items: Vec<_> = items.iter().map(item).collect();
    json!({"Responses": {TABLE: items}, "UnprocessedKeys": {}})
}

/// The reply to a transaction that lost its place to another entry.
pub fn lost_to(entry: &Value) -> Value {
    let reason = json!({"Code": "ConditionalCheckFailed", "Item": item(entry), "Message": "Lost."});
    let others = json!({"Code": "None"});
    json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": "Cancelled.", "CancellationReasons": [reason, others, others],
    })
}

/// The replies to a start whose owner has one place, which another start has just taken.
pub fn no_place() -> [(&'static str, Value); 2] {
    // Run 0 has no session yet; its place is of the year 2106.
    let reserved = json!({"BS": ["AAAAAAAAAAAAAAAAAAAAAP////8="]});
    let full = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
        "Message": "Failed.", "Item": {"reserved": reserved},
    });
    [("UpdateItem", full), ("BatchGetItem", got_all(&[]))]
}

/// Fields as DynamoDB's JSON; a null field is absent.
fn item(fields: &Value) -> Value {
    let fields = fields.as_object().into_iter().flatten();
    let present = fields.filter(|(_, value)| !value.is_null());
    Value::Object(
        present
            .map(|(name, value)| (name.clone(), attribute(value)))
            .collect::<Map<_, _>>(),
    )
}

fn attribute(value: &Value) -> Value {
    match value {
        Value::String(text) => json!({"S": text}),
        Value::Number(number) => json!({"N": number.to_string()}),
        Value::Bool(truth) => json!({"BOOL": truth}),
        Value::Array(list) => json!({"L": list.iter().map(attribute).collect::<Vec<_>>()}),
        Value::Null => json!({"NULL": true}),
        Value::Object(_) => json!({"M": item(value)}),
    }
}

/// The newest entry of a session in this state.
pub fn entry(state: &State) -> Value {
    entry_with(state, &[])
}

/// The newest entry of a session in this state, with the events of its commit.
pub fn entry_with(state: &State, events: &[Event]) -> Value {
    let first = state.last_seq.0 + 1 - events.len() as u64;
    json!({
        "PK": format!("SESSION#{}", state.session_id), "SK": format!("LOG#{first:012}"),
        "last": state.last_seq, "commit": Uuid::nil(), "at": state.created_at,
        "events": serde_json::to_string(events).unwrap_or_default(),
        "state": state.to_json().unwrap_or_default(),
    })
}

/// The row of an approval.
pub fn approval(row: &ApprovalRow) -> Value {
    with_text(row, &["context", "modifications"])
}

/// The row of the run that a change starts.
///
/// # Panics
/// When it starts none.
pub fn run(change: &Change) -> Value {
    let row = change.row_changes.iter().find_map(|change| match change {
        RowChange::RunStarted(row) => Some(row),
        _ => None,
    });
    with_text(row.expect("a run was started"), &["meta"])
}

/// The item that finds the run [`ID`] by its id alone.
pub fn locator() -> Value {
    json!({"PK": format!("RUN#{ID}"), "SK": "META", "session_id": ID})
}

/// A row as it is stored, with JSON text in these fields.
fn with_text(row: &impl Serialize, json: &[&str]) -> Value {
    let mut fields = serde_json::to_value(row).unwrap_or_default();
    for name in json {
        let text = Some(&fields[name]).filter(|value| !value.is_null());
        fields[name] = text
            .map(|value| value.to_string().into())
            .unwrap_or_default();
    }
    fields
}

/// A new session of the local owner with a queued run; session and run have the id [`ID`].
///
/// # Panics
/// When [`ID`] is no id.
pub fn queued() -> Change {
    session::create(&new_session(ID.parse().expect("an id")), start())
}

/// A new session of the local owner without a run.
///
/// # Panics
/// When [`ID`] is no id.
pub fn idle() -> State {
    let new = NewSession {
        run: None,
        ..new_session(ID.parse().expect("an id"))
    };
    session::create(&new, start()).state
}

/// The state after a command.
///
/// # Panics
/// When the domain refuses it.
pub fn after(state: &State, command: &Command) -> State {
    decide(state, command).state
}

fn start() -> Timestamp {
    Timestamp::from_micros(1_790_000_000_000_000).expect("a time")
}

fn decide(state: &State, command: &Command) -> Change {
    let change = Rules::default().decide(state, command, start());
    change.expect("the domain accepts it")
}

/// A session of the local owner with an open approval of its plan, whose id is [`ID`].
///
/// # Panics
/// When the domain refuses a step on the way.
pub fn asked(expires_at: Timestamp) -> (State, ApprovalRow) {
    let id = ID.parse().expect("an id");
    let created = queued().state;
    let lease = Command::TakeLease {
        run: RunId::new(id),
        until: expires_at,
        at: Position::OPEN,
        opening: StageStart {
            position: Position::OPEN,
            phase: Phase::HitlPlanning,
            step: None,
            events: Vec::new(),
            history_from: None,
        },
    };
    let working = decide(&created, &lease).state;
    let run = working.run.as_ref().expect("it was started");
    let asks = Command::Commit {
        run: run.id,
        epoch: working.lease.epoch,
        progress: Progress {
            at: run.position,
            work: Vec::new(),
            cost_usd: 0.0,
            tokens: 0,
            next: Next::Ask(Box::new(question(id, expires_at))),
        },
        yield_lease: false,
    };
    let change = decide(&working, &asks);
    let row = change
        .row_changes
        .into_iter()
        .find_map(|change| match change {
            RowChange::ApprovalAsked(row) => Some(row),
            _ => None,
        });
    (change.state, row.expect("a question was asked"))
}

fn new_session(id: Uuid) -> NewSession {
    NewSession {
        id: SessionId::new(id),
        owner: OwnerId::of("local", "local"),
        mode: Mode::HitlInteractive,
        run: Some(NewRun {
            id: RunId::new(id),
            task: "Explain the tides.".into(),
            artifact: None,
            task_id: None,
            agent: "planner".into(),
            model: "m".into(),
        }),
    }
}

fn question(id: Uuid, expires_at: Timestamp) -> ApprovalRequest {
    ApprovalRequest {
        approval_id: ApprovalId::new(id),
        step_id: None,
        action: "review the plan".into(),
        checkpoint_type: "during_planning".into(),
        description: "The plan stands.".into(),
        message: "Is the plan as you want it?".into(),
        options: ["approve", "reject", "revise", "modify"]
            .map(Into::into)
            .into(),
        context: json!({"plan": []}),
        expires_at,
    }
}
