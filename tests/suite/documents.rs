//! The modes for documents, which have their path and nobody yet who reads: a run says so, and is no success.

use serde_json::json;
use tests::rest::{count, create, newest_run, post, post_empty, record, start, until_status};

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_mode_for_documents_fails_clearly_until_they_can_be_read() {
    for mode in ["ocr", "arxiv", "enhance-input"] {
        let id = create(mode).await;
        start(&id, "Read 2401.00001 and say what it says.").await;
        let detail = until_status(&id, "suspended").await;
        assert_eq!(
            (&detail["suspend_reason"], &detail["current_phase"]),
            (&json!("run_failed"), &json!("failed"))
        );
        assert!(
            detail["error"].as_str().unwrap().contains("cannot"),
            "{detail}"
        );
        let events = record(&id).await;
        let error = events.last().unwrap();
        assert_eq!(
            (&error["event_type"], &error["data"]["code"]),
            (&json!("error"), &json!("documents_not_available"))
        );
        assert_eq!(count(&events, "workflow_failed"), 1);
        for kind in ["agent_message", "cost_update", "result", "complete"] {
            assert_eq!(count(&events, kind), 0, "{mode}: {kind}");
        }
        assert_eq!(newest_run(&id).await["status"], "failed");
        let refused = post_empty(&format!("/api/sessions/{id}/resume")).await;
        assert_eq!(refused.problem(), (409, "mode_without_resume"));
        let body = json!({"task": "another"});
        let refused = post(&format!("/api/sessions/{id}/runs"), &body).await;
        assert_eq!(refused.problem(), (409, "mode_cannot_continue"));
    }
}
