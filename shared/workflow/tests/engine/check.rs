//! What must be true of a log, whatever happened.

use std::collections::BTreeMap;

use session::{
    DagNode, Envelope, EventBody, Mode, NodeStatus, Phase, Recorded, RunId, RunStatus, Seq,
    SessionStatus,
};

use crate::world::World;

/// Of any log, at any time.
pub fn so_far(world: &World) {
    let seqs = world.log.iter().map(|envelope| envelope.seq.unwrap());
    assert!(seqs.eq((1..=world.log.len() as u64).map(Seq)), "a gap");
    assert_eq!(world.state.last_seq.0, world.log.len() as u64);
    let mut tellers: BTreeMap<RunId, Teller> = BTreeMap::new();
    for (run, body) in bodies(&world.log) {
        tellers.entry(run).or_default().hear(body);
    }
    let run = world.run();
    let teller = &tellers[&run.id];
    assert_eq!(teller.endings > 0, run.status.is_final());
    assert_eq!(teller.started, run.started_at.is_some());
    steps_are_told_once(&world.log);
    // A plan, two rounds of review, four steps; or one answer.
    let planned = world.state.mode == Mode::PlanningControl;
    let said =
        bodies(&world.log).filter(|(_, body)| matches!(body, EventBody::AgentMessage { .. }));
    assert!(
        said.count() <= if planned { 9 } else { 1 },
        "something was said twice"
    );
    assert_ne!(world.state.status, SessionStatus::Expired);
}

/// Of a run whose troubles were over.
pub fn at_the_end(world: &World, steps: usize) {
    let run = world.run();
    if run.status != RunStatus::Completed {
        return;
    }
    let mut teller = Teller::default();
    for (id, body) in bodies(&world.log) {
        if id == run.id {
            teller.hear(body);
        }
    }
    assert_eq!(teller.results, 1);
    assert_eq!(world.state.phase, Phase::Completed);
    for node in teller.nodes.values() {
        assert_eq!(node.status, NodeStatus::Completed, "{}", node.id);
    }
    let done =
        bodies(&world.log).filter(|(_, body)| matches!(body, EventBody::StepComplete { .. }));
    let planned = world.state.mode == Mode::PlanningControl;
    assert_eq!(done.count(), if planned { steps } else { 0 });
    let memory = world.memory();
    assert_eq!(memory.done().len(), if planned { steps } else { 0 });
}

/// The steps of a plan are completed in their order, each once, also over several runs.
fn steps_are_told_once(log: &[Envelope]) {
    let mut last = 0;
    let mut plans = 0;
    for (_, body) in bodies(log) {
        match body {
            EventBody::PlanningComplete { .. } => plans += 1,
            EventBody::StepComplete { step_number, .. } => {
                assert_eq!(*step_number, last + 1, "a step was lost or doubled");
                last = *step_number;
            }
            _ => {}
        }
    }
    assert!(plans <= 1, "a plan that stands is kept");
}

fn bodies(log: &[Envelope]) -> impl Iterator<Item = (RunId, &EventBody)> {
    log.iter().filter_map(|envelope| match &envelope.body {
        Recorded::Known(body) => Some((envelope.run_id?, body)),
        Recorded::Unknown { .. } => None,
    })
}

/// What a client makes of one run's events.
#[derive(Default)]
struct Teller {
    started: bool,
    endings: u32,
    results: u32,
    cost: f64,
    phase: Option<(Phase, Option<u32>)>,
    nodes: BTreeMap<String, DagNode>,
}

impl Teller {
    fn hear(&mut self, body: &EventBody) {
        match body {
            EventBody::WorkflowStarted { .. } => {
                assert!(!self.started, "a run starts once");
                self.started = true;
            }
            EventBody::DagCreated { dag, .. } | EventBody::DagUpdated { dag, .. } => {
                for node in &dag.nodes {
                    if let Some(known) = self.nodes.get(&node.id) {
                        assert_eq!(known.status, node.status);
                    }
                    self.nodes.insert(node.id.clone(), node.clone());
                }
            }
            EventBody::PhaseChange { phase, step_number } => {
                let told = Some((*phase, *step_number));
                assert_ne!(self.phase, told, "a change is a change");
                self.phase = told;
            }
            EventBody::DagNodeStatusChanged {
                node_id,
                old_status,
                new_status,
            } => {
                let node = self.nodes.get_mut(node_id).unwrap();
                assert_eq!(node.status, *old_status, "{node_id}");
                node.status = *new_status;
            }
            EventBody::CostUpdate {
                cost_usd,
                total_cost_usd,
                ..
            } => {
                self.cost += cost_usd.unwrap();
                assert!((self.cost - total_cost_usd).abs() < 1e-9);
            }
            EventBody::Result { .. } => self.results += 1,
            EventBody::Complete { .. }
            | EventBody::WorkflowFailed { .. }
            | EventBody::WorkflowCancelled { .. } => self.endings += 1,
            _ => {}
        }
        let running = self
            .nodes
            .values()
            .filter(|node| node.status == NodeStatus::Running);
        assert!(running.count() <= 1, "one thing at a time");
        assert!(self.endings <= 1, "a run ends once");
    }
}
