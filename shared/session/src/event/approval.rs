//! An approval as clients see it: in the event that requests it, and as a row of a list.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{ApprovalId, ApprovalStatus, RunId, Timestamp};

/// An approval that a run asks for, as `approval_requested` carries it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ApprovalRequest {
    /// The approval.
    pub approval_id: ApprovalId,
    /// The node that it is about; null for a whole plan.
    pub step_id: Option<String>,
    /// What an answer decides, as one word.
    pub action: String,
    /// One of the contract's checkpoint types.
    pub checkpoint_type: String,
    /// One sentence for the person who answers.
    pub description: String,
    /// The text that asks for the decision.
    pub message: String,
    /// The resolutions that are accepted.
    pub options: Vec<String>,
    /// What the person needs to know to decide.
    pub context: Value,
    /// When the approval expires.
    pub expires_at: Timestamp,
}

/// The row of an approval, in the shape of the contract.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Approval")]
#[allow(
    missing_docs,
    reason = "the fields are the contract's, documented there"
)]
pub struct ApprovalRow {
    pub approval_id: ApprovalId,
    pub run_id: RunId,
    pub step_id: Option<String>,
    pub checkpoint_type: String,
    pub message: String,
    pub options: Vec<String>,
    pub context: Value,
    pub status: ApprovalStatus,
    pub resolution: Option<String>,
    pub feedback: Option<String>,
    pub modifications: Option<Value>,
    pub resolved_by: Option<String>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub resolved_at: Option<Timestamp>,
}
