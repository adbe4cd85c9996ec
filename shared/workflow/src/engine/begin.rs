//! What the record tells when a run, and when a stage of it, begins.

use session::{
    DESCRIPTION_CHARS, EventBody, NodeStatus, Phase, PlanStep, Position, Stage, StageStart,
};

use super::{Engine, goal, graph};
use crate::{clip::clip_chars, history::PublishedStatus};

impl Engine<'_> {
    /// The opening of a slice, for `Command::TakeLease`: the run's own beginning where no worker was at it before, and
    /// that of its stage where the record does not tell it yet. `model` is the one that will answer, as it is shown.
    ///
    /// After a worker that was lost, the record tells it all already: the events are empty.
    pub fn open(&self, model: &str) -> StageStart {
        let (at, plan) = (self.position(), &self.memory.plan);
        if self.run.started_at.is_some() {
            return self.begin(at, plan, &self.memory.told);
        }
        let mut begin = self.begin(at, plan, &PublishedStatus::at_first());
        begin.events.splice(0..0, self.run_begins(at, model));
        begin
    }

    /// The beginning of a stage in a run that follows this plan: what its watchers, told so much, do not know yet.
    pub(crate) fn begin(
        &self,
        position: Position,
        plan: &[PlanStep],
        told: &PublishedStatus,
    ) -> StageStart {
        let (phase, step) = self.phase_and_step(position);
        let node_id = position.node();
        let mut events = Vec::new();
        if told.phase != Some((phase, step)) {
            events.push(EventBody::PhaseChange {
                phase,
                step_number: step,
            });
        }
        let status = told.status(&node_id);
        if !position.stage.asks() && status != NodeStatus::Running {
            events.push(EventBody::DagNodeStatusChanged {
                node_id,
                old_status: status,
                new_status: NodeStatus::Running,
            });
            events.extend(step_starts(position, plan));
        }
        StageStart {
            position,
            phase,
            step,
            events,
            history_from: None,
        }
    }

    fn run_begins(&self, at: Position, model: &str) -> [EventBody; 2] {
        let run_id = self.run.id;
        let dag = graph::of(self, self.standing_plan(), at, status_before(at.stage));
        [
            EventBody::WorkflowStarted {
                run_id,
                task_description: clip_chars(&self.memory.task(), DESCRIPTION_CHARS).to_owned(),
                mode: self.state.mode,
                agent: self.settings.agent().into(),
                model: model.to_owned(),
            },
            EventBody::DagCreated { run_id, dag },
        ]
    }

    /// The last step's number stays until the run has ended.
    fn phase_and_step(&self, position: Position) -> (Phase, Option<u32>) {
        let step = match position.stage {
            Stage::BeforeStep
            | Stage::Step
            | Stage::AfterStep
            | Stage::OnError
            | Stage::ChooseIdea => Some(position.step),
            Stage::Finish if position.steps > 0 => Some(position.steps),
            _ => None,
        };
        let shown = step.filter(|_| self.path.shows_steps);
        (self.path.phase(position.stage), shown)
    }
}

/// What the node of a stage is when the run begins there. A run that takes over may begin with a question about work that is
/// under way, done, or failed.
const fn status_before(stage: Stage) -> NodeStatus {
    match stage {
        Stage::ApprovePlan | Stage::Clarify | Stage::Propose => NodeStatus::Running,
        Stage::AfterStep => NodeStatus::Completed,
        Stage::OnError => NodeStatus::Failed,
        _ => NodeStatus::Pending,
    }
}

fn step_starts(at: Position, plan: &[PlanStep]) -> Option<EventBody> {
    (at.stage == Stage::Step).then(|| EventBody::StepStart {
        step_number: at.step,
        goal: goal(plan, at),
    })
}
