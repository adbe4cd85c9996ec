//! The events that begin a run and each of its stages.

use session::{
    DESCRIPTION_CHARS, EventBody, NodeStatus, Phase, PlanStep, Position, Stage, StageStart,
};

use super::{Engine, goal, graph};
use crate::{clip::clip_chars, history::PublishedStatus};

impl Engine<'_> {
    /// The beginning of a slice, for `Command::TakeLease`: the events that begin the run, if no
    /// worker has begun it, and those of its stage that the record does not hold yet. `model` is
    /// the model of the run as clients see it.
    ///
    /// After a lost worker the record holds them all, and the events are empty.
    pub fn open(&self, model: &str) -> StageStart {
        let (at, plan) = (self.position(), &self.history.plan);
        if self.run.started_at.is_some() {
            return self.begin(at, plan, &self.history.published);
        }
        let mut begin = self.begin(at, plan, &PublishedStatus::initial());
        begin.events.splice(0..0, self.run_begins(at, model));
        begin
    }

    /// The beginning of a stage in a run that follows this plan: the changes to what the record
    /// shows.
    pub(crate) fn begin(
        &self,
        position: Position,
        plan: &[PlanStep],
        published: &PublishedStatus,
    ) -> StageStart {
        let (phase, step) = self.phase_and_step(position);
        let node_id = position.node();
        let mut events = Vec::new();
        if published.phase != Some((phase, step)) {
            events.push(EventBody::PhaseChange {
                phase,
                step_number: step,
            });
        }
        let status = published.status(&node_id);
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
                task_description: clip_chars(&self.history.task(), DESCRIPTION_CHARS).to_owned(),
                mode: self.state.mode,
                agent: self.settings.agent().into(),
                model: model.to_owned(),
            },
            EventBody::DagCreated { run_id, dag },
        ]
    }

    /// The number of the last step stays until the run has ended.
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
        let shown = step.filter(|_| self.spec.shows_steps);
        (self.spec.phase(position.stage), shown)
    }
}

/// The status of a stage's node when the run begins there. A run that takes over a failed one may
/// begin at a checkpoint about a stage that is running, completed or failed.
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
