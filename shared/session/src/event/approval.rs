//! An approval as clients see it: in the event that requests it, and as a row of a list.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::approval::is_positive;
use crate::{ApprovalAnswer, ApprovalId, ApprovalStatus, RunId, Timestamp};

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

/// The end of an approval, as `approval_received` carries it. Each `approval_requested` of a record
/// is followed by one at most, and clients close their form of the question then.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ApprovalReceived {
    /// The approval.
    pub approval_id: ApprovalId,
    /// Whether the resolution is the positive option.
    pub approved: bool,
    /// One of the approval's options; `cancelled` or `expired` without an answer.
    pub resolution: String,
    /// In the person's words.
    pub feedback: Option<String>,
    /// What replaces what was asked about.
    pub modifications: Option<Value>,
    /// The subject of the person's token; null without an answer.
    pub resolved_by: Option<String>,
}

impl ApprovalReceived {
    /// The end without an answer.
    pub(crate) fn unanswered(approval_id: ApprovalId, resolution: &str) -> Self {
        Self {
            approval_id,
            approved: false,
            resolution: resolution.into(),
            feedback: None,
            modifications: None,
            resolved_by: None,
        }
    }

    /// Whether a person has answered.
    pub const fn is_answer(&self) -> bool {
        self.resolved_by.is_some()
    }
}

impl From<ApprovalAnswer> for ApprovalReceived {
    fn from(answer: ApprovalAnswer) -> Self {
        Self {
            approval_id: answer.approval,
            approved: is_positive(&answer.resolution),
            resolution: answer.resolution,
            feedback: answer.feedback,
            modifications: answer.modifications,
            resolved_by: Some(answer.by),
        }
    }
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

impl ApprovalRow {
    /// The row's answer as the event that recorded it. `None` without an answer.
    pub fn received(self) -> Option<ApprovalReceived> {
        Some(ApprovalReceived {
            approval_id: self.approval_id,
            approved: is_positive(self.resolution.as_deref()?),
            resolution: self.resolution?,
            feedback: self.feedback,
            modifications: self.modifications,
            resolved_by: self.resolved_by,
        })
    }
}
