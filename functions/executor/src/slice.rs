//! One slice of a run: take the lease, work step by step, stop where the state says so or the time is up.
//!
//! Every append may find that somebody was first. The command is then decided again on the new state, so that a step's
//! work is kept whatever came meanwhile; the state that comes back says whether this worker goes on.

use std::time::Duration;

use lambda_kit::{Message, Problem, now};
use session::{
    Command, Epoch, Failure, Next, Position, Progress, Refusal, RunId, RunStatus, Stage, State,
    Wake,
};
use session_manager::{Actor, ChangeError, Committed, ReadError};
use workflow::{Engine, Work};

use crate::ask::Asked;
use crate::live::Live;
use crate::load::Loaded;
use crate::{Deadline, Executor};

/// How often a slice looks again when others were at the session between its reading and its taking of the lease.
const LOOKS: usize = 3;

/// How long a run waits before a stage that was put off is tried again; doubles with each try, up to a minute.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// A run that this worker holds the lease of.
struct Held<'a> {
    executor: &'a Executor,
    loaded: Loaded,
    state: State,
    run: RunId,
    epoch: Epoch,
    live: Live,
    deadline: Deadline,
    /// Somebody took the run away: nothing of it is this worker's business any more.
    overtaken: bool,
}

/// What came of the attempt to take a lease.
enum Taken<'a> {
    Held(Box<Held<'a>>),
    /// Somebody else is at it, or it waits, or it is over.
    Not,
    /// The session changed between the reading and the taking.
    Moved,
}

impl Executor {
    /// Works on a run until it is done, waits, or the time is up.
    pub(crate) async fn slice(&self, wake: Wake, deadline: Deadline) -> Result<(), Problem> {
        for _ in 0..LOOKS {
            let state = match self.sessions.state(wake.session_id, &Actor::Engine).await {
                Ok(state) => state,
                Err(ReadError::NoSuchSession) => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            if !is_waiting(&state, wake.run_id) {
                return Ok(());
            }
            match self.take_lease(state, deadline).await? {
                Taken::Held(held) => return held.work().await,
                Taken::Not => return Ok(()),
                Taken::Moved => {}
            }
        }
        // Somebody is busy with it, and whoever that is goes on.
        Ok(())
    }

    async fn take_lease(&self, state: State, deadline: Deadline) -> Result<Taken<'_>, Problem> {
        let Some(run) = state.unfinished_run() else {
            return Ok(Taken::Not);
        };
        let (run_id, at) = (run.id, run.position);
        let mut loaded = self.load(&state, run).await?;
        let model = self
            .agents
            .model(loaded.settings.model(loaded.settings.agent()));
        let Some(engine) = Engine::on(&state, &loaded.settings, &loaded.memory) else {
            return Ok(Taken::Not);
        };
        let opening = engine.open(model);
        let command = Command::TakeLease {
            run: run_id,
            until: deadline.timestamp(),
            at,
            opening,
        };
        let Committed {
            state, envelopes, ..
        } = match self.sessions.commit_on(state, &command, now()).await {
            Ok(committed) => committed,
            Err(ChangeError::Refused(Refusal::Moved, _)) => return Ok(Taken::Moved),
            Err(ChangeError::Refused(refusal, _)) => {
                tracing::info!(run = %run_id, %refusal, "nothing to do");
                return Ok(Taken::Not);
            }
            Err(error) => return Err(error.into()),
        };
        let live = Live::start(self.outbox.push().clone(), state.session_id);
        loaded.memory.apply(&envelopes);
        live.push(envelopes);
        let epoch = state.lease.epoch;
        let held = Held {
            executor: self,
            loaded,
            state,
            run: run_id,
            epoch,
            live,
            deadline,
            overtaken: false,
        };
        Ok(Taken::Held(Box::new(held)))
    }
}

impl Held<'_> {
    async fn work(mut self) -> Result<(), Problem> {
        let worked = self.steps().await;
        self.live.finish().await;
        let pause = worked?;
        if let Some(wake) = self.state.wake(now()).filter(|_| !self.overtaken) {
            self.executor
                .outbox
                .enqueue_after(Message::Wake(wake), pause)
                .await;
        }
        Ok(())
    }

    /// Step after step; the pause that the next message should make.
    async fn steps(&mut self) -> Result<Duration, Problem> {
        while self.is_ours() {
            let Some(progress) = self.step().await else {
                self.append(Command::HandBack {
                    run: self.run,
                    epoch: self.epoch,
                })
                .await?;
                break;
            };
            let hand_back = self.is_last(&progress.next);
            let again = matches!(progress.next, Next::Again);
            self.commit(progress, hand_back).await?;
            if again {
                return Ok(self.pause());
            }
        }
        Ok(Duration::ZERO)
    }

    /// What comes of the next step; none when there is no time for it.
    async fn step(&self) -> Option<Progress> {
        let Loaded {
            settings,
            unusable,
            memory,
            history,
        } = &self.loaded;
        let engine = Engine::on(&self.state, settings, memory)?;
        if let Some(error) = unusable {
            let next = Next::Fail(error.as_failure());
            return Some(Progress {
                at: self.position()?,
                work: Vec::new(),
                cost_usd: 0.0,
                next,
            });
        }
        match engine.work(now()) {
            Work::Commit(progress) => Some(*progress),
            Work::Ask(request) => match self
                .executor
                .ask(&self.state, &request, history, self.deadline)
                .await
            {
                Asked::Came(outcome) => Some(engine.advance(&outcome, now())),
                Asked::NoTime => None,
            },
        }
    }

    async fn commit(&mut self, progress: Progress, hand_back: bool) -> Result<(), Problem> {
        let at = progress.at;
        let command = Command::Commit {
            run: self.run,
            epoch: self.epoch,
            progress,
            hand_back,
        };
        match self.append(command).await {
            Err(ChangeError::TooLarge(error)) => {
                // It would be too large the next time as well.
                tracing::error!(session = %self.state.session_id, error = %error, "step too large");
                let failure = Failure {
                    error: "The step brought more than can be stored.".into(),
                    code: "too_large".into(),
                    error_type: "SizeLimit".into(),
                };
                let progress = Progress {
                    at,
                    work: Vec::new(),
                    cost_usd: 0.0,
                    next: Next::Fail(failure),
                };
                let command = Command::Commit {
                    run: self.run,
                    epoch: self.epoch,
                    progress,
                    hand_back,
                };
                Ok(self.append(command).await?)
            }
            other => Ok(other?),
        }
    }

    /// Appends, tells the followers, and remembers what came, its own and others'.
    async fn append(&mut self, command: Command) -> Result<(), ChangeError> {
        let id = self.state.session_id;
        match self
            .executor
            .sessions
            .commit_on(self.state.clone(), &command, now())
            .await
        {
            Ok(Committed {
                state, envelopes, ..
            }) => {
                let seen = self.loaded.memory.seen();
                if envelopes
                    .first()
                    .and_then(|first| first.seq)
                    .is_some_and(|first| first > seen.plus(1))
                {
                    let missed = self
                        .executor
                        .sessions
                        .record(id, seen.plus(1), state.last_seq)
                        .await?;
                    self.loaded.memory.apply(&missed);
                }
                self.loaded.memory.apply(&envelopes);
                self.live.push(envelopes);
                self.state = state;
                Ok(())
            }
            Err(ChangeError::Refused(refusal, _)) => {
                tracing::info!(session = %id, run = %self.run, %refusal, "overtaken");
                self.overtaken = true;
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Whether this worker goes on: its lease stands, and the run is not paused, waiting or over.
    fn is_ours(&self) -> bool {
        let running = self
            .state
            .unfinished_run()
            .is_some_and(|run| run.id == self.run && run.status == RunStatus::Running);
        running
            && !self.overtaken
            && self.state.lease.epoch == self.epoch
            && self.state.lease.until.is_some()
    }

    fn position(&self) -> Option<Position> {
        self.state.unfinished_run().map(|run| run.position)
    }

    /// Whether the time is up with this commit: no call more would fit, and what follows needs one.
    fn is_last(&self, next: &Next) -> bool {
        let needs_a_call = matches!(next, Next::Go(begin) if begin.position.stage != Stage::Finish);
        needs_a_call && !self.deadline.leaves(self.executor.agents.time_for_a_call())
    }

    fn pause(&self) -> Duration {
        let tries = self.position().map_or(0, |position| position.tries);
        (FIRST_PAUSE * 2_u32.saturating_pow(tries.saturating_sub(1))).min(LONGEST_PAUSE)
    }
}

fn is_waiting(state: &State, run: RunId) -> bool {
    let live = state
        .unfinished_run()
        .is_some_and(|unfinished| unfinished.id == run && unfinished.status.is_live());
    live && !state.is_leased(now())
}
