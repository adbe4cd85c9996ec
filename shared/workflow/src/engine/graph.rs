//! A run's graph: a chain of nodes; those before the current one are done.

use session::{Dag, DagEdge, DagNode, NodeStatus, PlanStep, Position, Stage};

use super::Engine;
use crate::{
    history::PublishedStatus,
    modes::{Node, agent},
};

/// The graph of a run at a position whose node has this status, with the steps of its plan.
pub(crate) fn of(engine: &Engine, plan: &[PlanStep], at: Position, status: NodeStatus) -> Dag {
    let nodes = fixed(engine.spec.nodes, at).iter();
    let nodes = nodes.map(|node| node.to_dag(engine)).collect();
    chain(
        with_plan(nodes, plan),
        &at.node(),
        status,
        &engine.history.published,
    )
}

/// The nodes that precede a plan. A planned turn of copilot has other nodes than a direct one.
fn fixed(nodes: &'static [Node], at: Position) -> &'static [Node] {
    let by_plan = at.steps > 0 || at.node() == "planning";
    match nodes {
        [Node::Init, Node::Routing, ..] if by_plan => &[Node::Init, Node::Routing, Node::Planning],
        nodes => nodes,
    }
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

fn chain(
    mut nodes: Vec<DagNode>,
    at: &str,
    status: NodeStatus,
    published: &PublishedStatus,
) -> Dag {
    let here = nodes.iter().position(|node| node.id == at).unwrap_or(0);
    for (place, node) in nodes.iter_mut().enumerate() {
        node.status = match place.cmp(&here) {
            std::cmp::Ordering::Less if published.status(&node.id) == NodeStatus::Skipped => {
                NodeStatus::Skipped
            }
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
    fn to_dag(self, engine: &Engine) -> DagNode {
        let by = |agent: &str, node: DagNode| DagNode {
            agent: Some(agent.into()),
            ..node
        };
        match self {
            Self::Init => node("init", "Start", "init"),
            Self::Routing => by(agent::COPILOT_CONTROL, node("routing", "Routing", "agent")),
            Self::Planning => by(agent::PLANNER, node("planning", "Planning", "planning")),
            Self::Execute => match engine.spec.first {
                Stage::Answer => by(engine.settings.agent(), node("execute", "Answer", "agent")),
                // The routing chooses the agent.
                _ => node("execute", "Answer", "agent"),
            },
            Self::Extraction => by(engine.spec.agent, node("extraction", "Extraction", "agent")),
            Self::Download => by(engine.spec.agent, node("download", "Download", "agent")),
            Self::Summarize => by(engine.spec.agent, node("summarize", "Summaries", "agent")),
            Self::Output => by(engine.spec.agent, node("output", "Output", "agent")),
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
