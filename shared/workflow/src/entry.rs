//! What one commit holds, in the making: what came of a stage, and then the beginning of the next.

use session::{EventBody, Failure, Made, Next, NodeStatus, PlanStep, Position, Progress, Role};

use crate::{
    Answer, Engine, MAX_MESSAGE_BYTES, Usage,
    clip::clip,
    memory::{Told, with_artifact},
};

pub(crate) struct Entry<'a> {
    engine: &'a Engine<'a>,
    told: Told,
    work: Vec<EventBody>,
    cost_usd: f64,
    tokens: u64,
}

impl<'a> Entry<'a> {
    pub fn on(engine: &'a Engine<'a>) -> Self {
        Self {
            engine,
            told: engine.memory.told.clone(),
            work: Vec::new(),
            cost_usd: 0.0,
            tokens: 0,
        }
    }

    pub fn push(&mut self, body: EventBody) {
        self.told.note(&body);
        self.work.push(body);
    }

    /// An answer's message, with its artifact and its costs.
    pub fn answer(&mut self, answer: &Answer, plan: Option<&[PlanStep]>) {
        self.push(EventBody::AgentMessage {
            agent: self.engine.agent().unwrap_or_default().to_owned(),
            role: Role::Assistant,
            message: clip(&answer.message, MAX_MESSAGE_BYTES).to_owned(),
            artifact: answer.artifact.clone(),
            made: plan.map(|plan| Made::Plan(plan.to_vec())),
        });
        if let Some(name) = answer.artifact.as_deref() {
            let files_tracked = with_artifact(&self.engine.memory.artifacts, Some(name));
            self.push(EventBody::FilesUpdated { files_tracked });
        }
        self.costs(&answer.usages);
    }

    /// A line of the ledger for each model answer.
    pub fn costs(&mut self, usages: &[Usage]) {
        for usage in usages {
            let tokens = usage.input_tokens + usage.output_tokens;
            self.cost_usd += usage.cost_usd.unwrap_or(0.0);
            self.tokens += tokens;
            self.push(EventBody::CostUpdate {
                run_id: self.engine.run.id,
                agent: self.engine.agent().unwrap_or_default().to_owned(),
                step_id: Some(self.engine.position().node()),
                model: usage.model.clone(),
                tokens,
                input_tokens: usage.input_tokens,
                output_tokens: usage.output_tokens,
                cost_usd: usage.cost_usd,
                total_cost_usd: self.engine.run.cost_usd + self.cost_usd,
            });
        }
    }

    /// The stage's node is done.
    pub fn node_done(&mut self) {
        self.push(EventBody::DagNodeStatusChanged {
            node_id: self.engine.position().node(),
            old_status: NodeStatus::Running,
            new_status: NodeStatus::Completed,
        });
    }

    /// The run goes on there, following this plan.
    pub fn go(self, position: Position, plan: &[PlanStep]) -> Progress {
        let begin = self.engine.begin(position, plan, &self.told);
        self.then(Next::Go(begin))
    }

    pub fn fail(self, failure: Failure) -> Progress {
        self.then(Next::Fail(failure))
    }

    pub fn then(self, next: Next) -> Progress {
        Progress {
            at: self.engine.run.position,
            work: self.work,
            cost_usd: self.cost_usd,
            tokens: self.tokens,
            next,
        }
    }
}
