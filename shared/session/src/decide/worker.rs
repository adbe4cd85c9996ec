//! What the worker that holds the lease may do, and how one gets it.

use super::{MAX_ATTEMPTS, MAX_HOPS, draft::Draft};
use crate::{
    ApprovalRequest, ApprovalRow, ApprovalStatus, Begin, Change, Epoch, EventBody, Failure, Next,
    NodeStatus, OpenApproval, Phase, Position, Progress, Record, Refusal, RunId, RunStatus,
    SessionStatus, SuspendReason, Timestamp, plus_usd,
};

pub(super) fn take_lease(
    mut draft: Draft,
    run_id: RunId,
    until: Timestamp,
    at: Position,
    opening: &Begin,
) -> Result<Change, Refusal> {
    let now = draft.now;
    let leased = draft.state.is_leased(now);
    let Some(run) = draft
        .state
        .run
        .as_mut()
        .filter(|run| run.id == run_id && !run.status.is_final())
    else {
        return Err(Refusal::Overtaken);
    };
    if !run.status.is_live() {
        return Err(Refusal::NotRunnable);
    }
    if leased {
        return Err(Refusal::Leased);
    }
    if run.position != at {
        return Err(Refusal::Moved);
    }
    if draft.state.lease.attempts >= MAX_ATTEMPTS {
        draft.fail_run(&Failure {
            error: format!(
                "The worker was lost {MAX_ATTEMPTS} times in a row at {}.",
                at.node()
            ),
            code: "worker_lost".into(),
            error_type: "WorkerLost".into(),
        });
        return Ok(draft.done());
    }
    run.status = RunStatus::Running;
    run.started_at.get_or_insert(now);
    let attempt = draft.state.lease.attempts + 1;
    draft.state.lease.epoch = draft.state.lease.epoch.next();
    draft.state.lease.until = Some(until);
    draft.state.lease.attempts = attempt;
    if opening.events.is_empty() {
        draft.push(Some(run_id), EventBody::SliceStarted { attempt });
    }
    begin(&mut draft, run_id, opening);
    Ok(draft.done())
}

pub(super) fn commit(
    mut draft: Draft,
    run_id: RunId,
    epoch: Epoch,
    progress: &Progress,
    hand_back: bool,
) -> Result<Change, Refusal> {
    let status = own(&draft, run_id, epoch, Some(progress.at))?;
    draft.push_all(run_id, &progress.work);
    draft.state.lease.attempts = 0;
    if let Some(run) = draft.state.run.as_mut() {
        run.cost_usd = plus_usd(run.cost_usd, progress.cost_usd);
        run.tokens += progress.tokens;
    }
    if status == RunStatus::Paused {
        stop_after_step(&mut draft, run_id, &progress.next);
        return Ok(draft.done());
    }
    // A run that was paused and resumed while its worker was at a step is running again.
    set_run_status(&mut draft, RunStatus::Running);
    match &progress.next {
        Next::Go(opening) => {
            set_answer_used(&mut draft);
            begin(&mut draft, run_id, opening);
            if hand_back {
                end_slice(&mut draft, run_id);
            }
        }
        Next::Again => {
            if let Some(run) = draft.state.run.as_mut() {
                run.position.tries += 1;
            }
            end_slice(&mut draft, run_id);
        }
        Next::Ask(request) => ask(&mut draft, run_id, request),
        Next::Done(result) => complete(&mut draft, run_id, result),
        Next::Fail(failure) => draft.fail_run(failure),
    }
    Ok(draft.done())
}

pub(super) fn hand_back(mut draft: Draft, run_id: RunId, epoch: Epoch) -> Result<Change, Refusal> {
    own(&draft, run_id, epoch, None)?;
    end_slice(&mut draft, run_id);
    Ok(draft.done())
}

/// The status of the worker's run, if it is still the worker's own.
fn own(
    draft: &Draft,
    run_id: RunId,
    epoch: Epoch,
    at: Option<Position>,
) -> Result<RunStatus, Refusal> {
    let run = draft.state.unfinished_run().filter(|run| run.id == run_id);
    match run {
        Some(run) if draft.state.lease.epoch == epoch && at.is_none_or(|at| at == run.position) => {
            Ok(run.status)
        }
        _ => Err(Refusal::Overtaken),
    }
}

fn begin(draft: &mut Draft, run_id: RunId, opening: &Begin) {
    if let Some(run) = draft.state.run.as_mut() {
        run.position = Position {
            begun: true,
            ..opening.position
        };
        run.memory_from = opening.memory_from.unwrap_or(run.memory_from);
    }
    draft.set_phase(opening.phase, opening.step);
    draft.push_all(run_id, &opening.events);
}

/// A paused run keeps what its step brought and begins nothing; what would have ended it waits for the resume.
fn stop_after_step(draft: &mut Draft, run_id: RunId, next: &Next) {
    match next {
        Next::Go(opening) => {
            set_answer_used(draft);
            if let Some(run) = draft.state.run.as_mut() {
                run.position = Position {
                    begun: false,
                    ..opening.position
                };
                run.memory_from = opening.memory_from.unwrap_or(run.memory_from);
            }
        }
        Next::Fail(failure) => {
            let message = format!(
                "The step failed and is tried again on resume: {}",
                failure.error
            );
            draft.push(Some(run_id), EventBody::Output { message });
        }
        Next::Again | Next::Ask(_) | Next::Done(_) => {}
    }
    draft.release_lease();
    if !draft.has_events() {
        let hops = draft.state.run.as_ref().map_or(0, |run| run.hops);
        draft.push(Some(run_id), EventBody::SliceEnded { hops });
    }
}

/// Gives the lease back; the run goes on in the next message, unless messages seem to turn in a circle.
fn end_slice(draft: &mut Draft, run_id: RunId) {
    let now = draft.now;
    let Some(run) = draft.state.run.as_mut() else {
        return;
    };
    run.hops += 1;
    run.queued_at = now;
    run.sends = 0;
    let hops = run.hops;
    draft.release_lease();
    if hops > MAX_HOPS {
        draft.fail_run(&Failure {
            error: format!("The run was carried on {MAX_HOPS} times without coming to its end."),
            code: "too_many_hops".into(),
            error_type: "HopLimit".into(),
        });
        return;
    }
    draft.push(Some(run_id), EventBody::SliceEnded { hops });
}

fn ask(draft: &mut Draft, run_id: RunId, request: &ApprovalRequest) {
    draft.push(Some(run_id), EventBody::ApprovalRequested(request.clone()));
    draft.record(Record::ApprovalAsked(ApprovalRow {
        approval_id: request.approval_id,
        run_id,
        step_id: request.step_id.clone(),
        checkpoint_type: request.checkpoint_type.clone(),
        message: request.message.clone(),
        options: request.options.clone(),
        context: request.context.clone(),
        status: ApprovalStatus::Pending,
        resolution: None,
        feedback: None,
        modifications: None,
        resolved_by: None,
        created_at: draft.now,
        expires_at: request.expires_at,
        resolved_at: None,
    }));
    draft.state.approval = Some(OpenApproval {
        id: request.approval_id,
        checkpoint: request.checkpoint_type.clone(),
        options: request.options.clone(),
        expires_at: request.expires_at,
    });
    draft.release_lease();
    set_run_status(draft, RunStatus::WaitingApproval);
    draft.set_status(
        SessionStatus::Suspended,
        Some(SuspendReason::ApprovalRequired),
    );
}

fn complete(draft: &mut Draft, run_id: RunId, result: &EventBody) {
    let Some(run) = draft.state.run.as_ref() else {
        return;
    };
    let (node_id, mode) = (run.position.node(), draft.state.mode);
    let execution_time = run
        .started_at
        .map_or(0.0, |at| draft.now.since(at).as_secs_f64());
    draft.push_all(
        run_id,
        &[
            EventBody::DagNodeStatusChanged {
                node_id,
                old_status: NodeStatus::Running,
                new_status: NodeStatus::Completed,
            },
            result.clone(),
            EventBody::WorkflowCompleted {
                run_id,
                execution_time,
                mode,
            },
            EventBody::Complete {
                message: "The run is complete.".into(),
            },
        ],
    );
    draft.end_run(RunStatus::Completed, None);
    draft.set_phase(Phase::Completed, None);
    draft.set_status(SessionStatus::Completed, None);
}

fn set_run_status(draft: &mut Draft, status: RunStatus) {
    if let Some(run) = draft.state.run.as_mut() {
        run.status = status;
    }
}

fn set_answer_used(draft: &mut Draft) {
    if let Some(run) = draft.state.run.as_mut() {
        run.answer = None;
    }
}
