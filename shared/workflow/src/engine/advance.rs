//! The transitions of every mode after the outcome of a stage.

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
    /// The progress after the outcome of [`Work::Ask`](crate::Work::Ask) or
    /// [`Work::DocumentTask`](crate::Work::DocumentTask), for `Command::Commit`.
    pub fn advance(&self, outcome: &Outcome, now: Timestamp) -> Progress {
        match outcome {
            Outcome::Failure(failed) => self.after_failure(failed),
            Outcome::Answer(answer) => self.after_answer(answer, now),
            Outcome::DocumentTask(result) => self.after_document_task(result),
        }
    }

    /// A retryable failure is retried in a later message, up to `maxAttempts`. A run without budget
    /// is retried too, and reaches the budget check before the next call.
    fn after_failure(&self, failed: &StageFailure) -> Progress {
        let mut progress = ProgressBuilder::on(self);
        progress.costs(&failed.usages);
        let tries_left = self.run.position.tries + 1 < self.settings.max_attempts;
        if (failed.retryable && tries_left) || self.is_spent(progress.cost_usd()) {
            return progress.build(Next::RetryLater {
                calls: failed.calls,
            });
        }
        self.failed(
            progress,
            RunFailure {
                error: failed.error.clone(),
                code: failed.code.clone(),
                error_type: failed.error_type.clone(),
            },
        )
    }

    /// A failed step waits at `on_error` if that checkpoint is on; any other failure ends the run.
    fn failed(&self, mut progress: ProgressBuilder, failure: RunFailure) -> Progress {
        let at = self.run.position;
        if at.stage != Stage::Step || !self.settings.checkpoints.on_error {
            return progress.fail(failure);
        }
        progress.node_status(at, NodeStatus::Running, NodeStatus::Failed);
        progress.push(EventBody::StepFailed {
            step_number: at.step,
            error: failure.error,
        });
        progress.advance(self.step_at(Stage::OnError, at.step), &self.history.plan)
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
        let mut progress = ProgressBuilder::on(self);
        progress.answer(answer);
        progress.node_done();
        self.work_is_done(progress)
    }

    /// All steps are done. A conversation waits at `copilot_turn`.
    fn work_is_done(&self, progress: ProgressBuilder) -> Progress {
        let last = match self.settings.checkpoints.copilot_turn {
            true => Stage::Turn,
            false => Stage::Finish,
        };
        progress.advance(self.at(last, 0), self.standing_plan())
    }

    /// Copilot's decision. In the last round a clarification or a proposal becomes an answer.
    fn routed(&self, answer: &AgentAnswer, route: &Route) -> Progress {
        if !agent::WORKERS.contains(&route.agent.as_str()) {
            return self.misfit(
                answer,
                "The task was given to an agent that does not exist.",
            );
        }
        let mut progress = ProgressBuilder::on(self);
        progress.answer(answer);
        let round = self.run.position.round;
        match route.kind {
            RouteKind::Clarify if self.may_ask() => {
                progress.advance(self.at(Stage::Clarify, round), &[])
            }
            RouteKind::Propose if self.may_ask() => {
                progress.advance(self.at(Stage::Propose, round), &[])
            }
            RouteKind::Planned => self.plan_the_turn(progress),
            _ => {
                progress.node_done();
                progress.advance(self.at(Stage::Answer, 0), &[])
            }
        }
    }

    /// The turn follows a plan; the graph gets a node for the planning.
    pub(crate) fn plan_the_turn(&self, mut progress: ProgressBuilder) -> Progress {
        progress.node_done();
        let plan = self.at(Stage::Plan, 0);
        progress.push(EventBody::DagUpdated {
            run_id: self.run.id,
            dag: graph::of(self, &[], plan, NodeStatus::Pending),
        });
        progress.advance(plan, &[])
    }

    fn drafted(&self, answer: &AgentAnswer, plan: &[PlanStep]) -> Progress {
        if let Err(problem) = check_plan(self.settings, plan) {
            return self.misfit(answer, &problem);
        }
        let mut progress = ProgressBuilder::on(self);
        progress.answer(answer);
        let round = self.run.position.round + 1;
        if round > self.settings.plan_reviews {
            return self.plan_is_ready(progress, plan);
        }
        progress.advance(self.at(Stage::Review, round), &[])
    }

    /// A review without remarks ends the planning, because there is nothing to revise.
    fn reviewed(&self, answer: &AgentAnswer, remarks: &[String]) -> Progress {
        let mut progress = ProgressBuilder::on(self);
        progress.answer(answer);
        if remarks.is_empty() {
            return self.plan_is_ready(progress, &self.history.draft);
        }
        progress.advance(self.at(Stage::Revise, self.run.position.round), &[])
    }

    fn plan_is_ready(&self, progress: ProgressBuilder, plan: &[PlanStep]) -> Progress {
        match self.settings.checkpoints.during_planning {
            true => progress.advance(self.at(Stage::ApprovePlan, self.run.position.round), &[]),
            false => self.plan_stands(progress, plan),
        }
    }

    pub(crate) fn plan_stands(&self, mut progress: ProgressBuilder, plan: &[PlanStep]) -> Progress {
        let steps = u32::try_from(plan.len()).unwrap_or(u32::MAX);
        progress.push(EventBody::PlanningComplete {
            num_steps: steps,
            steps: plan.to_vec(),
        });
        progress.push(EventBody::DagUpdated {
            run_id: self.run.id,
            dag: graph::of(self, plan, self.position(), NodeStatus::Running),
        });
        progress.node_done();
        progress.steps = steps;
        self.begin_step(progress, 1, plan)
    }

    fn step_done(&self, answer: &AgentAnswer, now: Timestamp) -> Progress {
        let (at, plan) = (self.run.position, &self.history.plan);
        let began = self.history.step_started.unwrap_or(now);
        let mut progress = ProgressBuilder::on(self);
        progress.answer(answer);
        progress.push(EventBody::StepComplete {
            step_number: at.step,
            goal: goal(plan, at),
            summary: clip(&answer.summary, MAX_SUMMARY_BYTES).to_owned(),
            execution_time: now.since(began).as_secs_f64(),
        });
        progress.node_done();
        match self.settings.checkpoints.after_step {
            true => progress.advance(self.step_at(Stage::AfterStep, at.step), plan),
            false => self.next_step(progress),
        }
    }

    /// The progress after the current step.
    pub(crate) fn next_step(&self, progress: ProgressBuilder) -> Progress {
        let at = self.run.position;
        if at.step >= at.steps {
            return self.work_is_done(progress);
        }
        let next = at.step + 1;
        // The last step develops an idea. The idea is chosen before the step's own approval.
        let chosen = self.history.choice.is_some() || !self.settings.checkpoints.after_ideas;
        match next == at.steps && !chosen {
            true => progress.advance(self.step_at(Stage::ChooseIdea, next), &self.history.plan),
            false => self.begin_step(progress, next, &self.history.plan),
        }
    }

    /// A step of this plan, or its `before_step` checkpoint.
    pub(crate) fn begin_step(
        &self,
        progress: ProgressBuilder,
        number: u32,
        plan: &[PlanStep],
    ) -> Progress {
        let stage = match self.settings.checkpoints.before_step {
            true => Stage::BeforeStep,
            false => Stage::Step,
        };
        let steps = progress.steps;
        let first = Position {
            steps,
            ..self.step_at(stage, number)
        };
        progress.advance(first, plan)
    }

    /// An answer that cannot be used is recorded with its costs, and fails its stage.
    fn misfit(&self, answer: &AgentAnswer, problem: &str) -> Progress {
        let mut progress = ProgressBuilder::on(self);
        progress.costs(&answer.usages);
        self.failed(progress, misfit(problem))
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
            calls: 0,
            begun: false,
        }
    }
}
