//! `$connect`: a client opens a WebSocket for the task of `?task_id=`.
//!
//! No frame can be sent here: the connection opens with this function's reply. `ws-authorizer` has
//! verified the caller before.

use lambda_kit::websocket::{SocketEvent, connection_id};
use lambda_kit::{App, Code, Problem, now};

/// The longest task id, in characters.
const MAX_TASK_ID: usize = 128;

/// Stores the connection with its owner and its expiry. An error refuses the connection.
///
/// # Errors
/// `unauthenticated`, `bad_task_id`, `unavailable`.
pub async fn handle(app: &App, event: SocketEvent) -> Result<(), Problem> {
    let authorizer = &event.request_context.authorizer;
    let caller = app.authenticator.connected(authorizer)?;
    let token_ends = app.authenticator.token_ends(authorizer)?;
    let task_id = task_id(&event)?;
    let id = connection_id(&event)?;
    app.sessions
        .connect(&id, &caller.owner, task_id, token_ends, now())
        .await?;
    Ok(())
}

fn task_id(event: &SocketEvent) -> Result<&str, Problem> {
    let all = event.multi_value_query_string_parameters.all("task_id");
    if all.is_some_and(|all| all.len() > 1) {
        return Err(Problem::new(
            Code::BadTaskId,
            "`task_id` must be given once.",
        ));
    }
    let task_id = event
        .query_string_parameters
        .first("task_id")
        .unwrap_or_default();
    if (1..=MAX_TASK_ID).contains(&task_id.chars().count()) {
        return Ok(task_id);
    }
    let detail = format!("`task_id` must be 1 to {MAX_TASK_ID} characters long.");
    Err(Problem::new(Code::BadTaskId, detail))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn connecting(query: serde_json::Value) -> SocketEvent {
        serde_json::from_value(json!({
            "queryStringParameters": query,
            "requestContext": {"connectionId": "c-1=", "connectedAt": 0, "requestTimeEpoch": 0}
        }))
        .unwrap()
    }

    #[test]
    fn a_task_id_has_1_to_128_characters() {
        for good in ["t", &"é".repeat(128)] {
            assert_eq!(
                task_id(&connecting(json!({"task_id": good}))).unwrap(),
                good
            );
        }
        for bad in [
            json!(null),
            json!({}),
            json!({"task_id": ""}),
            json!({"task_id": "x".repeat(129)}),
        ] {
            assert_eq!(task_id(&connecting(bad)).unwrap_err().status(), 400);
        }
        let mut twice = connecting(json!({"task_id": "b"}));
        twice.multi_value_query_string_parameters = "task_id=a&task_id=b".parse().unwrap();
        assert_eq!(task_id(&twice).unwrap_err().status(), 400);
    }
}
