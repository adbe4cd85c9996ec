//! The phase and the node statuses that the record shows, so that a stage begins with the changes
//! alone.

use std::collections::BTreeMap;

use session::{Dag, EventBody, NodeStatus, Phase};

/// The phase and the node statuses that the record shows.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct PublishedStatus {
    pub phase: Option<(Phase, Option<u32>)>,
    pub nodes: BTreeMap<String, NodeStatus>,
}

impl PublishedStatus {
    /// The status at the beginning of a run: phase `init`, no nodes.
    pub const fn initial() -> Self {
        Self {
            phase: Some((Phase::Init, None)),
            nodes: BTreeMap::new(),
        }
    }

    /// The status of a node; pending for an unknown node.
    pub fn status(&self, node: &str) -> NodeStatus {
        self.nodes.get(node).copied().unwrap_or(NodeStatus::Pending)
    }

    pub fn apply(&mut self, body: &EventBody) {
        match body {
            EventBody::DagCreated { dag, .. } => {
                *self = Self::initial();
                self.replace_graph(dag);
            }
            EventBody::DagUpdated { dag, .. } => self.replace_graph(dag),
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

    fn replace_graph(&mut self, dag: &Dag) {
        let nodes = dag.nodes.iter();
        self.nodes = nodes.map(|node| (node.id.clone(), node.status)).collect();
    }
}
