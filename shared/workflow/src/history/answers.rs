//! What people were asked and what they answered, and what that means for those who work later.

use session::{EventBody, Seq};

use super::run_history::{DoneStep, LastQuestion, ReceivedAnswer, RunHistory};
use crate::modes::Checkpoint;

/// The resolution of a turn that was not answered in time: the conversation is over.
const DONE: &str = "done";

/// What a plan sent back without a word, and a turn continued without one, are told.
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

    /// What an answer means for what is told to agents later.
    fn note_answer(&mut self, seq: Seq, resolution: &str, feedback: Option<&str>) {
        let Some(LastQuestion { checkpoint, step }) = self.asked.take() else {
            return;
        };
        let words = feedback.map(str::trim).filter(|words| !words.is_empty());
        let words = words.map(ToOwned::to_owned);
        // What a person says beside an answer is an addition to the task, unless it belongs to what they decided about.
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

    /// A person's next task: what was planned and done for the last one is history.
    fn begin_turn(&mut self, seq: Seq, words: Option<String>) {
        // Their message stands right before their answer.
        self.turn_from = Seq(seq.0.saturating_sub(1));
        self.task = Some(words.unwrap_or_default());
        self.additions.clear();
        self.end_part();
        self.before.clear();
    }

    /// The same task goes on, or ends: what was done for it so far stays in sight, what was planned is over.
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
