//! A run's graph: a chain of nodes, of which those before the one that is worked on are done.

use session::{Dag, DagEdge, DagNode, NodeStatus, PlanStep, Position};

use crate::{Engine, Settings, agent, path::Node};

/// The graph of a run that is at a position whose node has this status. The steps of a plan that stands are part of it.
pub(crate) fn of(engine: &Engine, plan: &[PlanStep], at: Position, status: NodeStatus) -> Dag {
    let fixed = engine.path.nodes.iter();
    let nodes = fixed.map(|node| node.to_dag(engine.settings)).collect();
    chain(with_plan(nodes, plan), &at.node(), status)
}

fn with_plan(mut nodes: Vec<DagNode>, plan: &[PlanStep]) -> Vec<DagNode> {
    if plan.is_empty() {
        return nodes;
    }
    nodes.extend((1..).zip(plan).map(|(number, step)| DagNode {
        agent: Some(step.sub_task_agent.clone()),
        step_number: Some(number),
        goal: Some(step.sub_task.clone()),
        ..node(
            &format!("step_{number}"),
            &format!("Step {number}"),
            "agent",
        )
    }));
    nodes.push(node("terminator", "Result", "terminator"));
    nodes
}

fn chain(mut nodes: Vec<DagNode>, at: &str, status: NodeStatus) -> Dag {
    let here = nodes.iter().position(|node| node.id == at).unwrap_or(0);
    for (place, node) in nodes.iter_mut().enumerate() {
        node.status = match place.cmp(&here) {
            std::cmp::Ordering::Less => NodeStatus::Completed,
            std::cmp::Ordering::Equal => status,
            std::cmp::Ordering::Greater => NodeStatus::Pending,
        };
    }
    let edges = nodes
        .windows(2)
        .map(|pair| DagEdge {
            source: pair[0].id.clone(),
            target: pair[1].id.clone(),
        })
        .collect();
    let levels = nodes.iter().map(|node| vec![node.id.clone()]).collect();
    Dag {
        nodes,
        edges,
        levels,
    }
}

impl Node {
    fn to_dag(self, settings: &Settings) -> DagNode {
        match self {
            Self::Init => node("init", "Start", "init"),
            Self::Planning => DagNode {
                agent: Some(agent::PLANNER.into()),
                ..node("planning", "Planning", "planning")
            },
            Self::Execute => DagNode {
                agent: Some(settings.agent().into()),
                ..node("execute", "Answer", "agent")
            },
            Self::Terminator => node("terminator", "Result", "terminator"),
        }
    }
}

fn node(id: &str, label: &str, kind: &str) -> DagNode {
    DagNode {
        id: id.into(),
        label: label.into(),
        kind: kind.into(),
        agent: None,
        status: NodeStatus::Pending,
        step_number: None,
        goal: None,
    }
}
