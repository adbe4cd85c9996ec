//! Where a run stands as its watchers were told, so that a beginning tells only what they do not know yet.

use std::collections::BTreeMap;

use session::{Dag, EventBody, NodeStatus, Phase};

/// The phase and the graph's nodes, as they were told last.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct PublishedStatus {
    pub phase: Option<(Phase, Option<u32>)>,
    pub nodes: BTreeMap<String, NodeStatus>,
}

impl PublishedStatus {
    /// What the watchers of a run know that begins: nothing but that it is at its `init`.
    pub const fn at_first() -> Self {
        Self {
            phase: Some((Phase::Init, None)),
            nodes: BTreeMap::new(),
        }
    }

    /// What a node is told to be.
    pub fn status(&self, node: &str) -> NodeStatus {
        self.nodes.get(node).copied().unwrap_or(NodeStatus::Pending)
    }

    pub fn note(&mut self, body: &EventBody) {
        match body {
            EventBody::DagCreated { dag, .. } => {
                *self = Self::at_first();
                self.draw(dag);
            }
            EventBody::DagUpdated { dag, .. } => self.draw(dag),
            EventBody::PhaseChange { phase, step_number } => {
                self.phase = Some((*phase, *step_number));
            }
            EventBody::DagNodeStatusChanged {
                node_id,
                new_status,
                ..
            } => {
                self.nodes.insert(node_id.clone(), *new_status);
            }
            _ => {}
        }
    }

    fn draw(&mut self, dag: &Dag) {
        let nodes = dag.nodes.iter();
        self.nodes = nodes.map(|node| (node.id.clone(), node.status)).collect();
    }
}
