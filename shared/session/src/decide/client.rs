//! The commands of clients.

use super::change_builder::ChangeBuilder;
use crate::{
    ApprovalAnswer, ApprovalStatus, Change, EventBody, NewRun, Refusal, Role, RunId, RunStatus,
    SessionStatus, SuspendReason, approval,
};

pub(super) fn start_run(mut change: ChangeBuilder, new: &NewRun) -> Result<Change, Refusal> {
    let state = &change.state;
    if let Some(run) = state.unfinished_run() {
        return Err(Refusal::RunUnfinished {
            run_id: run.id,
            status: run.status,
        });
    }
    let has_completed = state
        .run
        .as_ref()
        .is_some_and(|run| run.status == RunStatus::Completed);
    if has_completed && !state.mode.supports_resume() {
        return Err(Refusal::CannotContinue(state.mode));
    }
    change.begin_run(new);
    Ok(change.done())
}

pub(super) fn suspend(mut change: ChangeBuilder, meant: Option<RunId>) -> Result<Change, Refusal> {
    let run_id = change.unfinished(meant)?;
    if change.state.status != SessionStatus::Active {
        return Err(Refusal::NotActive(change.state.status));
    }
    if run_id.is_some() && !change.state.mode.supports_resume() {
        return Err(Refusal::CancelInstead(change.state.mode));
    }
    match (run_id, change.state.run.as_mut()) {
        (Some(run_id), Some(run)) => {
            run.status = RunStatus::Paused;
            let message = "The run stops after the step that it is in.".into();
            change.push(Some(run_id), EventBody::WorkflowPaused { run_id, message });
        }
        _ => change.push_status_event("Session suspended."),
    }
    change.set_status(SessionStatus::Suspended, Some(SuspendReason::UserRequested));
    Ok(change.done())
}

pub(super) fn resume(
    mut change: ChangeBuilder,
    meant: Option<RunId>,
    context: Option<&str>,
    takeover: Option<&NewRun>,
) -> Result<Change, Refusal> {
    let state = &change.state;
    if !state.mode.supports_resume() {
        return Err(Refusal::NoResume(state.mode));
    }
    if state.status != SessionStatus::Suspended {
        return Err(Refusal::NotSuspended(state.status));
    }
    if state.approval.is_some() {
        return Err(Refusal::ApprovalOpen);
    }
    let run = state.run.clone();
    if meant.is_some_and(|id| run.as_ref().is_none_or(|run| run.id != id)) {
        return Err(Refusal::NoSuchRun);
    }
    let push_context = |change: &mut ChangeBuilder, run_id| {
        if let Some(text) = context {
            change.push(run_id, EventBody::user(text));
        }
    };
    match (run, takeover) {
        (None, _) => {
            push_context(&mut change, None);
            change.push_status_event("Session resumed.");
            change.set_status(SessionStatus::Active, None);
        }
        (Some(run), _) if run.status == RunStatus::Paused => {
            push_context(&mut change, Some(run.id));
            let message = "The run goes on from its last saved step.".into();
            change.push(
                Some(run.id),
                EventBody::WorkflowResumed {
                    run_id: run.id,
                    message,
                },
            );
            change.queue_run();
        }
        (Some(run), Some(new)) if run.status == RunStatus::Failed => {
            push_context(&mut change, Some(new.id));
            change.take_over(&run, new);
        }
        _ => return Err(Refusal::NothingToResume),
    }
    Ok(change.done())
}

pub(super) fn cancel(mut change: ChangeBuilder, meant: Option<RunId>) -> Result<Change, Refusal> {
    let run_id = change.unfinished(meant)?.ok_or(Refusal::NoSuchRun)?;
    change.cancel_run(run_id, "The run was cancelled.");
    Ok(change.done())
}

pub(super) fn answer(
    mut change: ChangeBuilder,
    answer: &ApprovalAnswer,
) -> Result<Change, Refusal> {
    let Some(open) = change
        .state
        .approval
        .as_ref()
        .filter(|open| open.id == answer.approval)
    else {
        return Err(Refusal::NoSuchApproval);
    };
    if open.expires_at <= change.now {
        return Err(Refusal::ApprovalLapsed);
    }
    if !open.options.contains(&answer.resolution) {
        return Err(Refusal::NotAnOption(open.options.join(", ")));
    }
    let Some(run_id) = change.state.unfinished_run().map(|run| run.id) else {
        return Err(Refusal::NoSuchApproval);
    };
    if let Some(feedback) = answer
        .feedback
        .as_deref()
        .filter(|text| !text.trim().is_empty())
    {
        change.push(
            Some(run_id),
            EventBody::UserMessage {
                role: Role::User,
                content: feedback.to_owned(),
                artifact: None,
                approval_id: Some(answer.approval),
            },
        );
    }
    change.push(
        Some(run_id),
        EventBody::ApprovalReceived(answer.clone().into()),
    );
    change.close_approval(ApprovalStatus::Resolved, Some(answer.clone()));
    if approval::ends_the_run(&answer.resolution) {
        change.cancel_run(run_id, "The run was ended by the answer to its question.");
    } else {
        let seq = change.state.last_seq;
        if let Some(run) = change.state.run.as_mut() {
            run.answer = Some(seq);
        }
        change.queue_run();
    }
    Ok(change.done())
}

pub(super) fn delete(mut change: ChangeBuilder) -> Change {
    if let Some(run_id) = change.state.unfinished_run().map(|run| run.id) {
        change.cancel_run(run_id, "The session was deleted.");
    }
    change.push_status_event("Session deleted.");
    change.release_lease();
    change.state.deleted_at = Some(change.now);
    change.done()
}
