//! Builds a change: each pushed event gets its seq and updates the state.

use serde_json::json;

use crate::{
    ApprovalAnswer, ApprovalEnd, ApprovalReceived, ApprovalStatus, Change, DESCRIPTION_CHARS,
    Event, EventBody, NewRun, NodeStatus, Phase, Position, Refusal, RowChange, Run, RunEnd,
    RunFailure, RunId, RunRow, RunStatus, SessionStatus, Stage, State, SuspendReason, Timestamp,
};

pub(super) struct ChangeBuilder {
    pub state: State,
    pub now: Timestamp,
    events: Vec<Event>,
    row_changes: Vec<RowChange>,
}

impl ChangeBuilder {
    pub fn on(state: &State, now: Timestamp) -> Self {
        Self {
            state: state.clone(),
            now,
            events: Vec::new(),
            row_changes: Vec::new(),
        }
    }

    pub fn done(self) -> Change {
        Change {
            events: self.events,
            state: self.state,
            row_changes: self.row_changes,
        }
    }

    pub fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    pub fn push(&mut self, run_id: Option<RunId>, body: EventBody) {
        self.state.last_seq = self.state.last_seq.plus(1);
        let seq = self.state.last_seq;
        match &body {
            EventBody::PlanningComplete { .. } => self.state.plan = Some(seq),
            EventBody::WorkflowFailed { .. } => self.state.error = Some(seq),
            body if body.is_message() => {
                self.state.messages += 1;
                self.state.last_message = Some(seq);
            }
            _ => {}
        }
        self.events.push(Event {
            run_id,
            body: body.into(),
        });
    }

    pub fn push_all(&mut self, run_id: RunId, bodies: &[EventBody]) {
        for body in bodies {
            self.push(Some(run_id), body.clone());
        }
    }

    pub fn push_status_event(&mut self, message: &str) {
        let session_id = self.state.session_id;
        self.push(
            None,
            EventBody::Status {
                message: message.into(),
                session_id,
            },
        );
    }

    pub fn push_row(&mut self, row_change: RowChange) {
        self.row_changes.push(row_change);
    }

    pub fn set_status(&mut self, status: SessionStatus, reason: Option<SuspendReason>) {
        if self.state.status != status {
            self.state.status = status;
            self.state.updated_at = self.now;
        }
        self.state.suspend_reason = reason;
    }

    pub fn set_phase(&mut self, phase: Phase, step: Option<u32>) {
        self.state.phase = phase;
        self.state.current_step = step;
    }

    /// Queues a new run with its task.
    pub fn begin_run(&mut self, new: &NewRun) {
        self.state.plan = None;
        let first_seq = self.state.last_seq.plus(1);
        self.install_run(
            new,
            None,
            Run {
                id: new.id,
                status: RunStatus::Queued,
                first_seq,
                history_from: first_seq,
                task_key: None,
                position: Position::OPEN,
                answer: None,
                started_at: None,
                cost_usd: 0.0,
                tokens: 0,
                hops: 0,
                queued_at: self.now,
                sends: 0,
            },
        );
        let session_id = self.state.session_id;
        self.push(
            Some(new.id),
            EventBody::Status {
                message: "Task accepted.".into(),
                session_id,
            },
        );
        self.push(
            Some(new.id),
            EventBody::UserMessage {
                role: crate::Role::User,
                content: new.task.clone(),
                artifact: new.artifact.clone(),
                approval_id: None,
            },
        );
    }

    /// Queues a new run that continues where the failed run stopped.
    pub fn take_over(&mut self, failed: &Run, new: &NewRun) {
        self.install_run(
            new,
            Some(failed.id),
            Run {
                id: new.id,
                status: RunStatus::Queued,
                first_seq: self.state.last_seq.plus(1),
                task_key: None,
                position: Position {
                    begun: false,
                    tries: 0,
                    calls: 0,
                    ..failed.position
                },
                started_at: None,
                cost_usd: 0.0,
                tokens: 0,
                hops: 0,
                queued_at: self.now,
                sends: 0,
                ..failed.clone()
            },
        );
        let message = format!("The run goes on where run {} failed.", failed.id);
        self.push(
            Some(new.id),
            EventBody::WorkflowResumed {
                run_id: new.id,
                message,
            },
        );
    }

    fn install_run(&mut self, new: &NewRun, resumed_from: Option<RunId>, run: Run) {
        self.push_row(RowChange::RunStarted(RunRow {
            id: new.id,
            task_id: new.task_id.as_ref().map(|task_id| task_id.text.clone()),
            mode: self.state.mode,
            agent: new.agent.clone(),
            model: new.model.clone(),
            status: RunStatus::Queued,
            task_description: new.task.chars().take(DESCRIPTION_CHARS).collect(),
            started_at: None,
            completed_at: None,
            is_branch: false,
            error: None,
            resumed_from,
            meta: json!({}),
        }));
        let task_key = new.task_id.as_ref().map(|task_id| task_id.digest.clone());
        self.state.run = Some(Run { task_key, ..run });
        self.state.runs += 1;
        self.state.error = None;
        self.state.lease.attempts = 0;
        self.release_lease();
        self.set_phase(Phase::Init, None);
        self.set_status(SessionStatus::Active, None);
    }

    /// Ends the run: changes its row, closes its open approval and releases the lease.
    pub fn end_run(&mut self, status: RunStatus, error: Option<String>) {
        let Some(run) = self.state.run.as_mut() else {
            return;
        };
        run.status = status;
        let end = RunEnd {
            id: run.id,
            status,
            started_at: run.started_at,
            completed_at: self.now,
            error,
            task_key: run.task_key.clone(),
        };
        self.push_row(RowChange::RunEnded(end));
        self.close_approval(ApprovalStatus::Cancelled, None);
        self.release_lease();
    }

    /// Frees the lease and raises the epoch, so that late or repeated commits of the previous
    /// holder are refused.
    pub fn release_lease(&mut self) {
        self.state.lease.epoch = self.state.lease.epoch.next();
        self.state.lease.until = None;
    }

    pub fn close_approval(&mut self, status: ApprovalStatus, answer: Option<ApprovalAnswer>) {
        if let Some(open) = self.state.approval.take() {
            let at = self.now;
            self.push_row(RowChange::ApprovalClosed(ApprovalEnd {
                id: open.id,
                status,
                answer,
                at,
            }));
        }
    }

    /// Queues the run for the next worker.
    pub fn queue_run(&mut self) {
        let now = self.now;
        if let Some(run) = self.state.run.as_mut() {
            run.status = RunStatus::Queued;
            run.queued_at = now;
            run.sends = 0;
        }
        self.set_status(SessionStatus::Active, None);
    }

    pub fn cancel_run(&mut self, run_id: RunId, message: &str) {
        if let Some(open) = &self.state.approval {
            let closed = ApprovalReceived::unanswered(open.id, "cancelled");
            self.push(Some(run_id), EventBody::ApprovalReceived(closed));
        }
        self.push(
            Some(run_id),
            EventBody::WorkflowCancelled {
                run_id,
                message: message.into(),
            },
        );
        self.end_run(RunStatus::Cancelled, None);
        self.set_status(SessionStatus::Suspended, Some(SuspendReason::UserRequested));
    }

    pub fn fail_run(&mut self, failure: &RunFailure) {
        let Some(run) = self.state.run.as_ref() else {
            return;
        };
        let (id, position) = (run.id, run.position);
        if position.node_is_running() {
            self.push(
                Some(id),
                EventBody::DagNodeStatusChanged {
                    node_id: position.node(),
                    old_status: NodeStatus::Running,
                    new_status: NodeStatus::Failed,
                },
            );
        }
        if position.stage == Stage::Step && position.begun {
            let error = failure.error.clone();
            self.push(
                Some(id),
                EventBody::StepFailed {
                    step_number: position.step,
                    error,
                },
            );
        }
        self.push(
            Some(id),
            EventBody::WorkflowFailed {
                run_id: id,
                error: failure.error.clone(),
                failed_step: Some(position.node()),
            },
        );
        self.push(
            Some(id),
            EventBody::Error {
                message: failure.error.clone(),
                error_type: failure.error_type.clone(),
                code: failure.code.clone(),
            },
        );
        self.end_run(RunStatus::Failed, Some(failure.error.clone()));
        self.set_phase(Phase::Failed, None);
        self.set_status(SessionStatus::Suspended, Some(SuspendReason::RunFailed));
    }

    /// Returns the unfinished run, or `None` if there is none.
    ///
    /// # Errors
    /// A [`Refusal`] if `meant` names a run that is not the newest one or has ended.
    pub fn unfinished(&self, meant: Option<RunId>) -> Result<Option<RunId>, Refusal> {
        match (&self.state.run, meant) {
            (Some(run), Some(id)) if run.id != id => Err(Refusal::NoSuchRun),
            (None, Some(_)) => Err(Refusal::NoSuchRun),
            (Some(run), Some(_)) if run.status.is_final() => Err(Refusal::RunEnded(run.status)),
            (Some(run), _) if !run.status.is_final() => Ok(Some(run.id)),
            _ => Ok(None),
        }
    }
}
