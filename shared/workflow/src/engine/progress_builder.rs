//! Builds the content of one commit: the events of a stage, then the beginning of the next.

use session::{
    EventBody, Next, NodeStatus, PlanStep, Position, Progress, Role, RunFailure, Seq, StageStart,
    TrackedFiles, plus_usd,
};

use super::{AgentAnswer, Engine, Usage};
use crate::{
    clip::clip_message,
    history::{PublishedStatus, with_artifact},
};

pub(crate) struct ProgressBuilder<'a> {
    engine: &'a Engine<'a>,
    published: PublishedStatus,
    work: Vec<EventBody>,
    cost_usd: f64,
    tokens: u64,
    /// The number of steps of the plan from here on.
    pub steps: u32,
}

impl<'a> ProgressBuilder<'a> {
    pub fn on(engine: &'a Engine<'a>) -> Self {
        Self {
            engine,
            published: engine.history.published.clone(),
            work: Vec::new(),
            cost_usd: 0.0,
            tokens: 0,
            steps: engine.run.position.steps,
        }
    }

    pub fn push(&mut self, body: EventBody) {
        self.published.apply(&body);
        self.work.push(body);
    }

    /// An `output` event; a commit that changes the position has at least one event.
    pub fn line(&mut self, message: &str) {
        self.push(EventBody::Output {
            message: message.into(),
        });
    }

    /// The message of an answer, its artifact and its costs.
    pub fn answer(&mut self, answer: &AgentAnswer) {
        self.push(EventBody::AgentMessage {
            agent: self.engine.agent().unwrap_or_default().to_owned(),
            role: Role::Assistant,
            message: clip_message(&answer.message).to_owned(),
            artifact: answer.artifact.clone(),
            structured_output: answer.content.made(),
        });
        if let Some(name) = answer.artifact.as_deref() {
            self.files(with_artifact(&self.engine.history.artifacts, Some(name)));
        }
        self.costs(&answer.usages);
    }

    /// The files of the run, of which the stage's node stored the newest.
    pub fn files(&mut self, files: Vec<String>) {
        let node = self.engine.position().node();
        self.push(EventBody::FilesUpdated(TrackedFiles::new(
            files,
            Some(node),
        )));
    }

    /// A `cost_update` for each model answer.
    pub fn costs(&mut self, usages: &[Usage]) {
        for usage in usages {
            let tokens = usage.input_tokens + usage.output_tokens;
            self.cost_usd = plus_usd(self.cost_usd, usage.cost_usd.unwrap_or(0.0));
            self.tokens += tokens;
            self.push(EventBody::CostUpdate {
                run_id: self.engine.run.id,
                agent: self.engine.agent().unwrap_or_default().to_owned(),
                step_id: Some(self.engine.position().node()),
                model: usage.model.clone(),
                tokens,
                input_tokens: usage.input_tokens,
                output_tokens: usage.output_tokens,
                cost: usage.cost_usd.into(),
                total_cost_usd: plus_usd(self.engine.run.cost_usd, self.cost_usd),
                estimated: usage.estimated,
            });
        }
    }

    /// The costs so far in US dollars.
    pub const fn cost_usd(&self) -> f64 {
        self.cost_usd
    }

    /// The stage's node is done.
    pub fn node_done(&mut self) {
        let at = self.engine.position();
        self.node_status(at, NodeStatus::Running, NodeStatus::Completed);
    }

    /// The node of a position changes.
    pub fn node_status(&mut self, at: Position, old_status: NodeStatus, new_status: NodeStatus) {
        self.push(EventBody::DagNodeStatusChanged {
            node_id: at.node(),
            old_status,
            new_status,
        });
    }

    /// The run continues at this position with this plan.
    pub fn advance(self, position: Position, plan: &[PlanStep]) -> Progress {
        self.advance_from(position, plan, None)
    }

    /// The same; workers then read the record from `history_from` on.
    pub fn advance_from(
        self,
        position: Position,
        plan: &[PlanStep],
        history_from: Option<Seq>,
    ) -> Progress {
        let begin = StageStart {
            history_from,
            ..self.engine.begin(position, plan, &self.published)
        };
        self.build(Next::Advance(begin))
    }

    /// The run fails because an answer cannot be used.
    pub fn misfit(self, problem: &str) -> Progress {
        self.fail(misfit(problem))
    }

    pub fn fail(self, failure: RunFailure) -> Progress {
        self.build(Next::Fail(failure))
    }

    pub fn build(self, next: Next) -> Progress {
        Progress {
            at: self.engine.run.position,
            work: self.work,
            cost_usd: self.cost_usd,
            tokens: self.tokens,
            next,
        }
    }
}

/// The failure of an answer, to a request or to an approval, that cannot be used.
pub(super) fn misfit(problem: &str) -> RunFailure {
    RunFailure {
        error: problem.to_owned(),
        code: "answer_misfit".into(),
        error_type: "AnswerMisfit".into(),
    }
}
