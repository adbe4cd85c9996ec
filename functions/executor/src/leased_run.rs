//! A run whose lease this worker holds. Each commit has the result of one step and the start of the
//! next.
//!
//! Another writer may append first. The command is then decided again on the new state, so that the
//! work of a step is kept. The state after the commit says whether this worker continues.

use std::time::Duration;

use lambda_kit::{Problem, causes, metrics, now};
use session::{
    ApprovalId, Command, Epoch, Next, Position, Progress, Refusal, RunFailure, RunId, RunStatus,
    Stage, StageStart, State, WorkerKind, plus_usd,
};
use session_manager::{Actor, ChangeError, Committed};
use uuid::Uuid;
use workflow::{Engine, Work};

use crate::admission::needs_admission;
use crate::ask::WorkResult;
use crate::event_pusher::EventPusher;
use crate::load::LoadedRun;
use crate::{Deadline, DocumentTasks, Executor, TaskContext};

/// The pause before a failed stage is tried again. It doubles with each try and stays below the
/// default of `REQUEUE_SECONDS`, after which the sweeper would send the message.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(25);

/// A run whose lease this worker holds.
pub(crate) struct LeasedRun<'a, T: DocumentTasks> {
    executor: &'a Executor<T>,
    loaded: LoadedRun,
    state: State,
    run: RunId,
    epoch: Epoch,
    pusher: EventPusher,
    deadline: Deadline,
    /// What the document tasks of this slice share.
    shared: T::Shared,
    /// Whether another writer has ended the run or taken its lease.
    overtaken: bool,
    /// The pause that a service or a task asked for.
    pause: Duration,
}

impl<'a, T: DocumentTasks> LeasedRun<'a, T> {
    /// Begins with the commit that took the lease.
    pub async fn new(
        executor: &'a Executor<T>,
        loaded: LoadedRun,
        run: RunId,
        committed: Committed,
        deadline: Deadline,
    ) -> Result<Self, ChangeError> {
        let state = committed.state.clone();
        let mut leased = Self {
            executor,
            loaded,
            run,
            epoch: state.lease.epoch,
            pusher: EventPusher::new(executor.outbox.push().clone(), state.session_id),
            state,
            deadline,
            shared: T::Shared::default(),
            overtaken: false,
            pause: Duration::ZERO,
        };
        leased.absorb(committed).await?;
        Ok(leased)
    }

    /// Works until the run is done or waits, another worker takes it, or the time is up.
    pub async fn work(mut self) -> Result<(), Problem> {
        let worked = self.steps().await;
        self.pusher.finish().await;
        let pause = worked?;
        if let Some(wake) = self.state.wake(now()).filter(|_| !self.overtaken) {
            self.executor.continue_later(&self.state, wake, pause).await;
        }
        Ok(())
    }

    /// Does one step after another. Returns the pause before the next message.
    async fn steps(&mut self) -> Result<Duration, Problem> {
        while self.is_ours() {
            let Some(progress) = self.step().await else {
                self.append(&Command::YieldLease {
                    run: self.run,
                    epoch: self.epoch,
                })
                .await?;
                return Ok(self.pause);
            };
            self.book(progress.cost_usd).await;
            let yield_lease = self.is_last(&progress.next);
            let retries_later = matches!(progress.next, Next::RetryLater { .. });
            self.commit(progress, yield_lease).await?;
            if retries_later {
                return Ok(self.retry_pause());
            }
        }
        Ok(Duration::ZERO)
    }

    /// Does the next step. Returns `None` if it belongs to another invocation.
    async fn step(&mut self) -> Option<Progress> {
        let LoadedRun {
            settings,
            unusable,
            history,
            conversation,
        } = &self.loaded;
        self.pause = Duration::ZERO;
        let engine = Engine::on(&self.state, settings, history)?;
        if let Some(failure) = unusable {
            return Some(self.failing(failure.clone()));
        }
        let result = match engine.work(now()) {
            Work::Commit(progress) => return Some(*progress),
            Work::AskPerson(prompt) => {
                let id = ApprovalId::new(Uuid::now_v7());
                let expires_at = now().plus(self.executor.sessions.rules().approval_ttl);
                return Some(engine.ask(*prompt, id, expires_at));
            }
            Work::DocumentTask(task) => {
                let executor = self.executor;
                let context = TaskContext {
                    sessions: &executor.sessions,
                    agents: &executor.agents,
                    artifacts: &executor.artifacts,
                    state: &self.state,
                    settings,
                    history,
                    task: &task,
                    run: self.run,
                    deadline: self.deadline,
                };
                context.work(&executor.tasks, &mut self.shared).await
            }
            Work::Ask(request) => {
                let executor = self.executor;
                executor
                    .ask(&self.state, &request, conversation, self.deadline)
                    .await
            }
        };
        match result {
            WorkResult::Came(outcome, retry_after) => {
                let progress = engine.advance(&outcome, now());
                self.pause = retry_after.unwrap_or_default();
                Some(progress)
            }
            WorkResult::NotYet(pause) => {
                self.pause = pause;
                None
            }
        }
    }

    /// Ends the run at its position with a failure.
    fn failing(&self, failure: RunFailure) -> Progress {
        Progress {
            at: self
                .state
                .run
                .as_ref()
                .map_or(Position::OPEN, |run| run.position),
            work: Vec::new(),
            cost_usd: 0.0,
            tokens: 0,
            next: Next::Fail(failure),
        }
    }

    /// Books a cost on its owner's day before it is committed: it is spent, whatever becomes of the
    /// commit. Sets how far the run may go from there.
    async fn book(&mut self, cost_usd: f64) {
        if cost_usd <= 0.0 {
            return;
        }
        let (sessions, state) = (&self.executor.sessions, &self.state);
        match sessions.spend(&state.owner, cost_usd, now()).await {
            Ok(left) => {
                let before = state.run.as_ref().map_or(0.0, |run| run.cost_usd);
                let spent = plus_usd(before, cost_usd);
                self.loaded.settings.caps.today = left.map(|left| plus_usd(spent, left));
            }
            // A paid answer is worth more than an exact sum.
            Err(error) => {
                let (session, causes) = (state.session_id, causes(&error));
                tracing::error!(%session, cost_usd, causes, "cost not booked on its owner's day");
            }
        }
    }

    async fn commit(&mut self, progress: Progress, yield_lease: bool) -> Result<(), Problem> {
        let (run, epoch) = (self.run, self.epoch);
        let command = |progress| Command::Commit {
            run,
            epoch,
            progress,
            yield_lease,
        };
        let commit = command(progress);
        match self.append(&commit).await {
            Err(error @ (ChangeError::TooLarge(_) | ChangeError::Unstorable(_))) => {
                // A retry would bring the same.
                tracing::error!(session = %self.state.session_id, error = %error, causes = causes(&error), "step not stored");
                let Command::Commit { progress, .. } = commit else {
                    return Err(error.into());
                };
                let failed = progress.failed(not_stored(&error));
                Ok(self.append(&command(failed)).await?)
            }
            other => Ok(other?),
        }
    }

    /// Appends, and repeats a temporary failure while there is time: the command has a paid answer.
    async fn append(&mut self, command: &Command) -> Result<(), ChangeError> {
        self.pusher.keep_up().await;
        let sessions = &self.executor.sessions;
        let appended = self
            .deadline
            .retry(|| sessions.commit_on(self.state.clone(), command, now()))
            .await;
        match appended {
            Ok(committed) => self.absorb(committed).await,
            Err(ChangeError::Refused(refusal, _)) => self.refused(refusal).await,
            Err(error) => Err(error),
        }
    }

    /// Another append came first. It may be an attempt of this worker whose reply was lost.
    async fn refused(&mut self, refusal: Refusal) -> Result<(), ChangeError> {
        let id = self.state.session_id;
        let sessions = &self.executor.sessions;
        let newest = self
            .deadline
            .retry(async || Ok(sessions.state(id, &Actor::System).await?))
            .await?;
        if self.is_ours_in(&newest) {
            return self
                .absorb(Committed {
                    state: newest,
                    envelopes: Vec::new(),
                    row_changes: Vec::new(),
                })
                .await;
        }
        tracing::info!(session = %id, run = %self.run, %refusal, "overtaken");
        self.overtaken = true;
        Ok(())
    }

    /// Adds all new events to the run's history, and pushes those that this worker committed.
    async fn absorb(&mut self, committed: Committed) -> Result<(), ChangeError> {
        let Committed {
            state, envelopes, ..
        } = committed;
        let history = &mut self.loaded.history;
        let next = history.seen().plus(1);
        let known = envelopes
            .first()
            .and_then(|first| first.seq)
            .unwrap_or(next);
        if known > next || (envelopes.is_empty() && state.last_seq >= next) {
            let sessions = &self.executor.sessions;
            let missed = self
                .deadline
                .retry(async || {
                    Ok(sessions
                        .record(state.session_id, next, state.last_seq)
                        .await?)
                })
                .await?;
            history.apply(&missed);
        }
        history.apply(&envelopes);
        metrics::committed(state.mode, &envelopes);
        self.pusher.push(envelopes, state.push_wait(now()));
        self.state = state;
        Ok(())
    }

    /// Whether this worker continues: it holds the lease, and the run is not paused, waiting or
    /// over.
    fn is_ours(&self) -> bool {
        !self.overtaken && self.is_ours_in(&self.state)
    }

    fn is_ours_in(&self, state: &State) -> bool {
        let running = state
            .unfinished_run()
            .is_some_and(|run| run.id == self.run && run.status == RunStatus::Running);
        running && state.lease.epoch == self.epoch && state.lease.until.is_some()
    }

    /// Whether this commit yields the lease, because the next step is of the other kind of worker,
    /// must be admitted first, or calls a model and the time is too short.
    fn is_last(&self, next: &Next) -> bool {
        let Next::Advance(StageStart { position, .. }) = next else {
            return false;
        };
        let worker = WorkerKind::of(self.state.mode, position.stage);
        if worker != T::WORKER || needs_admission(*position) {
            return true;
        }
        let calls_a_model = position.stage != Stage::Finish && !position.stage.asks();
        calls_a_model && !self.deadline.leaves(self.executor.agents.time_for_a_call())
    }

    fn retry_pause(&self) -> Duration {
        let run = self.state.unfinished_run();
        let tries = run.map_or(0, |run| run.position.tries);
        let own = FIRST_PAUSE * 2_u32.saturating_pow(tries.saturating_sub(1).min(8));
        own.max(self.pause).min(LONGEST_PAUSE)
    }
}

/// Why a step that cannot be stored fails.
fn not_stored(error: &ChangeError) -> RunFailure {
    let (error, code, error_type) = match error {
        ChangeError::Unstorable(_) => ("what cannot", "unstorable", "Unstorable"),
        _ => ("more than can", "too_large", "SizeLimit"),
    };
    RunFailure {
        error: format!("The step brought {error} be stored."),
        code: code.into(),
        error_type: error_type.into(),
    }
}
