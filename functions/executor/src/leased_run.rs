//! A run whose lease this worker holds: step after step, each commit holding what came of one and the beginning of the next.
//!
//! Every append may find that somebody was first. The command is then decided again on the new state, so that a step's
//! work is kept whatever came meanwhile; the state that comes back says whether this worker goes on.

use std::time::{Duration, Instant};

use lambda_kit::{Problem, QueueMessage, metrics, now};
use session::{
    ApprovalId, Command, Epoch, Next, Position, Progress, Refusal, RunFailure, RunId, RunStatus,
    Stage, StageStart, State,
};
use session_manager::{Actor, ChangeError, Committed};
use uuid::Uuid;
use workflow::{Engine, Work, calls_arxiv_at};

use crate::ask::WorkResult;
use crate::event_pusher::EventPusher;
use crate::load::LoadedRun;
use crate::slot::whole_seconds;
use crate::units::{DocumentWorker, OpenDocuments};
use crate::{Deadline, Executor};

/// How long a run waits before a stage that was put off is tried again; doubles with each try. Shorter than
/// `REQUEUE_SECONDS` by default, or the sweeper would send the message before.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(25);

/// How long the last pushes may take; a client that misses one asks for it.
const PUSH_TIME: Duration = Duration::from_secs(3);

/// A run that this worker holds the lease of.
pub(crate) struct LeasedRun<'a> {
    executor: &'a Executor,
    loaded: LoadedRun,
    state: State,
    run: RunId,
    epoch: Epoch,
    live: EventPusher,
    deadline: Deadline,
    /// When it took the slot of arXiv, if it did.
    slot: Option<Instant>,
    /// What is kept open of a document from one unit to the next.
    documents: OpenDocuments,
    /// Somebody took the run away: nothing of it is this worker's business any more.
    overtaken: bool,
    /// How long a service asked to be left alone.
    retry_after: Duration,
}

impl<'a> LeasedRun<'a> {
    /// After the commit that took the lease.
    pub async fn new(
        executor: &'a Executor,
        loaded: LoadedRun,
        run: RunId,
        committed: Committed,
        slot: Option<Instant>,
        deadline: Deadline,
    ) -> Result<Self, ChangeError> {
        let state = committed.state.clone();
        let mut held = Self {
            executor,
            loaded,
            run,
            epoch: state.lease.epoch,
            live: EventPusher::start(executor.outbox.push().clone(), state.session_id),
            state,
            deadline,
            slot,
            documents: OpenDocuments::default(),
            overtaken: false,
            retry_after: Duration::ZERO,
        };
        held.absorb(committed).await?;
        Ok(held)
    }

    /// Works until the run is done, waits, is somebody else's, or the time is up.
    pub async fn work(mut self) -> Result<(), Problem> {
        let worked = self.steps().await;
        self.live.finish(PUSH_TIME).await;
        let pause = worked?;
        if let Some(wake) = self.state.wake(now()).filter(|_| !self.overtaken) {
            self.executor
                .outbox
                .enqueue_after(QueueMessage::Wake(wake), pause)
                .await;
        }
        Ok(())
    }

    /// Step after step; the pause that the next message should make.
    async fn steps(&mut self) -> Result<Duration, Problem> {
        while self.is_ours() {
            let Some(progress) = self.step().await else {
                self.append(Command::YieldLease {
                    run: self.run,
                    epoch: self.epoch,
                })
                .await?;
                break;
            };
            let yield_lease = self.is_last(&progress.next);
            let again = matches!(progress.next, Next::RetryLater);
            self.commit(progress, yield_lease).await?;
            if again {
                return Ok(self.pause());
            }
        }
        Ok(self.until_the_next_slot())
    }

    /// What comes of the next step; none when there is no time for it.
    async fn step(&mut self) -> Option<Progress> {
        let LoadedRun {
            settings,
            unusable,
            memory,
            history,
        } = &self.loaded;
        let engine = Engine::on(&self.state, settings, memory)?;
        if let Some(failure) = unusable {
            return Some(self.failing(failure.clone()));
        }
        let asked = match engine.work(now()) {
            Work::Commit(progress) => return Some(*progress),
            Work::AskPerson(question) => {
                let id = ApprovalId::new(Uuid::now_v7());
                let expires_at = now().plus(self.executor.sessions.rules().approval_ttl);
                return Some(engine.ask(*question, id, expires_at));
            }
            Work::DocumentTask(document) => {
                let mut unit = DocumentWorker {
                    executor: self.executor,
                    state: &self.state,
                    settings,
                    memory,
                    document: &document,
                    run: self.run,
                    deadline: self.deadline,
                    slot: self.slot,
                    documents: &mut self.documents,
                };
                unit.work().await
            }
            Work::Ask(request) => {
                let executor = self.executor;
                executor
                    .ask(&self.state, &request, history, self.deadline)
                    .await
            }
        };
        match asked {
            WorkResult::Came(outcome, retry_after) => {
                let progress = engine.advance(&outcome, now());
                self.retry_after = retry_after.unwrap_or_default();
                Some(progress)
            }
            WorkResult::NoTime => None,
        }
    }

    /// The end of the run where it stands, for a reason of ours.
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

    async fn commit(&mut self, progress: Progress, yield_lease: bool) -> Result<(), Problem> {
        let (run, epoch) = (self.run, self.epoch);
        let command = |progress| Command::Commit {
            run,
            epoch,
            progress,
            yield_lease,
        };
        match self.append(command(progress)).await {
            Err(ChangeError::TooLarge(error)) => {
                // It would be too large the next time as well.
                tracing::error!(session = %self.state.session_id, error = %error, "step too large");
                let failed = self.failing(RunFailure {
                    error: "The step brought more than can be stored.".into(),
                    code: "too_large".into(),
                    error_type: "SizeLimit".into(),
                });
                Ok(self.append(command(failed)).await?)
            }
            other => Ok(other?),
        }
    }

    /// Appends, as long as trouble may pass and there is time: a model was paid for what is in the command.
    async fn append(&mut self, command: Command) -> Result<(), ChangeError> {
        let sessions = &self.executor.sessions;
        let appended = self
            .deadline
            .patiently(|| sessions.commit_on(self.state.clone(), &command, now()))
            .await;
        match appended {
            Ok(committed) => self.absorb(committed).await,
            Err(ChangeError::Refused(refusal, _)) => self.refused(refusal).await,
            Err(error) => Err(error),
        }
    }

    /// Somebody was first. That may have been this worker itself, in an attempt that seemed to fail and did not.
    async fn refused(&mut self, refusal: Refusal) -> Result<(), ChangeError> {
        let id = self.state.session_id;
        let sessions = &self.executor.sessions;
        let newest = self
            .deadline
            .patiently(async || Ok(sessions.state(id, &Actor::System).await?))
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

    /// Remembers what was committed, also by others in between, and tells the followers of what was its own.
    async fn absorb(&mut self, committed: Committed) -> Result<(), ChangeError> {
        let Committed {
            state, envelopes, ..
        } = committed;
        let memory = &mut self.loaded.memory;
        let next = memory.seen().plus(1);
        let known = envelopes
            .first()
            .and_then(|first| first.seq)
            .unwrap_or(next);
        if known > next || (envelopes.is_empty() && state.last_seq >= next) {
            let sessions = &self.executor.sessions;
            let missed = self
                .deadline
                .patiently(async || {
                    Ok(sessions
                        .record(state.session_id, next, state.last_seq)
                        .await?)
                })
                .await?;
            memory.apply(&missed);
        }
        memory.apply(&envelopes);
        metrics::committed(state.mode, &envelopes);
        self.live.push(envelopes);
        self.state = state;
        Ok(())
    }

    /// Whether this worker goes on: its lease stands, and the run is not paused, waiting or over.
    fn is_ours(&self) -> bool {
        !self.overtaken && self.is_ours_in(&self.state)
    }

    fn is_ours_in(&self, state: &State) -> bool {
        let running = state
            .unfinished_run()
            .is_some_and(|run| run.id == self.run && run.status == RunStatus::Running);
        running && state.lease.epoch == self.epoch && state.lease.until.is_some()
    }

    /// Whether the lease is given back with this commit: what follows waits for arXiv's slot, or it needs a call and none
    /// would fit any more.
    fn is_last(&self, next: &Next) -> bool {
        let Next::Advance(StageStart { position, .. }) = next else {
            return false;
        };
        if calls_arxiv_at(*position) {
            return true;
        }
        let needs_a_call = position.stage != Stage::Finish && !position.stage.asks();
        needs_a_call && !self.deadline.leaves(self.executor.agents.time_for_a_call())
    }

    /// A run that has used the slot and needs it again comes back when it is free.
    fn until_the_next_slot(&self) -> Duration {
        let run = self.state.unfinished_run();
        let waits = run.is_some_and(|run| calls_arxiv_at(run.position));
        let every = self.executor.papers.every;
        match self.slot.filter(|_| waits) {
            Some(taken_at) => whole_seconds(every.saturating_sub(taken_at.elapsed())),
            None => Duration::ZERO,
        }
    }

    fn pause(&self) -> Duration {
        let run = self.state.unfinished_run();
        let tries = run.map_or(0, |run| run.position.tries);
        let own = FIRST_PAUSE * 2_u32.saturating_pow(tries.saturating_sub(1).min(8));
        own.max(self.retry_after).min(LONGEST_PAUSE)
    }
}
