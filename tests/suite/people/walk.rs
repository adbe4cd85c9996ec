//! A run from its task to its end, with its questions and answers.
//!
//! Each walk runs twice concurrently: once with all answers by REST, and once over a WebSocket,
//! with `approved` where it suffices. Both must behave in the same way.

use futures::future::join_all;
use serde_json::{Value, json};
use session::resolution_for;
use tests::model::{model, prompts};
use tests::people::{answer, approval, question};
use tests::rest::{count, create_with, newest_run, record, start, until};
use tests::stack::shared_workers;
use tests::ws::{Client, connect};
use uuid::Uuid;

use super::options;

/// A run and its expected result.
pub struct Walk {
    name: &'static str,
    mode: &'static str,
    config: Value,
    /// `{id}` stands for the id under which the scripted model records its calls.
    task: &'static str,
    answers: Vec<Answer>,
    completes: bool,
    counts: Vec<(&'static str, usize)>,
    told: Vec<(&'static str, &'static str)>,
    skipped: Vec<&'static str>,
}

struct Answer {
    checkpoint: &'static str,
    option: &'static str,
    feedback: Option<&'static str>,
    modifications: Option<Value>,
    /// The offered options, if they are not all of the checkpoint's.
    offered: &'static [&'static str],
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum By {
    Rest,
    Socket,
}

impl Walk {
    /// A run that completes.
    pub fn of(name: &'static str, mode: &'static str, config: Value, task: &'static str) -> Self {
        Self {
            name,
            mode,
            config,
            task,
            answers: Vec::new(),
            completes: true,
            counts: Vec::new(),
            told: Vec::new(),
            skipped: Vec::new(),
        }
    }

    /// The person selects this option at this checkpoint.
    pub fn at(mut self, checkpoint: &'static str, option: &'static str) -> Self {
        self.answers.push(Answer {
            checkpoint,
            option,
            feedback: None,
            modifications: None,
            offered: options(checkpoint),
        });
        self
    }

    /// Adds a feedback text to the last answer.
    pub fn saying(mut self, words: &'static str) -> Self {
        self.last().feedback = Some(words);
        self
    }

    /// Adds a plan to the last answer.
    pub fn with_plan(mut self, plan: &Value) -> Self {
        self.last().modifications = Some(json!({"plan": plan}));
        self
    }

    /// Expects only these options at the last question.
    pub fn among(mut self, offered: &'static [&'static str]) -> Self {
        self.last().offered = offered;
        self
    }

    /// Expects that the last answer cancels the run.
    pub fn cancels(mut self) -> Self {
        self.completes = false;
        self
    }

    /// Expects this number of events of a type in the final record.
    pub fn has(mut self, event_type: &'static str, times: usize) -> Self {
        self.counts.push((event_type, times));
        self
    }

    /// Expects these words in the last prompt of this agent or step.
    pub fn tells(mut self, place: &'static str, words: &'static str) -> Self {
        self.told.push((place, words));
        self
    }

    /// Expects that this node was skipped.
    pub fn skips(mut self, node: &'static str) -> Self {
        self.skipped.push(node);
        self
    }

    pub fn answers_with(&self, checkpoint: &str, option: &str) -> bool {
        let mut answers = self.answers.iter();
        answers.any(|answer| answer.checkpoint == checkpoint && answer.option == option)
    }

    fn last(&mut self) -> &mut Answer {
        self.answers.last_mut().unwrap()
    }

    async fn walk(&self, by: By) {
        let word = Uuid::now_v7().to_string();
        let session = create_with(self.mode, &self.config).await;
        let task = format!("[[id={word}]] {}", self.task.replace("{id}", &word));
        start(&session, &task).await;
        let mut client = connect(&word).await;
        client.follow(&session).await;
        for answer in &self.answers {
            let open = question(&session, answer.checkpoint).await;
            let what = format!("{}, {by:?}, {open}", self.name);
            assert_eq!(open["options"], json!(answer.offered), "{what}");
            match by {
                By::Rest => answer.by_rest(&session, &open).await,
                By::Socket => answer.by_socket(&mut client, &open).await,
            }
            answer.is_kept(&session, &open).await;
        }
        let detail = until(&session, self.name, |detail| detail["active_run"].is_null()).await;
        self.check_end(&session, &detail).await;
        let events = record(&session).await;
        self.check_record(&events);
        while client.events.len() < events.len() {
            client.next().await.expect("closed before the end");
        }
        assert_eq!(
            client.events, events,
            "the pushed events must equal those of REST"
        );
        for (place, words) in &self.told {
            let prompt = prompts(&word, place).pop().unwrap_or_default();
            assert!(
                prompt.contains(words),
                "{}: the prompt at {place} was {prompt}",
                self.name
            );
        }
    }

    async fn check_end(&self, session: &str, detail: &Value) {
        let (status, reason, of_run) = match self.completes {
            true => ("completed", Value::Null, "completed"),
            false => ("suspended", json!("user_requested"), "cancelled"),
        };
        let found = (&detail["status"], &detail["suspend_reason"]);
        assert_eq!(found, (&json!(status), &reason), "{}", self.name);
        assert_eq!(newest_run(session).await["status"], of_run, "{}", self.name);
    }

    fn check_record(&self, events: &[Value]) {
        let end = match self.completes {
            true => "complete",
            false => "workflow_cancelled",
        };
        assert_eq!(events.last().unwrap()["event_type"], end, "{}", self.name);
        for kind in ["approval_requested", "approval_received"] {
            assert_eq!(
                count(events, kind),
                self.answers.len(),
                "{}: {kind}",
                self.name
            );
        }
        for (kind, times) in &self.counts {
            assert_eq!(count(events, kind), *times, "{}: {kind}", self.name);
        }
        for node in &self.skipped {
            let told = |event: &&Value| event["data"]["node_id"] == *node;
            let last = events.iter().rev().find(told);
            assert_eq!(last.unwrap()["data"]["new_status"], "skipped", "{node}");
        }
    }
}

impl Answer {
    /// The option by its name or a synonym.
    async fn by_rest(&self, session: &str, open: &Value) {
        let resolution = match self.option {
            "approve" => "approved",
            "reject" => "rejected",
            "modify" => "modified",
            other => other,
        };
        let mut body = json!({"resolution": resolution, "feedback": self.feedback});
        body["modifications"] = json!(self.modifications);
        let approval = answer(session, open, &body).await.ok();
        self.check(&approval);
    }

    /// `approved` where it suffices; the plan as text, as older clients send it.
    async fn by_socket(&self, client: &mut Client, open: &Value) {
        let kind = match self.feedback {
            Some(_) => "resolve_approval",
            None => "approval_response",
        };
        let mut frame =
            json!({"type": kind, "approval_id": open["approval_id"], "feedback": self.feedback});
        let offered: Vec<String> = self.offered.iter().map(ToString::to_string).collect();
        let means = |approved| resolution_for(approved, &offered) == Some(self.option);
        match (means(true), means(false)) {
            (true, _) => frame["approved"] = json!(true),
            (_, true) => frame["approved"] = json!(false),
            _ => frame["resolution"] = json!(self.option),
        }
        if let Some(changes) = &self.modifications {
            frame["modifications"] = json!(changes.to_string());
        }
        let reply = client.answer(&frame).await;
        assert_eq!(reply["event_type"], "approval_received", "{reply}");
        let data = &reply["data"];
        assert_eq!(data["approval_id"], open["approval_id"]);
        assert_eq!(data["resolution"], self.option);
        assert_eq!(data["feedback"], json!(self.feedback));
        let positive = ["approve", "continue", "submit", "retry"].contains(&self.option);
        assert_eq!(data["approved"], positive, "{reply}");
    }

    /// Asserts that the approval has the answer and that the record has it once.
    async fn is_kept(&self, session: &str, open: &Value) {
        self.check(&approval(session, &open["approval_id"]).await);
        let events = record(session).await;
        let of_it = |event: &&Value| {
            event["event_type"] == "approval_received"
                && event["data"]["approval_id"] == open["approval_id"]
        };
        let resolved: Vec<&Value> = events.iter().filter(of_it).collect();
        assert_eq!(resolved.len(), 1);
        assert_eq!(resolved[0]["data"]["resolution"], self.option);
        assert_eq!(resolved[0]["data"]["resolved_by"], "local");
    }

    fn check(&self, approval: &Value) {
        assert_eq!(
            (
                &approval["status"],
                &approval["resolution"],
                &approval["resolved_by"]
            ),
            (&json!("resolved"), &json!(self.option), &json!("local"))
        );
        assert_eq!(approval["feedback"], json!(self.feedback));
        assert_eq!(approval["modifications"], json!(self.modifications));
        assert!(approval["resolved_at"].is_string(), "{approval}");
    }
}

/// Runs all walks concurrently, each over both APIs.
pub async fn go(walks: Vec<Walk>) {
    model();
    let _calm = shared_workers().await;
    let both = walks
        .iter()
        .flat_map(|walk| [By::Rest, By::Socket].map(|by| walk.walk(by)));
    join_all(both).await;
}
