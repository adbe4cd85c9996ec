//! What clients may do.

use super::draft::Draft;
use crate::{
    Answer, ApprovalStatus, Change, EventBody, NewRun, Refusal, Role, RunId, RunStatus,
    SessionStatus, SuspendReason, approval,
};

pub(super) fn start_run(mut draft: Draft, new: &NewRun) -> Result<Change, Refusal> {
    let state = &draft.state;
    if let Some(run) = state.unfinished_run() {
        return Err(Refusal::RunUnfinished {
            run_id: run.id,
            status: run.status,
        });
    }
    if state.runs > 0 && !state.mode.supports_resume() {
        return Err(Refusal::CannotContinue(state.mode));
    }
    draft.begin_run(new);
    Ok(draft.done())
}

pub(super) fn suspend(mut draft: Draft, meant: Option<RunId>) -> Result<Change, Refusal> {
    let run_id = draft.unfinished(meant)?;
    if draft.state.status != SessionStatus::Active {
        return Err(Refusal::NotActive(draft.state.status));
    }
    if run_id.is_some() && !draft.state.mode.supports_resume() {
        return Err(Refusal::CancelInstead(draft.state.mode));
    }
    match (run_id, draft.state.run.as_mut()) {
        (Some(run_id), Some(run)) => {
            run.status = RunStatus::Paused;
            let message = "The run stops after the step that it is in.".into();
            draft.push(Some(run_id), EventBody::WorkflowPaused { run_id, message });
        }
        _ => draft.note("Session suspended."),
    }
    draft.set_status(SessionStatus::Suspended, Some(SuspendReason::UserRequested));
    Ok(draft.done())
}

pub(super) fn resume(
    mut draft: Draft,
    meant: Option<RunId>,
    context: Option<&str>,
    takeover: Option<&NewRun>,
) -> Result<Change, Refusal> {
    let state = &draft.state;
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
    let said = |draft: &mut Draft, run_id| {
        if let Some(text) = context {
            draft.push(run_id, EventBody::user(text));
        }
    };
    match (run, takeover) {
        (None, _) => {
            said(&mut draft, None);
            draft.note("Session resumed.");
            draft.set_status(SessionStatus::Active, None);
        }
        (Some(run), _) if run.status == RunStatus::Paused => {
            said(&mut draft, Some(run.id));
            let message = "The run goes on from its last saved step.".into();
            draft.push(
                Some(run.id),
                EventBody::WorkflowResumed {
                    run_id: run.id,
                    message,
                },
            );
            draft.queue_run();
        }
        (Some(run), Some(new)) if run.status == RunStatus::Failed => {
            said(&mut draft, Some(new.id));
            draft.take_over(&run, new);
        }
        _ => return Err(Refusal::NothingToResume),
    }
    Ok(draft.done())
}

pub(super) fn cancel(mut draft: Draft, meant: Option<RunId>) -> Result<Change, Refusal> {
    let run_id = draft.unfinished(meant)?.ok_or(Refusal::NoSuchRun)?;
    draft.cancel_run(run_id, "The run was cancelled.");
    Ok(draft.done())
}

pub(super) fn answer(mut draft: Draft, answer: &Answer) -> Result<Change, Refusal> {
    let Some(open) = draft
        .state
        .approval
        .as_ref()
        .filter(|open| open.id == answer.approval)
    else {
        return Err(Refusal::NoSuchApproval);
    };
    if open.expires_at <= draft.now {
        return Err(Refusal::ApprovalLapsed);
    }
    if !open.options.contains(&answer.resolution) {
        return Err(Refusal::NotAnOption(open.options.join(", ")));
    }
    let Some(run_id) = draft.state.unfinished_run().map(|run| run.id) else {
        return Err(Refusal::NoSuchApproval);
    };
    if let Some(words) = answer
        .feedback
        .as_deref()
        .filter(|text| !text.trim().is_empty())
    {
        draft.push(
            Some(run_id),
            EventBody::UserMessage {
                role: Role::User,
                content: words.to_owned(),
                artifact: None,
                approval_id: Some(answer.approval),
            },
        );
    }
    draft.push(
        Some(run_id),
        EventBody::ApprovalResolved {
            approval_id: answer.approval,
            approved: approval::is_positive(&answer.resolution),
            resolution: answer.resolution.clone(),
            feedback: answer.feedback.clone(),
            modifications: answer.modifications.clone(),
            resolved_by: answer.by.clone(),
        },
    );
    draft.close_approval(ApprovalStatus::Resolved, Some(answer.clone()));
    if approval::ends_the_run(&answer.resolution) {
        draft.cancel_run(run_id, "The run was ended by the answer to its question.");
    } else {
        let seq = draft.state.last_seq;
        if let Some(run) = draft.state.run.as_mut() {
            run.answer = Some(seq);
        }
        draft.queue_run();
    }
    Ok(draft.done())
}

pub(super) fn delete(mut draft: Draft) -> Change {
    if let Some(run_id) = draft.state.unfinished_run().map(|run| run.id) {
        draft.cancel_run(run_id, "The session was deleted.");
    }
    draft.note("Session deleted.");
    draft.release_lease();
    draft.state.deleted_at = Some(draft.now);
    draft.done()
}
