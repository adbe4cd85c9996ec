//! The files of a run by its record: the node and the agent that stored each, and the run's answer.
//!
//! The bucket alone knows which files exist; the record alone knows where they come from. The
//! record is folded from its beginning, at most [`QUERIES`] pages of it.

use std::collections::BTreeMap;

use session::{Envelope, EventBody, NodeStatus, Role, RunStatus, Seq, StoredEventBody, Timestamp};

use super::events::envelopes_between;
use crate::{FoundRun, ReadError, SessionManager};

/// The number of queries that look for the origins of files. Each reads at most 1 MiB.
const QUERIES: usize = 4;

/// The number of entries at a run's end among which its answer is.
const LAST_ENTRIES: i32 = 32;

/// Where a file comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileOrigin {
    /// The node whose work stored it, if one did.
    pub node_id: Option<String>,
    /// The agent whose answer it is part of, if it is.
    pub agent: Option<String>,
    /// The event that names it first.
    pub seq: Seq,
}

/// The last answer of a run that has completed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunAnswer {
    /// The agent's message and, on a last line, the artifact that belongs to it. Without a message
    /// the summary of the result.
    pub text: String,
    /// When it was committed.
    pub at: Timestamp,
    /// Node, agent and event.
    pub origin: FileOrigin,
}

/// What the record says about the files of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordedFiles {
    origins: BTreeMap<String, FileOrigin>,
    answer: Option<RunAnswer>,
    node: Option<String>,
    is_cut: bool,
}

impl RecordedFiles {
    /// Where the file of this name comes from. `None` if the record does not name it, or only
    /// behind the part that was read.
    pub fn origin(&self, name: &str) -> Option<&FileOrigin> {
        self.origins.get(name)
    }

    /// The run's answer, once the run has completed.
    pub const fn answer(&self) -> Option<&RunAnswer> {
        self.answer.as_ref()
    }

    /// Whether a part of the record was not read, so that origins may be missing.
    pub const fn is_cut(&self) -> bool {
        self.is_cut
    }

    fn apply(&mut self, envelope: &Envelope) {
        let StoredEventBody::Known(body) = &envelope.body else {
            return;
        };
        match body {
            EventBody::DagNodeStatusChanged {
                node_id,
                new_status: NodeStatus::Running,
                ..
            } => self.node = Some(node_id.clone()),
            EventBody::UserMessage {
                artifact: Some(name),
                ..
            } => {
                let seq = envelope.seq.unwrap_or_default();
                let origin = FileOrigin {
                    node_id: None,
                    agent: None,
                    seq,
                };
                self.origins.entry(name.clone()).or_insert(origin);
            }
            EventBody::AgentMessage {
                agent,
                role: Role::Assistant,
                message,
                artifact,
                ..
            } => {
                let origin = self.here(envelope, Some(agent));
                let mut text = message.clone();
                if let Some(name) = artifact {
                    text.push_str(&format!("\n\nFile: `{name}`\n"));
                    self.origins.entry(name.clone()).or_insert(origin.clone());
                }
                self.answer = Some(RunAnswer {
                    text,
                    at: envelope.timestamp,
                    origin,
                });
            }
            EventBody::FilesUpdated(tracked) => {
                // All files so far: those that no earlier event has named are new.
                for name in &tracked.files {
                    let mut origin = self.here(envelope, None);
                    origin.node_id = tracked.node_id.clone().or(origin.node_id);
                    self.origins.entry(name.clone()).or_insert(origin);
                }
            }
            EventBody::Result { summary, .. } if self.answer.is_none() => {
                self.answer = Some(RunAnswer {
                    text: summary.clone(),
                    at: envelope.timestamp,
                    origin: self.here(envelope, None),
                });
            }
            _ => {}
        }
    }

    /// The origin of what this event stores.
    fn here(&self, envelope: &Envelope, agent: Option<&String>) -> FileOrigin {
        FileOrigin {
            node_id: self.node.clone(),
            agent: agent.cloned(),
            seq: envelope.seq.unwrap_or_default(),
        }
    }
}

impl SessionManager {
    /// What the record says about the files of a run: origins from its first 4 MiB, and the answer
    /// from its end.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`], [`ReadError::Malformed`].
    pub async fn recorded_files(&self, run: &FoundRun) -> Result<RecordedFiles, ReadError> {
        let mut files = RecordedFiles::default();
        let left = self.apply_first_events(run, QUERIES, |envelope| files.apply_of(run, &envelope));
        files.is_cut = left.await?.is_some();
        let completed = run.row.status == RunStatus::Completed;
        if !completed {
            files.answer = None;
        } else if files.is_cut {
            files.answer = self.run_answer(run).await?;
        }
        Ok(files)
    }

    /// The answer of a run that has completed, by one query of its last entries. Its node is
    /// known only if the node began within these entries.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`], [`ReadError::Malformed`].
    pub async fn run_answer(&self, run: &FoundRun) -> Result<Option<RunAnswer>, ReadError> {
        if run.row.status != RunStatus::Completed {
            return Ok(None);
        }
        let (session, from, to) = (run.session(), run.first_seq, run.last_seq);
        let request = self.log(session, from, to).scan_index_forward(false);
        let mut pages = Self::pages(request.limit(LAST_ENTRIES), None);
        let newest_first = pages.next().await?.unwrap_or_default();
        let entries = newest_first.into_iter().rev().collect();
        let mut files = RecordedFiles::default();
        for envelope in envelopes_between(session, entries, from, to)? {
            files.apply_of(run, &envelope);
        }
        Ok(files.answer)
    }
}

impl RecordedFiles {
    /// Events of the session that belong to no run, or to another one, say nothing about this run.
    fn apply_of(&mut self, run: &FoundRun, envelope: &Envelope) {
        if envelope.run_id == Some(run.row.id) {
            self.apply(envelope);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use session::SessionId;
    use uuid::Uuid;

    use super::*;

    fn fold(events: &[Value]) -> RecordedFiles {
        let mut files = RecordedFiles::default();
        for (seq, event) in (1..).zip(events) {
            files.apply(&Envelope {
                timestamp: Timestamp::from_micros(seq).unwrap(),
                run_id: None,
                session_id: SessionId::new(Uuid::from_u128(1)),
                seq: Some(Seq(seq.unsigned_abs())),
                body: serde_json::from_value(event.clone()).unwrap(),
            });
        }
        files
    }

    fn running(node: &str) -> Value {
        json!({"event_type": "dag_node_status_changed", "data": {
            "node_id": node, "old_status": "pending", "new_status": "running",
        }})
    }

    fn says(agent: &str, message: &str, artifact: Option<&str>) -> Value {
        json!({"event_type": "agent_message", "data": {
            "agent": agent, "role": "assistant", "message": message, "artifact": artifact,
        }})
    }

    fn tracks(names: &[&str]) -> Value {
        json!({"event_type": "files_updated", "data": {"files_tracked": names}})
    }

    fn origin(node: Option<&str>, agent: Option<&str>, seq: u64) -> FileOrigin {
        FileOrigin {
            node_id: node.map(str::to_owned),
            agent: agent.map(str::to_owned),
            seq: Seq(seq),
        }
    }

    #[test]
    fn a_file_comes_from_the_node_that_ran_when_it_was_first_named() {
        let files = fold(&[
            json!({"event_type": "user_message", "data": {
                "role": "user", "content": "t", "artifact": "task.txt",
            }}),
            running("step_1"),
            says("engineer", "A program.", Some("step_1_a.py")),
            tracks(&["step_1_a.py"]),
            running("step_2"),
            tracks(&["step_1_a.py", "2.pdf"]),
            json!({"event_type": "from_the_future", "data": {"files": ["x"]}}),
        ]);
        for (name, expected) in [
            ("task.txt", Some(origin(None, None, 1))),
            (
                "step_1_a.py",
                Some(origin(Some("step_1"), Some("engineer"), 3)),
            ),
            ("2.pdf", Some(origin(Some("step_2"), None, 6))),
            ("x", None),
        ] {
            assert_eq!(files.origin(name), expected.as_ref(), "{name}");
        }
    }

    #[test]
    fn the_answer_is_the_last_message_of_an_agent_and_names_its_file() {
        let result = json!({"event_type": "result", "data": {
            "execution_time": 1.0, "session_id": Uuid::from_u128(1), "mode": "one-shot",
            "summary": "the summary", "chat_history": [], "final_context": {}, "artifacts": [],
        }});
        let files = fold(&[
            running("step_1"),
            says("researcher", "first", None),
            says("engineer", "second", Some("b.py")),
            result.clone(),
        ]);
        let answer = files.answer().unwrap();
        assert_eq!(answer.text, "second\n\nFile: `b.py`\n");
        assert_eq!(answer.origin, origin(Some("step_1"), Some("engineer"), 3));
        assert_eq!(answer.at, Timestamp::from_micros(3).unwrap());
        assert_eq!(fold(&[result]).answer().unwrap().text, "the summary");
        assert_eq!(fold(&[running("a")]).answer(), None);
    }
}
