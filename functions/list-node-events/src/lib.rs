//! `GET /api/nodes/{node_id}/events`: the events of one node of a run.

mod operation;

use lambda_kit::http::{HttpReply, Query, node_id};
use lambda_kit::{App, Problem, Request};
use schemars::JsonSchema;
use serde::Serialize;
use session::RunId;
use session_manager::{RunEvent, RunEventFilter};

pub use operation::operation;

const LIMIT: u16 = 500;

#[derive(Serialize, JsonSchema)]
struct NodeEvents {
    node_id: String,
    run_id: RunId,
    events: Vec<RunEvent>,
    /// Whether there may be more events, from `next_cursor` on.
    truncated: bool,
    next_cursor: Option<String>,
}

/// Answers with the events of a node of the run `?run_id`, in the order of the record, from
/// `?cursor` on; bookkeeping (costs, changes of status and phase) only with
/// `?include_internal=true`. A page has at most 500 events and reads a bounded part of the record:
/// the page of a long run may be `truncated`. A node that has not begun, and one that the run does
/// not have, has no events.
///
/// # Errors
/// `run_not_found`, `invalid_query`, `bad_cursor`, `unavailable`.
pub async fn handle(app: &App, request: Request) -> Result<HttpReply, Problem> {
    let query = Query::of(&request);
    let internal: Option<bool> = query.word("include_internal", "`true` or `false`")?;
    let run = app.admit_run_of_query(&request).await?;

    let node_id = node_id(&request);
    let filter = RunEventFilter {
        node: Some(node_id.clone()),
        without_internal: internal != Some(true),
        ..RunEventFilter::default()
    };
    let cursor = query.text("cursor");
    let page = app
        .sessions
        .run_events(&run, &filter, LIMIT.into(), cursor)
        .await?;
    HttpReply::ok(&NodeEvents {
        node_id,
        run_id: run.row.id,
        events: page.events,
        truncated: page.next_cursor.is_some(),
        next_cursor: page.next_cursor,
    })
}

#[cfg(test)]
mod tests {
    use lambda_kit::testing::wire::{entry_with, found, got, locator, queued, run};
    use lambda_kit::testing::{ID, reads_node};
    use serde_json::json;
    use session::{Event, EventBody, NodeStatus};

    #[tokio::test]
    async fn it_shows_the_events_of_the_node_without_bookkeeping() {
        let mut new = queued();
        let running = EventBody::DagNodeStatusChanged {
            node_id: "step_1".into(),
            old_status: NodeStatus::Pending,
            new_status: NodeStatus::Running,
        };
        let output = EventBody::Output {
            message: "High tide.".into(),
        };
        let run_id = new.events[0].run_id;
        for body in [running, output] {
            let body = body.into();
            new.events.push(Event { run_id, body });
            new.state.last_seq = new.state.last_seq.plus(1);
        }
        let log = found(&[entry_with(&new.state, &new.events)]);
        let replies = [
            ("GetItem", got(&locator())),
            ("GetItem", got(&run(&new))),
            ("Query", log.clone()),
            ("Query", log),
        ];
        let internal = format!("run_id={ID}&include_internal=1");
        let bad = ["", "include_internal=true", &internal];
        let reply = reads_node(super::handle, &bad, replies).await;
        assert_eq!(
            (&reply["node_id"], &reply["run_id"]),
            (&json!("step_1"), &json!(ID))
        );
        let events = reply["events"].as_array().unwrap();
        assert_eq!(
            (events.len(), &events[0]["outputs"]),
            (1, &json!("High tide."))
        );
        assert_eq!(
            (&reply["truncated"], &reply["next_cursor"]),
            (&json!(false), &json!(null))
        );
    }
}
