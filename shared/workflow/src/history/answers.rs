//! Applies approvals and their answers to the history of a run.

use session::{EventBody, Seq};

use super::run_history::{DoneStep, LastPrompt, ReceivedAnswer, RunHistory};
use crate::modes::Checkpoint;

/// The resolution of a turn that expired: the conversation ends.
const DONE: &str = "done";

/// The remark of a `revise`, and the addition of a `continue`, without feedback.
const ANOTHER: &str = "The user wants another plan.";
const GO_ON: &str = "Go on from there.";

impl RunHistory {
    pub(super) fn apply_approval(&mut self, seq: Seq, body: &EventBody) {
        match body {
            EventBody::ApprovalRequested(request) => {
                self.prompt = Some(LastPrompt {
                    checkpoint: Checkpoint::of(&request.checkpoint_type),
                    step: self.published.phase.and_then(|(_, step)| step).unwrap_or(0),
                });
            }
            EventBody::ApprovalReceived(received) if received.is_answer() => {
                let answer = ReceivedAnswer {
                    resolution: received.resolution.clone(),
                    modifications: received.modifications.clone(),
                };
                let feedback = received.feedback.as_deref();
                self.apply_answer(seq, &received.resolution, feedback);
                self.answer = Some((seq, answer));
            }
            EventBody::ApprovalExpired { .. } => {
                let answer = ReceivedAnswer {
                    resolution: DONE.into(),
                    modifications: None,
                };
                self.answer = Some((seq, answer));
            }
            _ => {}
        }
    }

    /// Applies an answer to the briefs of later stages.
    fn apply_answer(&mut self, seq: Seq, resolution: &str, feedback: Option<&str>) {
        let Some(LastPrompt { checkpoint, step }) = self.prompt.take() else {
            return;
        };
        let feedback = feedback
            .map(str::trim)
            .filter(|feedback| !feedback.is_empty());
        let feedback = feedback.map(ToOwned::to_owned);
        // Feedback is an addition to the task unless it belongs to the decision itself.
        let addition = match (checkpoint, resolution) {
            (Some(Checkpoint::DuringPlanning), "revise") => {
                self.revisions += 1;
                self.remarks = vec![feedback.unwrap_or_else(|| ANOTHER.into())];
                None
            }
            (Some(Checkpoint::BeforeStep), "approve") | (Some(Checkpoint::OnError), "retry") => {
                self.step_feedback = feedback.map(|feedback| (step, feedback));
                None
            }
            (Some(Checkpoint::AfterStep), "redo") => {
                *self.redos.entry(step).or_default() += 1;
                self.step_feedback = feedback.map(|feedback| (step, feedback));
                None
            }
            (Some(Checkpoint::AfterIdeas), "custom") => {
                self.choice = feedback;
                None
            }
            (Some(Checkpoint::AfterIdeas), option) => {
                self.choice = self.idea(option);
                feedback
            }
            (Some(Checkpoint::CopilotTurn), "submit") => {
                self.begin_turn(seq, feedback);
                None
            }
            (Some(Checkpoint::CopilotTurn), "continue") => {
                self.end_part();
                Some(feedback.unwrap_or_else(|| GO_ON.into()))
            }
            (Some(Checkpoint::Clarification), "submit") => Some(format!(
                "Asked: {}\nAnswered: {}",
                self.routing,
                feedback.unwrap_or_default()
            )),
            (Some(Checkpoint::Proposal), "approve") => {
                self.proposal.clone_from(&self.routing);
                feedback
            }
            (Some(Checkpoint::Budget), "continue") => {
                self.budget_raises += 1;
                feedback
            }
            _ => feedback,
        };
        self.additions.extend(addition);
    }

    fn idea(&self, option: &str) -> Option<String> {
        let number: usize = option.strip_prefix("option_")?.parse().ok()?;
        self.ideas.get(number.checked_sub(1)?).cloned()
    }

    /// The next task of a conversation. The plan and the steps of the previous one no longer count.
    fn begin_turn(&mut self, seq: Seq, feedback: Option<String>) {
        // The `user_message` of the task is the event right before the answer.
        self.turn_from = Seq(seq.0.saturating_sub(1));
        self.task = Some(feedback.unwrap_or_default());
        self.additions.clear();
        self.end_part();
        self.earlier_steps.clear();
    }

    /// Ends a part of a turn: its results stay known, its plan no longer counts.
    fn end_part(&mut self) {
        let done = std::mem::take(&mut self.done);
        if done.is_empty() {
            let summary = self.last_answer().to_owned();
            let sub_task = "The answer so far".into();
            self.earlier_steps.push(DoneStep { sub_task, summary });
        }
        self.earlier_steps.extend(done.into_values());
        self.draft.clear();
        self.plan.clear();
        self.remarks.clear();
        self.proposal.clear();
        self.routed_to = None;
    }
}
