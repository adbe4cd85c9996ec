//! The commands of the sweeper and of the dead-letter function: wake messages are sent again,
//! approvals and idle sessions expire, and undeliverable runs fail.

use super::change_builder::ChangeBuilder;
use crate::{
    ApprovalReceived, ApprovalStatus, Change, DueAction, Epoch, EventBody, Refusal, Rules,
    RunFailure, RunId, RunStatus, SessionStatus, SuspendReason,
};

/// The one checkpoint whose expiry counts as an answer: the turn ends.
const TURN_CHECKPOINT: &str = "copilot_turn";

pub(super) fn recover(mut change: ChangeBuilder, rules: &Rules) -> Result<Change, Refusal> {
    match rules.recover(&change.state, change.now) {
        Some(DueAction::Wake) => requeue(&mut change),
        Some(DueAction::ExpireApproval) => expire_approval(&mut change),
        Some(DueAction::ExpireIdle) => {
            change.push_status_event("Session expired: nothing happened in it for too long.");
            change.set_status(SessionStatus::Expired, None);
        }
        // `decide` refuses a deleted session earlier, and a purge appends nothing.
        Some(DueAction::Purge) | None => return Err(Refusal::NotDue),
    }
    Ok(change.done())
}

/// Fails the run whose wake message failed too often. A message of an older epoch is ignored, and
/// so is a message for a run whose lease is held.
pub(super) fn dead_letter(
    mut change: ChangeBuilder,
    run_id: RunId,
    epoch: Epoch,
) -> Result<Change, Refusal> {
    let live = change
        .state
        .run
        .as_ref()
        .is_some_and(|run| run.id == run_id && run.status.is_live());
    if !live || change.state.lease.epoch != epoch || change.state.is_leased(change.now) {
        return Err(Refusal::NotDue);
    }
    change.fail_run(&RunFailure {
        error: "The run could not be started: its message failed too often.".into(),
        code: "undeliverable".into(),
        error_type: "Undeliverable".into(),
    });
    Ok(change.done())
}

fn requeue(change: &mut ChangeBuilder) {
    let now = change.now;
    change.state.lease.until = None;
    if let Some(run) = change.state.run.as_mut() {
        run.sends += 1;
        run.queued_at = now;
        let (id, sends) = (run.id, run.sends);
        change.push(Some(id), EventBody::RunRequeued { sends });
    }
}

fn expire_approval(change: &mut ChangeBuilder) {
    let Some(open) = change.state.approval.clone() else {
        return;
    };
    let run_id = change.state.unfinished_run().map(|run| run.id);
    change.push(
        run_id,
        EventBody::ApprovalReceived(ApprovalReceived::unanswered(open.id, "expired")),
    );
    change.push(
        run_id,
        EventBody::ApprovalExpired {
            approval_id: open.id,
        },
    );
    change.close_approval(ApprovalStatus::Expired, None);
    let seq = change.state.last_seq;
    if open.checkpoint == TURN_CHECKPOINT {
        if let Some(run) = change.state.run.as_mut() {
            run.answer = Some(seq);
        }
        change.queue_run();
    } else {
        if let Some(run) = change.state.run.as_mut() {
            run.status = RunStatus::Paused;
        }
        change.set_status(
            SessionStatus::Suspended,
            Some(SuspendReason::ApprovalExpired),
        );
    }
}
