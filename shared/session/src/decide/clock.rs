//! What time brings: lost messages are sent again, questions and idle sessions lapse, undeliverable runs fail.

use super::draft::Draft;
use crate::{
    ApprovalStatus, Change, Epoch, EventBody, Failure, Owed, Refusal, Rules, RunId, RunStatus,
    SessionStatus, SuspendReason,
};

/// The one checkpoint whose silence is an answer: the turn is over.
const TURN: &str = "copilot_turn";

pub(super) fn recover(mut draft: Draft, rules: &Rules) -> Result<Change, Refusal> {
    match rules.recover(&draft.state, draft.now) {
        Some(Owed::Wake) => requeue(&mut draft),
        Some(Owed::ExpireApproval) => expire_approval(&mut draft),
        Some(Owed::ExpireIdle) => {
            draft.note("Session expired: nothing happened in it for too long.");
            draft.set_status(SessionStatus::Expired, None);
        }
        // A deleted session is refused before; its purge appends nothing.
        Some(Owed::Purge) | None => return Err(Refusal::NotDue),
    }
    Ok(draft.done())
}

/// Fails the run whose message nobody could handle. News of an older epoch, or of a run that a worker holds, is no news.
pub(super) fn dead_letter(
    mut draft: Draft,
    run_id: RunId,
    epoch: Epoch,
) -> Result<Change, Refusal> {
    let live = draft
        .state
        .run
        .as_ref()
        .is_some_and(|run| run.id == run_id && run.status.is_live());
    if !live || draft.state.lease.epoch != epoch || draft.state.is_leased(draft.now) {
        return Err(Refusal::NotDue);
    }
    draft.fail_run(&Failure {
        error: "The run could not be started: its message failed too often.".into(),
        code: "undeliverable".into(),
        error_type: "Undeliverable".into(),
    });
    Ok(draft.done())
}

fn requeue(draft: &mut Draft) {
    let now = draft.now;
    draft.state.lease.until = None;
    if let Some(run) = draft.state.run.as_mut() {
        run.sends += 1;
        run.queued_at = now;
        let (id, sends) = (run.id, run.sends);
        draft.push(Some(id), EventBody::RunRequeued { sends });
    }
}

fn expire_approval(draft: &mut Draft) {
    let Some(open) = draft.state.approval.clone() else {
        return;
    };
    let run_id = draft.state.unfinished_run().map(|run| run.id);
    draft.push(
        run_id,
        EventBody::ApprovalExpired {
            approval_id: open.id,
        },
    );
    draft.close_approval(ApprovalStatus::Expired, None);
    let seq = draft.state.last_seq;
    if open.checkpoint == TURN {
        if let Some(run) = draft.state.run.as_mut() {
            run.answer = Some(seq);
        }
        draft.queue_run();
    } else {
        if let Some(run) = draft.state.run.as_mut() {
            run.status = RunStatus::Paused;
        }
        draft.set_status(
            SessionStatus::Suspended,
            Some(SuspendReason::ApprovalExpired),
        );
    }
}
