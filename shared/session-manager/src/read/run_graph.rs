//! The graph of a run as it stands: the newest graph of its record. Times, summaries and errors
//! come from the other events. A run that took over from a failed one has only its own events.
//!
//! A record of up to 8 MiB is folded from its beginning. Of a longer one the first 8 MiB and the
//! newest MiB are folded, and the graph says that it is cut: it then shows where the run stands
//! now, while nodes of the part in between may lack their ends.

use schemars::JsonSchema;
use serde::Serialize;
use session::{
    Dag, DagEdge, DagNode, Envelope, EventBody, NodeStatus, PlanStep, RunId, RunStatus,
    StoredEventBody, Timestamp,
};

use super::events::envelopes_between;
use crate::{FoundRun, ReadError, SessionManager};

/// The number of queries that read the record from its beginning. Each reads at most 1 MiB.
const QUERIES: usize = 8;

/// The graph of a run. Its JSON is the reply to a client.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct RunGraph {
    /// Which run.
    pub run_id: RunId,
    /// Its nodes, in their order; none until a worker has begun the run.
    pub nodes: Vec<GraphNode>,
    /// Its edges.
    pub edges: Vec<GraphEdge>,
    /// Node ids by depth.
    pub levels: Vec<Vec<String>>,
    /// Whether a part in the middle of the record was left out, because it is longer than 9 MiB.
    pub truncated: bool,
}

/// A node of the graph.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct GraphNode {
    /// `planning`, `step_1`, `terminator`, …
    pub id: String,
    /// The name that clients show.
    pub label: String,
    /// `planning`, `agent`, `init` or `terminator`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The progress of its work.
    pub status: NodeStatus,
    /// The agent that works on it.
    pub agent: Option<String>,
    /// The number of the step, for the steps of a plan.
    #[serde(rename = "stepNumber")]
    pub step_number: Option<u32>,
    /// The same as `label`.
    pub name: String,
    /// The goal of the step, for the steps of a plan.
    pub goal: Option<String>,
    /// The plan's notes on the step, one a line; its goal where it has none.
    pub description: Option<String>,
    /// The summary of the step's result.
    pub summary: Option<String>,
    /// Its place among the nodes, from 0.
    pub order_index: usize,
    /// When its work last began.
    pub started_at: Option<Timestamp>,
    /// When its work ended.
    pub completed_at: Option<Timestamp>,
    /// Why its work failed.
    pub error: Option<String>,
}

/// An edge of the graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct GraphEdge {
    /// `<source>-<target>`.
    pub id: String,
    /// The node that comes first.
    pub source: String,
    /// The node that depends on it.
    pub target: String,
    /// `sequential`: the target begins when the source is done.
    #[serde(rename = "type")]
    pub kind: &'static str,
}

impl SessionManager {
    /// The graph of a run as it stands.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`], [`ReadError::Malformed`].
    pub async fn run_graph(&self, run: &FoundRun) -> Result<RunGraph, ReadError> {
        let mut fold = GraphFold::default();
        let left = self.apply_first_events(run, QUERIES, |envelope| fold.apply_of(run, &envelope));
        let mut truncated = false;
        if let Some(next) = left.await? {
            let (session, to) = (run.session(), run.last_seq);
            let newest = self.log(session, next, to).scan_index_forward(false);
            let page = Self::pages(newest, None).next().await?;
            let mut rest = envelopes_between(session, page.unwrap_or_default(), next, to)?;
            rest.sort_by_key(|envelope| envelope.seq);
            truncated = rest.first().is_none_or(|first| first.seq > Some(next));
            rest.iter()
                .for_each(|envelope| fold.apply_of(run, envelope));
        }
        if run.row.status == RunStatus::Cancelled {
            fold.cancel(run.row.completed_at);
        }
        Ok(fold.into_graph(run.row.id, truncated))
    }
}

/// The events of a run, folded.
#[derive(Debug, Default)]
struct GraphFold {
    nodes: Vec<GraphNode>,
    edges: Vec<DagEdge>,
    levels: Vec<Vec<String>>,
    plan: Vec<PlanStep>,
}

impl GraphFold {
    fn apply_of(&mut self, run: &FoundRun, envelope: &Envelope) {
        if run.has_event(envelope) {
            self.apply(envelope);
        }
    }

    fn apply(&mut self, envelope: &Envelope) {
        let (StoredEventBody::Known(body), at) = (&envelope.body, envelope.timestamp) else {
            return;
        };
        match body {
            EventBody::DagCreated { dag, .. } | EventBody::DagUpdated { dag, .. } => {
                self.replace(dag);
            }
            EventBody::PlanningComplete { steps, .. } => self.plan.clone_from(steps),
            EventBody::DagNodeStatusChanged {
                node_id,
                new_status,
                ..
            } => self.on_node(node_id, |node| node.becomes(*new_status, at)),
            EventBody::StepComplete {
                step_number,
                summary,
                ..
            } => self.on_node(&step(*step_number), |node| {
                node.summary = Some(summary.clone());
            }),
            EventBody::StepFailed { step_number, error } => {
                self.on_node(&step(*step_number), |node| node.error = Some(error.clone()));
            }
            EventBody::WorkflowFailed {
                error,
                failed_step: Some(failed),
                ..
            } => self.on_node(failed, |node| {
                // A run may also fail at a node that is done or has not begun.
                if node.status == NodeStatus::Failed {
                    node.error.get_or_insert_with(|| error.clone());
                }
            }),
            _ => {}
        }
    }

    /// The graph is new. A node that has begun keeps what is known about it; a pending one begins
    /// anew, in another turn or with another plan.
    fn replace(&mut self, dag: &Dag) {
        let known = std::mem::take(&mut self.nodes);
        let nodes = dag.nodes.iter().map(|new| {
            let begun = new.status != NodeStatus::Pending;
            let known = known.iter().find(|node| begun && node.id == new.id);
            GraphNode::of(new, known)
        });
        self.nodes = nodes.collect();
        self.edges.clone_from(&dag.edges);
        self.levels.clone_from(&dag.levels);
    }

    /// A cancel is an event of the run alone: its running node has ended without a result.
    fn cancel(&mut self, at: Option<Timestamp>) {
        for node in &mut self.nodes {
            if node.status == NodeStatus::Running {
                node.status = NodeStatus::Skipped;
                node.completed_at = at;
            }
        }
    }

    fn on_node(&mut self, id: &str, change: impl FnOnce(&mut GraphNode)) {
        if let Some(node) = self.nodes.iter_mut().find(|node| node.id == id) {
            change(node);
        }
    }

    fn into_graph(self, run_id: RunId, truncated: bool) -> RunGraph {
        let mut nodes = self.nodes;
        for (place, node) in nodes.iter_mut().enumerate() {
            node.order_index = place;
            node.description = described(node, &self.plan);
        }
        RunGraph {
            run_id,
            nodes,
            edges: self.edges.into_iter().map(GraphEdge::of).collect(),
            levels: self.levels,
            truncated,
        }
    }
}

impl GraphNode {
    /// A node of a new graph, with what is known about it from the graph before.
    fn of(new: &DagNode, known: Option<&Self>) -> Self {
        Self {
            id: new.id.clone(),
            label: new.label.clone(),
            kind: new.kind.clone(),
            status: new.status,
            agent: new.agent.clone(),
            step_number: new.step_number,
            name: new.label.clone(),
            goal: new.goal.clone(),
            description: None,
            summary: known.and_then(|known| known.summary.clone()),
            order_index: 0,
            started_at: known.and_then(|known| known.started_at),
            completed_at: known.and_then(|known| known.completed_at),
            error: known.and_then(|known| known.error.clone()),
        }
    }

    /// Its work begins, also once more, or ends.
    fn becomes(&mut self, status: NodeStatus, at: Timestamp) {
        self.status = status;
        match status {
            NodeStatus::Pending => {}
            NodeStatus::Running => {
                self.started_at = Some(at);
                self.completed_at = None;
                self.summary = None;
                self.error = None;
            }
            NodeStatus::Completed | NodeStatus::Failed => self.completed_at = Some(at),
            NodeStatus::Skipped => {
                self.completed_at = Some(at);
                self.error = None;
            }
        }
    }
}

impl GraphEdge {
    fn of(edge: DagEdge) -> Self {
        Self {
            id: format!("{}-{}", edge.source, edge.target),
            source: edge.source,
            target: edge.target,
            kind: "sequential",
        }
    }
}

fn step(number: u32) -> String {
    format!("step_{number}")
}

/// The plan's notes on a step, or its goal.
fn described(node: &GraphNode, plan: &[PlanStep]) -> Option<String> {
    let place = usize::try_from(node.step_number?.checked_sub(1)?).ok()?;
    let notes = plan.get(place).map(|step| step.bullet_points.join("\n"));
    notes
        .filter(|notes| !notes.is_empty())
        .or_else(|| node.goal.clone())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use session::{Seq, SessionId};
    use uuid::Uuid;

    use super::*;

    fn run() -> RunId {
        RunId::new(Uuid::from_u128(2))
    }

    fn second(seconds: i64) -> Timestamp {
        Timestamp::from_micros(1_790_000_000_000_000 + seconds * 1_000_000).unwrap()
    }

    /// The graph after these events, one a second.
    fn graph(events: impl IntoIterator<Item = (&'static str, Value)>) -> RunGraph {
        let mut fold = GraphFold::default();
        for (at, (kind, data)) in (0..).zip(events) {
            let envelope = Envelope {
                timestamp: second(at),
                run_id: Some(run()),
                session_id: SessionId::new(Uuid::from_u128(1)),
                seq: Some(Seq(1)),
                body: serde_json::from_value(json!({"event_type": kind, "data": data})).unwrap(),
            };
            assert!(matches!(envelope.body, StoredEventBody::Known(_)), "{kind}");
            fold.apply(&envelope);
        }
        fold.into_graph(run(), false)
    }

    fn dag(kind: &'static str, nodes: &[(&str, &str)]) -> (&'static str, Value) {
        let node = |(id, status): &(&str, &str)| {
            let number: Option<u32> = id.strip_prefix("step_").map(|n| n.parse().unwrap());
            json!({
                "id": id, "label": id.to_uppercase(), "type": "agent", "agent": "researcher", "status": status,
                "step_number": number, "goal": number.map(|n| format!("Goal {n}.")),
            })
        };
        let all: Vec<_> = nodes.iter().map(node).collect();
        let edges: Vec<_> = nodes
            .windows(2)
            .map(|pair| json!({"source": pair[0].0, "target": pair[1].0}))
            .collect();
        let levels: Vec<_> = nodes.iter().map(|(id, _)| vec![id]).collect();
        (
            kind,
            json!({"run_id": run(), "nodes": all, "edges": edges, "levels": levels}),
        )
    }

    fn becomes(id: &str, old: &str, new: &str) -> (&'static str, Value) {
        let data = json!({"node_id": id, "old_status": old, "new_status": new});
        ("dag_node_status_changed", data)
    }

    fn plan(notes: &[&[&str]]) -> (&'static str, Value) {
        let step = |points: &&[&str]| json!({"sub_task": "g", "sub_task_agent": "a", "bullet_points": points});
        let steps: Vec<_> = notes.iter().map(step).collect();
        (
            "planning_complete",
            json!({"num_steps": steps.len(), "steps": steps}),
        )
    }

    #[test]
    fn the_nodes_of_a_plan_have_their_times_summaries_and_notes() {
        let graph = graph([
            dag("dag_created", &[("planning", "pending")]),
            becomes("planning", "pending", "running"),
            plan(&[&["One.", "Two."], &[]]),
            becomes("planning", "running", "completed"),
            dag(
                "dag_updated",
                &[
                    ("planning", "completed"),
                    ("step_1", "pending"),
                    ("step_2", "pending"),
                ],
            ),
            becomes("step_1", "pending", "running"),
            (
                "step_complete",
                json!({"step_number": 1, "goal": "g", "summary": "Done.", "execution_time": 1.0}),
            ),
            becomes("step_1", "running", "completed"),
            becomes("step_2", "pending", "running"),
        ]);
        let node = &graph.nodes[0];
        assert_eq!(
            (node.started_at, node.completed_at),
            (Some(second(1)), Some(second(3)))
        );
        let node = &graph.nodes[2];
        assert_eq!(
            (node.status, node.started_at, node.completed_at),
            (NodeStatus::Running, Some(second(8)), None)
        );
        assert_eq!(
            node.description.as_deref(),
            Some("Goal 2."),
            "the plan has no notes on it"
        );
        assert_eq!(
            serde_json::to_value(&graph.nodes[1]).unwrap(),
            json!({
                "id": "step_1", "label": "STEP_1", "type": "agent", "status": "completed", "agent": "researcher",
                "stepNumber": 1, "name": "STEP_1", "goal": "Goal 1.", "description": "One.\nTwo.",
                "summary": "Done.", "order_index": 1, "started_at": second(5), "completed_at": second(7),
                "error": null,
            })
        );
        assert_eq!(
            serde_json::to_value(&graph.edges[1]).unwrap(),
            json!({"id": "step_1-step_2", "source": "step_1", "target": "step_2", "type": "sequential"})
        );
        assert_eq!(graph.levels, [["planning"], ["step_1"], ["step_2"]]);
    }

    #[test]
    fn a_failed_node_has_its_error_until_it_is_tried_again() {
        let until_failure = [
            dag("dag_created", &[("step_1", "pending")]),
            becomes("step_1", "pending", "running"),
            becomes("step_1", "running", "failed"),
            (
                "step_failed",
                json!({"step_number": 1, "error": "No tide."}),
            ),
        ];
        let failed = (
            "workflow_failed",
            json!({"run_id": run(), "error": "It ends.", "failed_step": "step_1"}),
        );
        let graph_of = |more| graph(until_failure.clone().into_iter().chain([more]));
        let node = &graph_of(failed).nodes[0];
        assert_eq!(
            (node.status, node.error.as_deref()),
            (NodeStatus::Failed, Some("No tide."))
        );
        let node = &graph_of(becomes("step_1", "failed", "running")).nodes[0];
        assert_eq!(
            (&node.error, node.started_at, node.completed_at),
            (&None, Some(second(4)), None)
        );
    }

    #[test]
    fn a_cancelled_run_leaves_no_running_node() {
        let mut fold = GraphFold::default();
        let nodes = json!([
            {"id": "init", "label": "I", "type": "init", "agent": null, "status": "completed", "step_number": null},
            {"id": "execute", "label": "E", "type": "agent", "agent": "engineer", "status": "running", "step_number": null},
        ]);
        fold.replace(
            &serde_json::from_value(json!({"nodes": nodes, "edges": [], "levels": []})).unwrap(),
        );
        fold.cancel(Some(second(9)));
        let graph = fold.into_graph(run(), false);
        let ends = graph
            .nodes
            .iter()
            .map(|node| (node.status, node.completed_at));
        let expected = [
            (NodeStatus::Completed, None),
            (NodeStatus::Skipped, Some(second(9))),
        ];
        assert!(ends.eq(expected), "{:?}", graph.nodes);
    }

    #[test]
    fn the_error_of_a_run_belongs_to_the_node_that_failed() {
        let graph = graph([
            dag(
                "dag_created",
                &[("init", "completed"), ("execute", "failed")],
            ),
            (
                "workflow_failed",
                json!({"run_id": run(), "error": "It ends.", "failed_step": "execute"}),
            ),
        ]);
        let errors: Vec<_> = graph
            .nodes
            .iter()
            .map(|node| node.error.as_deref())
            .collect();
        assert_eq!(errors, [None, Some("It ends.")]);
    }

    #[test]
    fn the_next_turn_begins_with_a_fresh_graph() {
        let graph = graph([
            dag(
                "dag_created",
                &[("routing", "pending"), ("execute", "pending")],
            ),
            becomes("routing", "pending", "running"),
            becomes("routing", "running", "completed"),
            becomes("execute", "pending", "running"),
            becomes("execute", "running", "completed"),
            dag(
                "dag_updated",
                &[("routing", "completed"), ("execute", "pending")],
            ),
            becomes("terminator", "pending", "running"),
        ]);
        let times: Vec<_> = graph.nodes.iter().map(|node| node.completed_at).collect();
        assert_eq!(times, [Some(second(2)), None]);
    }
}
