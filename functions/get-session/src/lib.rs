//! `GET /api/sessions/{session_id}`: a session in detail.

mod operation;

use lambda_kit::http::HttpReply;
use lambda_kit::{App, Problem, Request};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use session::{Message, PlanStep, RunId, Seq, SuspendReason};
use session_manager::{Detail, SessionSummary};

pub use operation::operation;

/// A session in detail.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Detail")]
struct Page {
    #[serde(flatten)]
    summary: SessionSummary,
    conversation_history: Vec<Message>,
    /// No mode of this version keeps variables beside its conversation.
    context_variables: Map<String, Value>,
    plan_data: Option<Vec<PlanStep>>,
    /// As it was given.
    #[schemars(with = "Map<String, Value>")]
    config: Box<RawValue>,
    suspend_reason: Option<SuspendReason>,
    error: Option<String>,
    active_run: Option<RunId>,
    version: Seq,
}

/// Answers with the state of the session and its newest messages.
///
/// # Errors
/// `session_not_found`, `unavailable`.
pub async fn handle(app: &App, request: Request) -> Result<HttpReply, Problem> {
    let (actor, session) = app.admit(&request)?;
    let detail = app.sessions.session(session, &actor).await?;
    HttpReply::ok(&page(detail)?)
}

fn page(detail: Detail) -> Result<Page, Problem> {
    let state = &detail.state;
    Ok(Page {
        suspend_reason: state.suspend_reason,
        active_run: state.unfinished_run().map(|run| run.id),
        version: state.last_seq,
        summary: SessionSummary::of(state, detail.name),
        conversation_history: detail.messages,
        context_variables: Map::new(),
        plan_data: detail.plan,
        config: RawValue::from_string(detail.config)?,
        error: detail.error,
    })
}

#[cfg(test)]
mod tests {
    use lambda_kit::testing::wire::{entry_with, found, got, queued};
    use lambda_kit::testing::{ID, reads};
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn it_shows_state_name_config_and_messages() {
        let new = queued();
        let log = found(&[entry_with(&new.state, &new.events)]);
        let summary = serde_json::to_value(SessionSummary::of(&new.state, "Tides")).unwrap();
        let replies = [
            ("Query", log.clone()),
            ("GetItem", got(&summary)),
            ("GetItem", got(&json!({"config": r#"{"k": 1.50}"#}))),
            ("Query", log),
        ];
        let reply = reads(handle, &[], replies).await;
        assert_eq!(reply["name"], "Tides");
        assert_eq!(reply["config"], json!({"k": 1.5}));
        assert_eq!(reply["active_run"], ID);
        assert_eq!(reply["last_run_status"], "queued");
        assert_eq!(reply["version"], json!(new.state.last_seq));
        assert_eq!(
            reply["conversation_history"][0]["content"],
            "Explain the tides."
        );
    }
}
