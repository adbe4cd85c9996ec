//! The transitions after an answered approval, for every checkpoint.
//!
//! `reject` and `abort` never arrive here, because `session` ends the run with the answer.

use session::{EventBody, NodeStatus, Position, Progress, Stage, TrackedFiles};

use super::{Engine, check::plan_of, graph, progress_builder::ProgressBuilder};
use crate::history::ReceivedAnswer;

impl Engine<'_> {
    /// The answer that no stage has used yet.
    pub(crate) fn unused_answer(&self) -> Option<&ReceivedAnswer> {
        let (seq, answer) = self.history.answer.as_ref()?;
        (self.run.answer == Some(*seq)).then_some(answer)
    }

    /// The progress after an answer at the current checkpoint.
    pub(crate) fn after_approval(&self, answer: &ReceivedAnswer) -> Progress {
        let mut progress = ProgressBuilder::on(self);
        let (at, plan) = (self.run.position, self.history.plan.as_slice());
        match (at.stage, answer.resolution.as_str()) {
            (Stage::ApprovePlan, "approve") => self.plan_stands(progress, &self.history.draft),
            (Stage::ApprovePlan, "modify") => {
                match plan_of(self.settings, answer.modifications.as_ref()) {
                    Ok(plan) => self.plan_stands(progress, &plan),
                    Err(error) => progress.misfit(&error.to_string()),
                }
            }
            (Stage::ApprovePlan, "revise") => {
                progress.line("The planner revises the plan.");
                // After the last review, because no agent reviews this revision.
                progress.advance(self.at(Stage::Revise, self.settings.plan_reviews), &[])
            }
            (Stage::BeforeStep, "skip") => {
                progress.node_status(at, NodeStatus::Pending, NodeStatus::Skipped);
                self.next_step(progress)
            }
            (Stage::OnError, "skip") => {
                progress.node_status(at, NodeStatus::Failed, NodeStatus::Skipped);
                self.next_step(progress)
            }
            (Stage::AfterStep, "continue") => self.next_step(progress),
            (Stage::BeforeStep, "approve")
            | (Stage::AfterStep, "redo")
            | (Stage::OnError, "retry") => {
                progress.advance(self.step_at(Stage::Step, at.step), plan)
            }
            (Stage::ChooseIdea, _) => {
                progress.line("The idea is chosen.");
                self.begin_step(progress, at.step, plan)
            }
            (Stage::Clarify, "submit") | (Stage::Propose, "revise") => {
                progress.line("Copilot looks at the task again.");
                progress.advance(self.at(Stage::Route, at.round + 1), &[])
            }
            (Stage::Propose, "approve") => self.plan_the_turn(progress),
            (Stage::Turn, "submit" | "continue") => self.next_turn(progress, answer),
            (Stage::Turn, _) => progress.advance(self.at(Stage::Finish, 0), plan),
            (_, resolution) => {
                let problem = format!("The answer `{resolution}` does not fit the question.");
                progress.misfit(&problem)
            }
        }
    }

    /// A turn after the first. Its graph begins anew and workers read the record from here on, so
    /// the artifacts of earlier turns are recorded again.
    fn next_turn(&self, mut progress: ProgressBuilder, answer: &ReceivedAnswer) -> Progress {
        if !self.history.artifacts.is_empty() {
            let files = self.history.artifacts.clone();
            progress.push(EventBody::FilesUpdated(TrackedFiles::new(files, None)));
        }
        let first = Position {
            steps: 0,
            ..self.at(Stage::Route, 0)
        };
        progress.push(EventBody::DagUpdated {
            run_id: self.run.id,
            dag: graph::of(self, &[], first, NodeStatus::Pending),
        });
        let from = (answer.resolution == "submit").then(|| self.history.turn_from());
        progress.advance_from(first, &[], from)
    }
}
