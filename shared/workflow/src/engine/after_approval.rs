//! What follows from an answered approval: the transitions after every checkpoint.
//!
//! `reject` and `abort` do not come here: `session` ends the run when they are given.

use session::{EventBody, NodeStatus, Position, Progress, Stage};

use super::{Engine, check::plan_of, graph, progress_builder::ProgressBuilder};
use crate::history::ReceivedAnswer;

impl Engine<'_> {
    /// The answer that no stage has used yet.
    pub(crate) fn given(&self) -> Option<&ReceivedAnswer> {
        let (seq, given) = self.memory.given.as_ref()?;
        (self.run.answer == Some(*seq)).then_some(given)
    }

    /// What follows from an answer at the current checkpoint.
    pub(crate) fn after_person(&self, given: &ReceivedAnswer) -> Progress {
        let mut entry = ProgressBuilder::on(self);
        let (at, plan) = (self.run.position, self.memory.plan.as_slice());
        match (at.stage, given.resolution.as_str()) {
            (Stage::ApprovePlan, "approve") => self.plan_stands(entry, &self.memory.draft),
            (Stage::ApprovePlan, "modify") => {
                match plan_of(self.settings, given.modifications.as_ref()) {
                    Ok(plan) => self.plan_stands(entry, &plan),
                    Err(error) => entry.misfit(&error.to_string()),
                }
            }
            (Stage::ApprovePlan, "revise") => {
                entry.note("The planner revises the plan.");
                // After the last review, because no agent reviews this revision.
                entry.go(self.at(Stage::Revise, self.settings.plan_reviews), &[])
            }
            (Stage::BeforeStep, "skip") => {
                entry.node(at, NodeStatus::Pending, NodeStatus::Skipped);
                self.next_step(entry)
            }
            (Stage::OnError, "skip") => {
                entry.node(at, NodeStatus::Failed, NodeStatus::Skipped);
                self.next_step(entry)
            }
            (Stage::AfterStep, "continue") => self.next_step(entry),
            (Stage::BeforeStep, "approve")
            | (Stage::AfterStep, "redo")
            | (Stage::OnError, "retry") => entry.go(self.step_at(Stage::Step, at.step), plan),
            (Stage::ChooseIdea, _) => {
                entry.note("The idea is chosen.");
                self.begin_step(entry, at.step, plan)
            }
            (Stage::Clarify, "submit") | (Stage::Propose, "revise") => {
                entry.note("Copilot looks at the task again.");
                entry.go(self.at(Stage::Route, at.round + 1), &[])
            }
            (Stage::Propose, "approve") => self.plan_the_turn(entry),
            (Stage::Turn, "submit" | "continue") => self.next_turn(entry, given),
            (Stage::Turn, _) => entry.go(self.at(Stage::Finish, 0), plan),
            (_, resolution) => {
                let problem = format!("The answer `{resolution}` does not fit the question.");
                entry.misfit(&problem)
            }
        }
    }

    /// A turn after the first. Its graph begins anew and workers read the record from here on, so
    /// the artifacts of earlier turns are recorded again.
    fn next_turn(&self, mut entry: ProgressBuilder, given: &ReceivedAnswer) -> Progress {
        if !self.memory.artifacts.is_empty() {
            entry.push(EventBody::FilesUpdated {
                files_tracked: self.memory.artifacts.clone(),
            });
        }
        let first = Position {
            steps: 0,
            ..self.at(Stage::Route, 0)
        };
        entry.push(EventBody::DagUpdated {
            run_id: self.run.id,
            dag: graph::of(self, &[], first, NodeStatus::Pending),
        });
        let from = (given.resolution == "submit").then(|| self.memory.turn_from());
        entry.go_from(first, &[], from)
    }
}
