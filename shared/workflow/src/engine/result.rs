//! The `result` event of a run: the part of the record that a client needs at the end.

use serde_json::{Value, json};
use session::{ArtifactLink, EventBody, Message, Next, Progress, Timestamp};

use super::{Engine, progress_builder::ProgressBuilder};
use crate::clip::clip_chars;

/// A result and its envelope are one frame of at most 128 KB; the oldest messages of a chat are
/// left out if they do not fit.
const MAX_RESULT_BYTES: usize = 120 * 1024;

/// The most characters of a step's goal and summary in a result: fifty steps fit a frame.
const GOAL_CHARS: usize = 100;
const SUMMARY_CHARS: usize = 300;

impl Engine<'_> {
    pub(crate) fn finish(&self, now: Timestamp) -> Progress {
        let chat: Vec<Message> = self.history.chat.iter().cloned().collect();
        let oldest = (0..chat.len())
            .find(|&from| self.result_with(&chat[from..], now).1 <= MAX_RESULT_BYTES)
            .unwrap_or(chat.len());
        let (result, _) = self.result_with(&chat[oldest..], now);
        ProgressBuilder::on(self).build(Next::Complete(Box::new(result)))
    }

    /// The result with these messages, and its length as JSON.
    fn result_with(&self, chat: &[Message], now: Timestamp) -> (EventBody, usize) {
        let began = self.run.started_at.unwrap_or(now);
        let artifacts = self.history.artifacts.iter();
        let result = EventBody::Result {
            execution_time: now.since(began).as_secs_f64(),
            session_id: self.state.session_id,
            mode: self.state.mode,
            summary: self.summary(),
            chat_history: chat.to_vec(),
            final_context: self.final_context(),
            artifacts: artifacts
                .map(|name| ArtifactLink {
                    name: name.clone(),
                    url: None,
                })
                .collect(),
        };
        let bytes = serde_json::to_string(&result).map_or(0, |text| text.len());
        (result, bytes)
    }

    /// The summary of each step; for a run without steps, the beginning of its answer.
    fn summary(&self) -> String {
        if self.history.done.is_empty() {
            return self.history.last_answer().to_owned();
        }
        let lines: Vec<String> = (self.history.done.iter())
            .map(|(number, step)| format!("{number}. {}", clip_chars(&step.summary, SUMMARY_CHARS)))
            .collect();
        lines.join("\n")
    }

    fn final_context(&self) -> Value {
        let steps: Vec<Value> = (self.history.done.iter())
            .map(|(number, step)| json!({"step_number": number, "goal": clip_chars(&step.sub_task, GOAL_CHARS)}))
            .collect();
        json!({
            "steps": steps,
            "total_tokens": self.run.tokens,
            "total_cost_usd": self.run.cost_usd,
        })
    }
}
