//! The graph of a run as clients see it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::NodeStatus;

/// One node of a run's graph.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DagNode {
    /// `planning`, `step_1`, `terminator`, …
    pub id: String,
    /// The name that clients show.
    pub label: String,
    /// `planning`, `agent`, `init` or `terminator`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The agent that works on it.
    pub agent: Option<String>,
    /// The progress of its work.
    pub status: NodeStatus,
    /// The number of the step, for the steps of a plan.
    pub step_number: Option<u32>,
    /// The goal of the step, for the steps of a plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goal: Option<String>,
}

/// One edge of a run's graph.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DagEdge {
    /// The node that comes first.
    pub source: String,
    /// The node that depends on it.
    pub target: String,
}

/// The graph of a run: nodes, edges, and node ids by depth.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Dag {
    /// All nodes.
    pub nodes: Vec<DagNode>,
    /// All edges.
    pub edges: Vec<DagEdge>,
    /// Node ids by depth.
    pub levels: Vec<Vec<String>>,
}
