//! The commands of workers: take the lease, commit the outcome of a stage, yield the lease.

use super::{MAX_ATTEMPTS, MAX_HOPS, change_builder::ChangeBuilder};
use crate::{
    ApprovalRequest, ApprovalRow, ApprovalStatus, Change, Epoch, EventBody, Next, NodeStatus,
    OpenApproval, Phase, Position, Progress, Refusal, RowChange, RunFailure, RunId, RunStatus,
    SessionStatus, StageStart, SuspendReason, Timestamp, plus_usd,
};

pub(super) fn take_lease(
    mut change: ChangeBuilder,
    run_id: RunId,
    until: Timestamp,
    at: Position,
    opening: &StageStart,
) -> Result<Change, Refusal> {
    let now = change.now;
    let leased = change.state.is_leased(now);
    let Some(run) = change
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
    if change.state.lease.attempts >= MAX_ATTEMPTS {
        change.fail_run(&RunFailure {
            error: format!(
                "The worker was lost {MAX_ATTEMPTS} times in a row at {}.",
                at.node()
            ),
            code: "worker_lost".into(),
            error_type: "WorkerLost".into(),
        });
        return Ok(change.done());
    }
    run.status = RunStatus::Running;
    run.started_at.get_or_insert(now);
    let attempt = change.state.lease.attempts + 1;
    change.state.lease.epoch = change.state.lease.epoch.next();
    change.state.lease.until = Some(until);
    change.state.lease.attempts = attempt;
    if opening.events.is_empty() {
        change.push(Some(run_id), EventBody::SliceStarted { attempt });
    }
    begin_stage(&mut change, run_id, opening);
    Ok(change.done())
}

pub(super) fn commit(
    mut change: ChangeBuilder,
    run_id: RunId,
    epoch: Epoch,
    progress: &Progress,
    yield_lease: bool,
) -> Result<Change, Refusal> {
    let status = owned_run_status(&change, run_id, epoch, Some(progress.at))?;
    change.push_all(run_id, &progress.work);
    change.state.lease.attempts = 0;
    if let Some(run) = change.state.run.as_mut() {
        run.cost_usd = plus_usd(run.cost_usd, progress.cost_usd);
        run.tokens += progress.tokens;
    }
    if status == RunStatus::Paused {
        stop_after_step(&mut change, run_id, &progress.next);
        return Ok(change.done());
    }
    // A run that was paused and resumed during the worker's step is queued; it is running again.
    set_run_status(&mut change, RunStatus::Running);
    match &progress.next {
        Next::Advance(opening) => {
            clear_answer(&mut change);
            begin_stage(&mut change, run_id, opening);
            if yield_lease {
                end_slice(&mut change, run_id);
            }
        }
        Next::RetryLater { calls } => {
            if let Some(run) = change.state.run.as_mut() {
                run.position.tries += 1;
                run.position.calls = run.position.calls.saturating_add(*calls);
            }
            end_slice(&mut change, run_id);
        }
        Next::Ask(request) => request_approval(&mut change, run_id, request),
        Next::Complete(result) => complete(&mut change, run_id, result),
        Next::Fail(failure) => change.fail_run(failure),
    }
    Ok(change.done())
}

pub(super) fn yield_lease(
    mut change: ChangeBuilder,
    run_id: RunId,
    epoch: Epoch,
) -> Result<Change, Refusal> {
    owned_run_status(&change, run_id, epoch, None)?;
    // This worker was not lost. `MAX_HOPS` limits how often a run yields without progress.
    change.state.lease.attempts = 0;
    end_slice(&mut change, run_id);
    Ok(change.done())
}

/// Returns the status of the run if the worker still holds the lease, which its epoch proves.
/// A commit must also come from the engine's current position.
fn owned_run_status(
    change: &ChangeBuilder,
    run_id: RunId,
    epoch: Epoch,
    at: Option<Position>,
) -> Result<RunStatus, Refusal> {
    let run = change.state.unfinished_run().filter(|run| run.id == run_id);
    match run {
        Some(run)
            if change.state.lease.epoch == epoch && at.is_none_or(|at| at == run.position) =>
        {
            Ok(run.status)
        }
        _ => Err(Refusal::Overtaken),
    }
}

fn begin_stage(change: &mut ChangeBuilder, run_id: RunId, opening: &StageStart) {
    if let Some(run) = change.state.run.as_mut() {
        run.position = Position {
            begun: true,
            ..opening.position
        };
        run.history_from = opening.history_from.unwrap_or(run.history_from);
    }
    change.set_phase(opening.phase, opening.step);
    change.push_all(run_id, &opening.events);
}

/// Keeps the work of a paused run and begins no stage. A stage that would end the run is repeated
/// on resume.
fn stop_after_step(change: &mut ChangeBuilder, run_id: RunId, next: &Next) {
    match next {
        Next::Advance(opening) => {
            clear_answer(change);
            if let Some(run) = change.state.run.as_mut() {
                run.position = Position {
                    begun: false,
                    ..opening.position
                };
                run.history_from = opening.history_from.unwrap_or(run.history_from);
            }
        }
        Next::Fail(failure) => {
            let message = format!(
                "The step failed and is tried again on resume: {}",
                failure.error
            );
            change.push(Some(run_id), EventBody::Output { message });
        }
        Next::RetryLater { .. } | Next::Ask(_) | Next::Complete(_) => {}
    }
    change.release_lease();
    if !change.has_events() {
        let hops = change.state.run.as_ref().map_or(0, |run| run.hops);
        change.push(Some(run_id), EventBody::SliceEnded { hops });
    }
}

/// Releases the lease and counts a hop. The run continues with the next message, or fails above
/// `MAX_HOPS`.
fn end_slice(change: &mut ChangeBuilder, run_id: RunId) {
    let now = change.now;
    let Some(run) = change.state.run.as_mut() else {
        return;
    };
    run.hops += 1;
    run.queued_at = now;
    run.sends = 0;
    let hops = run.hops;
    change.release_lease();
    if hops > MAX_HOPS {
        change.fail_run(&RunFailure {
            error: format!("The run was carried on {MAX_HOPS} times without coming to its end."),
            code: "too_many_hops".into(),
            error_type: "HopLimit".into(),
        });
        return;
    }
    change.push(Some(run_id), EventBody::SliceEnded { hops });
}

fn request_approval(change: &mut ChangeBuilder, run_id: RunId, request: &ApprovalRequest) {
    change.push(Some(run_id), EventBody::ApprovalRequested(request.clone()));
    change.push_row(RowChange::ApprovalAsked(ApprovalRow {
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
        created_at: change.now,
        expires_at: request.expires_at,
        resolved_at: None,
    }));
    change.state.approval = Some(OpenApproval {
        id: request.approval_id,
        checkpoint: request.checkpoint_type.clone(),
        options: request.options.clone(),
        expires_at: request.expires_at,
    });
    change.release_lease();
    set_run_status(change, RunStatus::WaitingApproval);
    change.set_status(
        SessionStatus::Suspended,
        Some(SuspendReason::ApprovalRequired),
    );
}

fn complete(change: &mut ChangeBuilder, run_id: RunId, result: &EventBody) {
    let Some(run) = change.state.run.as_ref() else {
        return;
    };
    let (node_id, mode) = (run.position.node(), change.state.mode);
    let execution_time = run
        .started_at
        .map_or(0.0, |at| change.now.since(at).as_secs_f64());
    change.push_all(
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
    change.end_run(RunStatus::Completed, None);
    change.set_phase(Phase::Completed, None);
    change.set_status(SessionStatus::Completed, None);
}

fn set_run_status(change: &mut ChangeBuilder, status: RunStatus) {
    if let Some(run) = change.state.run.as_mut() {
        run.status = status;
    }
}

fn clear_answer(change: &mut ChangeBuilder) {
    if let Some(run) = change.state.run.as_mut() {
        run.answer = None;
    }
}
