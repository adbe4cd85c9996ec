//! What follows from what came of a stage: the arrows of every mode's path.

use session::{
    EventBody, Failure, Next, NodeStatus, PlanStep, Position, Progress, Stage, Timestamp,
};

use crate::{
    Answer, Content, Engine, Failed, Outcome, clip::clip, engine::goal, entry::Entry, graph,
};

/// The most that a plan may take as JSON: its last draft is told three times in one commit (the message, the plan, the
/// graph), which must stay below the 400 KB of an item, and each of the three below the 128 KB of a frame. Whoever asks the
/// planner asks again for a plan above it; here a plan that came all the same fails.
const MAX_PLAN_BYTES: usize = 64 * 1024;

/// The most of a summary that is kept; agents are told to stay far below.
const MAX_SUMMARY_BYTES: usize = 8 * 1024;

impl Engine<'_> {
    /// What follows from the outcome of [`Work::Ask`](crate::Work::Ask), for `Command::Commit`.
    pub fn advance(&self, outcome: &Outcome, now: Timestamp) -> Progress {
        match outcome {
            Outcome::Failure(failed) => self.after_failure(failed),
            Outcome::Answer(answer) => self.after_answer(answer, now),
        }
    }

    /// A failure that may pass is tried again in a later message, as often as the client allows.
    fn after_failure(&self, failed: &Failed) -> Progress {
        let mut entry = Entry::on(self);
        entry.costs(&failed.usages);
        if failed.retryable && self.run.position.tries + 1 < self.settings.max_attempts {
            return entry.then(Next::Again);
        }
        entry.fail(Failure {
            error: failed.error.clone(),
            code: failed.code.clone(),
            error_type: failed.error_type.clone(),
        })
    }

    fn after_answer(&self, answer: &Answer, now: Timestamp) -> Progress {
        match (self.position().stage, &answer.content) {
            (Stage::Plan | Stage::Revise, Content::Plan(plan)) => self.drafted(answer, plan),
            (Stage::Review, Content::Review(remarks)) => self.reviewed(answer, remarks),
            (Stage::Answer, Content::Report | Content::Program) => self.answered(answer),
            (Stage::Step, Content::Report | Content::Program) => self.step_done(answer, now),
            _ => self.misfit(
                answer,
                "The agent gave an answer of another kind than was asked for.",
            ),
        }
    }

    fn answered(&self, answer: &Answer) -> Progress {
        let mut entry = Entry::on(self);
        entry.answer(answer, None);
        entry.node_done();
        entry.go(self.at(Stage::Finish, 0), &[])
    }

    fn drafted(&self, answer: &Answer, plan: &[PlanStep]) -> Progress {
        if let Err(problem) = self.check_plan(plan) {
            return self.misfit(answer, &problem);
        }
        let mut entry = Entry::on(self);
        entry.answer(answer, Some(plan));
        let round = self.run.position.round + 1;
        if round > self.settings.plan_reviews {
            return self.plan_stands(entry, plan);
        }
        entry.go(self.at(Stage::Review, round), &[])
    }

    /// A review without remarks ends the planning: there is nothing to revise, and nothing new to review.
    fn reviewed(&self, answer: &Answer, remarks: &[String]) -> Progress {
        let mut entry = Entry::on(self);
        entry.answer(answer, None);
        if remarks.is_empty() {
            return self.plan_stands(entry, &self.memory.draft);
        }
        entry.go(self.at(Stage::Revise, self.run.position.round), &[])
    }

    fn plan_stands(&self, mut entry: Entry, plan: &[PlanStep]) -> Progress {
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
        let first = Position {
            step: 1,
            steps,
            ..self.at(Stage::Step, 0)
        };
        entry.go(first, plan)
    }

    fn step_done(&self, answer: &Answer, now: Timestamp) -> Progress {
        let (at, plan) = (self.run.position, &self.memory.plan);
        let began = self.memory.step_started.unwrap_or(now);
        let mut entry = Entry::on(self);
        entry.answer(answer, None);
        entry.push(EventBody::StepComplete {
            step_number: at.step,
            goal: goal(plan, at),
            summary: clip(&answer.summary, MAX_SUMMARY_BYTES).to_owned(),
            execution_time: now.since(began).as_secs_f64(),
        });
        entry.node_done();
        if at.step >= at.steps {
            return entry.go(self.at(Stage::Finish, 0), plan);
        }
        let next = Position {
            step: at.step + 1,
            ..self.at(Stage::Step, 0)
        };
        entry.go(next, plan)
    }

    fn check_plan(&self, plan: &[PlanStep]) -> Result<(), String> {
        let most = self.settings.max_plan_steps;
        if plan.is_empty() || plan.len() > most as usize {
            return Err(format!(
                "The plan has {} steps instead of 1 to {most}.",
                plan.len()
            ));
        }
        let bytes = serde_json::to_string(plan).map_or(usize::MAX, |text| text.len());
        if bytes > MAX_PLAN_BYTES {
            return Err(format!(
                "The plan has {bytes} bytes; at most {MAX_PLAN_BYTES} fit."
            ));
        }
        Ok(())
    }

    /// An answer that cannot be used is paid for, and fails its stage.
    fn misfit(&self, answer: &Answer, problem: &str) -> Progress {
        let mut entry = Entry::on(self);
        entry.costs(&answer.usages);
        entry.fail(Failure {
            error: problem.to_owned(),
            code: "answer_misfit".into(),
            error_type: "AnswerMisfit".into(),
        })
    }

    /// A stage that has not begun; the steps of the plan stay known.
    const fn at(&self, stage: Stage, round: u32) -> Position {
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
