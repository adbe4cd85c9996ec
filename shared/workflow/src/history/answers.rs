//! Applies approvals and their answers to the history of a run.

use session::{EventBody, Seq};

use super::run_history::{DoneStep, LastQuestion, ReceivedAnswer, RunHistory};
use crate::modes::Checkpoint;

/// The resolution of a turn that was not answered in time: the conversation is over.
const DONE: &str = "done";

/// The remark of a `revise`, and the addition of a `continue`, without feedback.
const ANOTHER: &str = "The user wants another plan.";
const GO_ON: &str = "Go on from there.";

impl RunHistory {
    pub(super) fn note_question(&mut self, seq: Seq, body: &EventBody) {
        match body {
            EventBody::ApprovalRequested(request) => {
                self.asked = Some(LastQuestion {
                    checkpoint: Checkpoint::of(&request.checkpoint_type),
                    step: self.told.phase.and_then(|(_, step)| step).unwrap_or(0),
                });
            }
            EventBody::ApprovalResolved {
                resolution,
                feedback,
                modifications,
                ..
            } => {
                let given = ReceivedAnswer {
                    resolution: resolution.clone(),
                    modifications: modifications.clone(),
                };
                self.note_answer(seq, resolution, feedback.as_deref());
                self.given = Some((seq, given));
            }
            EventBody::ApprovalExpired { .. } => {
                let given = ReceivedAnswer {
                    resolution: DONE.into(),
                    modifications: None,
                };
                self.given = Some((seq, given));
            }
            _ => {}
        }
    }

    /// Applies an answer to what later stages tell their agents.
    fn note_answer(&mut self, seq: Seq, resolution: &str, feedback: Option<&str>) {
        let Some(LastQuestion { checkpoint, step }) = self.asked.take() else {
            return;
        };
        let words = feedback.map(str::trim).filter(|words| !words.is_empty());
        let words = words.map(ToOwned::to_owned);
        // Feedback is an addition to the task unless it belongs to the decision itself.
        let addition = match (checkpoint, resolution) {
            (Some(Checkpoint::DuringPlanning), "revise") => {
                self.revisions += 1;
                self.remarks = vec![words.unwrap_or_else(|| ANOTHER.into())];
                None
            }
            (Some(Checkpoint::BeforeStep), "approve") | (Some(Checkpoint::OnError), "retry") => {
                self.words = words.map(|words| (step, words));
                None
            }
            (Some(Checkpoint::AfterStep), "redo") => {
                *self.redos.entry(step).or_default() += 1;
                self.words = words.map(|words| (step, words));
                None
            }
            (Some(Checkpoint::AfterIdeas), "custom") => {
                self.choice = words;
                None
            }
            (Some(Checkpoint::AfterIdeas), option) => {
                self.choice = self.idea(option);
                words
            }
            (Some(Checkpoint::CopilotTurn), "submit") => {
                self.begin_turn(seq, words);
                None
            }
            (Some(Checkpoint::CopilotTurn), "continue") => {
                self.end_part();
                Some(words.unwrap_or_else(|| GO_ON.into()))
            }
            (Some(Checkpoint::Clarification), "submit") => Some(format!(
                "Asked: {}\nAnswered: {}",
                self.routing,
                words.unwrap_or_default()
            )),
            (Some(Checkpoint::Proposal), "approve") => {
                self.proposal.clone_from(&self.routing);
                words
            }
            (Some(Checkpoint::Budget), "continue") => {
                self.raised += 1;
                words
            }
            _ => words,
        };
        self.additions.extend(addition);
    }

    fn idea(&self, option: &str) -> Option<String> {
        let number: usize = option.strip_prefix("option_")?.parse().ok()?;
        self.ideas.get(number.checked_sub(1)?).cloned()
    }

    /// The next task of a conversation: plan and steps of the last one no longer count.
    fn begin_turn(&mut self, seq: Seq, words: Option<String>) {
        // The `user_message` of the task is the event right before the answer.
        self.turn_from = Seq(seq.0.saturating_sub(1));
        self.task = Some(words.unwrap_or_default());
        self.additions.clear();
        self.end_part();
        self.before.clear();
    }

    /// Ends a part of a turn: its results stay known, its plan no longer counts.
    fn end_part(&mut self) {
        let done = std::mem::take(&mut self.done);
        if done.is_empty() {
            let summary = self.last_answer().to_owned();
            let sub_task = "The answer so far".into();
            self.before.push(DoneStep { sub_task, summary });
        }
        self.before.extend(done.into_values());
        self.draft.clear();
        self.plan.clear();
        self.remarks.clear();
        self.proposal.clear();
        self.routed_to = None;
    }
}
