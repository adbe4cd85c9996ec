//! What follows from the outcome of a stage: the transitions of every mode.

use session::{
    EventBody, Next, NodeStatus, PlanStep, Position, Progress, Route, RouteKind, RunFailure, Stage,
    Timestamp,
};

use super::{
    AgentAnswer, AnswerContent, Engine, Outcome, StageFailure,
    check::check_plan,
    goal, graph,
    progress_builder::{ProgressBuilder, misfit},
};
use crate::{clip::clip, modes::agent};

/// The most bytes of a summary that are kept; the prompts ask for far less.
const MAX_SUMMARY_BYTES: usize = 8 * 1024;

impl Engine<'_> {
    /// What follows from the outcome of [`Work::Ask`](crate::Work::Ask) or
    /// [`Work::DocumentTask`](crate::Work::DocumentTask), for `Command::Commit`.
    pub fn advance(&self, outcome: &Outcome, now: Timestamp) -> Progress {
        match outcome {
            Outcome::Failure(failed) => self.after_failure(failed),
            Outcome::Answer(answer) => self.after_answer(answer, now),
            Outcome::DocumentTask(worked) => self.after_unit(worked),
        }
    }

    /// A retryable failure is tried again in a later message, up to `maxAttempts`. A run whose
    /// budget is spent is tried again too, and meets the budget before the next call.
    fn after_failure(&self, failed: &StageFailure) -> Progress {
        let mut entry = ProgressBuilder::on(self);
        entry.costs(&failed.usages);
        let tries_left = self.run.position.tries + 1 < self.settings.max_attempts;
        if (failed.retryable && tries_left) || self.is_spent(entry.cost_usd()) {
            return entry.then(Next::RetryLater);
        }
        self.failed(
            entry,
            RunFailure {
                error: failed.error.clone(),
                code: failed.code.clone(),
                error_type: failed.error_type.clone(),
            },
        )
    }

    /// A failed step waits at `on_error` if that checkpoint is on; any other failure ends the run.
    fn failed(&self, mut entry: ProgressBuilder, failure: RunFailure) -> Progress {
        let at = self.run.position;
        if at.stage != Stage::Step || !self.settings.asked.on_error {
            return entry.fail(failure);
        }
        entry.node(at, NodeStatus::Running, NodeStatus::Failed);
        entry.push(EventBody::StepFailed {
            step_number: at.step,
            error: failure.error,
        });
        entry.go(self.step_at(Stage::OnError, at.step), &self.memory.plan)
    }

    fn after_answer(&self, answer: &AgentAnswer, now: Timestamp) -> Progress {
        let stage = self.position().stage;
        match (stage, &answer.content) {
            (Stage::Plan | Stage::Revise, AnswerContent::Plan(plan)) => self.drafted(answer, plan),
            (Stage::Review, AnswerContent::Review(remarks)) => self.reviewed(answer, remarks),
            (Stage::Answer, AnswerContent::Report | AnswerContent::Program) => {
                self.answered(answer)
            }
            (
                Stage::Step,
                AnswerContent::Report | AnswerContent::Program | AnswerContent::Ideas(_),
            ) => self.step_done(answer, now),
            (Stage::Route, AnswerContent::Route(route)) => self.routed(answer, route),
            _ => self.misfit(
                answer,
                "The agent gave an answer of another kind than was asked for.",
            ),
        }
    }

    fn answered(&self, answer: &AgentAnswer) -> Progress {
        let mut entry = ProgressBuilder::on(self);
        entry.answer(answer);
        entry.node_done();
        self.work_is_done(entry)
    }

    /// All steps are done. A conversation waits at `copilot_turn`.
    fn work_is_done(&self, entry: ProgressBuilder) -> Progress {
        let last = match self.settings.asked.copilot_turn {
            true => Stage::Turn,
            false => Stage::Finish,
        };
        entry.go(self.at(last, 0), self.standing_plan())
    }

    /// Copilot's decision. In the last round a clarification or a proposal becomes an answer.
    fn routed(&self, answer: &AgentAnswer, route: &Route) -> Progress {
        if !agent::WORKERS.contains(&route.agent.as_str()) {
            return self.misfit(
                answer,
                "The task was given to an agent that does not exist.",
            );
        }
        let mut entry = ProgressBuilder::on(self);
        entry.answer(answer);
        let round = self.run.position.round;
        match route.kind {
            RouteKind::Clarify if self.may_ask() => entry.go(self.at(Stage::Clarify, round), &[]),
            RouteKind::Propose if self.may_ask() => entry.go(self.at(Stage::Propose, round), &[]),
            RouteKind::Planned => self.plan_the_turn(entry),
            _ => {
                entry.node_done();
                entry.go(self.at(Stage::Answer, 0), &[])
            }
        }
    }

    /// The turn follows a plan; the graph gets a node for the planning.
    pub(crate) fn plan_the_turn(&self, mut entry: ProgressBuilder) -> Progress {
        entry.node_done();
        let plan = self.at(Stage::Plan, 0);
        entry.push(EventBody::DagUpdated {
            run_id: self.run.id,
            dag: graph::of(self, &[], plan, NodeStatus::Pending),
        });
        entry.go(plan, &[])
    }

    fn drafted(&self, answer: &AgentAnswer, plan: &[PlanStep]) -> Progress {
        if let Err(problem) = check_plan(self.settings, plan) {
            return self.misfit(answer, &problem);
        }
        let mut entry = ProgressBuilder::on(self);
        entry.answer(answer);
        let round = self.run.position.round + 1;
        if round > self.settings.plan_reviews {
            return self.plan_is_ready(entry, plan);
        }
        entry.go(self.at(Stage::Review, round), &[])
    }

    /// A review without remarks ends the planning, because there is nothing to revise.
    fn reviewed(&self, answer: &AgentAnswer, remarks: &[String]) -> Progress {
        let mut entry = ProgressBuilder::on(self);
        entry.answer(answer);
        if remarks.is_empty() {
            return self.plan_is_ready(entry, &self.memory.draft);
        }
        entry.go(self.at(Stage::Revise, self.run.position.round), &[])
    }

    fn plan_is_ready(&self, entry: ProgressBuilder, plan: &[PlanStep]) -> Progress {
        match self.settings.asked.during_planning {
            true => entry.go(self.at(Stage::ApprovePlan, self.run.position.round), &[]),
            false => self.plan_stands(entry, plan),
        }
    }

    pub(crate) fn plan_stands(&self, mut entry: ProgressBuilder, plan: &[PlanStep]) -> Progress {
        let steps = u32::try_from(plan.len()).unwrap_or(u32::MAX);
        entry.push(EventBody::PlanningComplete {
            num_steps: steps,
            steps: plan.to_vec(),
        });
        entry.push(EventBody::DagUpdated {
            run_id: self.run.id,
            dag: graph::of(self, plan, self.position(), NodeStatus::Running),
        });
        entry.node_done();
        entry.steps = steps;
        self.begin_step(entry, 1, plan)
    }

    fn step_done(&self, answer: &AgentAnswer, now: Timestamp) -> Progress {
        let (at, plan) = (self.run.position, &self.memory.plan);
        let began = self.memory.step_started.unwrap_or(now);
        let mut entry = ProgressBuilder::on(self);
        entry.answer(answer);
        entry.push(EventBody::StepComplete {
            step_number: at.step,
            goal: goal(plan, at),
            summary: clip(&answer.summary, MAX_SUMMARY_BYTES).to_owned(),
            execution_time: now.since(began).as_secs_f64(),
        });
        entry.node_done();
        match self.settings.asked.after_step {
            true => entry.go(self.step_at(Stage::AfterStep, at.step), plan),
            false => self.next_step(entry),
        }
    }

    /// What follows the current step.
    pub(crate) fn next_step(&self, entry: ProgressBuilder) -> Progress {
        let at = self.run.position;
        if at.step >= at.steps {
            return self.work_is_done(entry);
        }
        let next = at.step + 1;
        // The last step works out an idea, which is chosen before the step's own approval.
        let chosen = self.memory.choice.is_some() || !self.settings.asked.after_ideas;
        match next == at.steps && !chosen {
            true => entry.go(self.step_at(Stage::ChooseIdea, next), &self.memory.plan),
            false => self.begin_step(entry, next, &self.memory.plan),
        }
    }

    /// A step of this plan, or its `before_step` checkpoint.
    pub(crate) fn begin_step(
        &self,
        entry: ProgressBuilder,
        number: u32,
        plan: &[PlanStep],
    ) -> Progress {
        let stage = match self.settings.asked.before_step {
            true => Stage::BeforeStep,
            false => Stage::Step,
        };
        let steps = entry.steps;
        let first = Position {
            steps,
            ..self.step_at(stage, number)
        };
        entry.go(first, plan)
    }

    /// An answer that cannot be used is recorded with its costs, and fails its stage.
    fn misfit(&self, answer: &AgentAnswer, problem: &str) -> Progress {
        let mut entry = ProgressBuilder::on(self);
        entry.costs(&answer.usages);
        self.failed(entry, misfit(problem))
    }

    /// A stage of a step that has not begun.
    pub(crate) const fn step_at(&self, stage: Stage, step: u32) -> Position {
        Position {
            step,
            ..self.at(stage, 0)
        }
    }

    /// A stage that has not begun; the steps of the plan stay known.
    pub(crate) const fn at(&self, stage: Stage, round: u32) -> Position {
        Position {
            stage,
            step: 0,
            steps: self.run.position.steps,
            round,
            tries: 0,
            begun: false,
        }
    }
}
