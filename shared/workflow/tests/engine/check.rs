//! Invariants of a log after any sequence of events.

use std::collections::BTreeMap;

use session::{
    DagNode, Envelope, EventBody, NodeStatus, Phase, RunId, RunStatus, Seq, SessionStatus,
    StoredEventBody,
};

use crate::world::World;

/// Invariants of every log at any time.
pub fn so_far(world: &World) {
    let seqs = world.log.iter().map(|envelope| envelope.seq.unwrap());
    assert!(
        seqs.eq((1..=world.log.len() as u64).map(Seq)),
        "the record has a gap"
    );
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
    questions_are_answered_once(&world.log);
    units_are_done_once(&world.log);
    assert_ne!(world.state.status, SessionStatus::Expired);
}

/// Invariants of a run that ended without further faults.
pub fn at_the_end(world: &World) {
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
        let settled = [NodeStatus::Completed, NodeStatus::Skipped].contains(&node.status);
        assert!(settled, "{} is {}", node.id, node.status);
    }
    let steps = teller
        .nodes
        .values()
        .filter(|node| node.step_number.is_some());
    let done = steps.filter(|node| node.status == NodeStatus::Completed);
    assert_eq!(
        world.memory().done().len(),
        done.count(),
        "a step's result was lost"
    );
}

/// The steps of a plan are completed in order and once, also over several runs, unless a person has
/// a step redone.
fn steps_are_told_once(log: &[Envelope]) {
    let (mut last, mut again) = (0, false);
    let (mut plans, mut turns) = (0, 1);
    for (_, body) in bodies(log) {
        match body {
            EventBody::PlanningComplete { .. } => {
                plans += 1;
                last = 0;
            }
            EventBody::StepComplete { step_number, .. } => {
                let expected = if again { last } else { last + 1 };
                assert_eq!(*step_number, expected, "a step was lost or doubled");
                (last, again) = (*step_number, false);
            }
            EventBody::DagNodeStatusChanged {
                new_status: NodeStatus::Skipped,
                ..
            } => last += 1,
            EventBody::ApprovalReceived(received) => match received.resolution.as_str() {
                "redo" => again = true,
                "submit" | "continue" => turns += 1,
                _ => {}
            },
            _ => {}
        }
    }
    assert!(plans <= turns, "a plan must be drafted once per turn");
}

/// The document tasks of a stage are completed in order and once.
fn units_are_done_once(log: &[Envelope]) {
    let mut next: BTreeMap<&str, u32> = BTreeMap::new();
    for (_, body) in bodies(log) {
        let EventBody::Output { message } = body else {
            continue;
        };
        let Some((stage, rest)) = message.split_once(": unit ") else {
            continue;
        };
        let unit: u32 = rest.trim_end_matches(" is done.").parse().unwrap();
        let expected = next.entry(stage).or_default();
        assert_eq!(unit, *expected, "a document task was lost or doubled");
        *expected += 1;
    }
}

/// Every answer is used. An approval is requested again only if a person sent the work back, did
/// not answer, or suspended the run.
fn questions_are_answered_once(log: &[Envelope]) {
    let mut answered: Option<(String, Option<String>)> = None;
    let mut asked: Option<(String, Option<String>)> = None;
    for (_, body) in bodies(log) {
        match body {
            EventBody::ApprovalRequested(request) => {
                let question = (request.checkpoint_type.clone(), request.step_id.clone());
                assert_ne!(answered.as_ref(), Some(&question), "an answer was lost");
                asked = Some(question);
            }
            EventBody::ApprovalReceived(received) => {
                let sent_back = [
                    "revise",
                    "redo",
                    "retry",
                    "submit",
                    "continue",
                    "expired",
                    "cancelled",
                ];
                let final_word = !sent_back.contains(&received.resolution.as_str());
                answered = asked.take().filter(|_| final_word);
            }
            EventBody::PlanningComplete { .. } | EventBody::StepComplete { .. } => answered = None,
            _ => {}
        }
    }
}

fn bodies(log: &[Envelope]) -> impl Iterator<Item = (RunId, &EventBody)> {
    log.iter().filter_map(|envelope| match &envelope.body {
        StoredEventBody::Known(body) => Some((envelope.run_id?, body)),
        StoredEventBody::Unknown { .. } => None,
    })
}

/// A client's view of one run's events.
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
                let anew = dag
                    .nodes
                    .iter()
                    .any(|node| node.id == "routing" && node.status == NodeStatus::Pending);
                for node in &dag.nodes {
                    if let Some(known) = self.nodes.get(&node.id).filter(|_| !anew) {
                        assert_eq!(known.status, node.status);
                    }
                }
                let nodes = dag.nodes.iter();
                self.nodes = nodes.map(|node| (node.id.clone(), node.clone())).collect();
            }
            EventBody::PhaseChange { phase, step_number } => {
                let told = Some((*phase, *step_number));
                assert_ne!(self.phase, told, "a phase change must change the phase");
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
                cost,
                total_cost_usd,
                ..
            } => {
                self.cost += cost.cost_usd;
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
        assert!(running.count() <= 1, "at most one node may be running");
        assert!(self.endings <= 1, "a run ends once");
    }
}
