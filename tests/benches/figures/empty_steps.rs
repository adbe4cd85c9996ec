//! The time and cost of a step whose model answers at once: its commit, its push, and what leads to
//! the next step. The real executor runs planned runs, one at a time and many at once, on new
//! sessions and on sessions with a history. `tests/benches/beside.py` reads the output, which is
//! one JSON object a line, and compares it with other systems.

use std::ops::Range;
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Builder;
use executor::{Deadline, Executor, TextTasks};
use futures::future::try_join_all;
use lambda_kit::{QueueMessage, now};
use serde_json::json;
use session::{Mode, OwnerId, Rules, SessionId, SessionStatus, State};
use session_manager::{Actor, SessionManager};

use crate::Result;
use crate::spy::Request;
use crate::stopwatch::{StepTime, Stopwatch, steps_of};
use crate::worker::executor;
use crate::world::{LEASE, World, new_run};
use crate::{instant_model, planned_run};

/// The lengths of a run.
const STEPS: [u32; 3] = [3, 9, 50];
/// The runs at the same time.
const AT_ONCE: [usize; 2] = [1, 50];
/// The events that a session has before its run.
const HISTORIES: [u64; 2] = [0, 1_000];
/// The least number of measured steps, so that a 99th percentile is not the slowest step.
const MEASURED_STEPS: usize = 500;
/// Runs before the first measurement, so that DynamoDB Local's code is compiled.
const WARM_UP: usize = 100;

/// The observed requests of a run are those of a longer run without those of a shorter one.
const LONGER: u32 = 12;
const SHORTER: u32 = 2;

struct Measured {
    world: World,
    stopwatch: Stopwatch,
    /// Timed.
    sessions: SessionManager,
    /// Sessions with a history.
    grown: Vec<SessionId>,
}

pub async fn print() -> Result<()> {
    let mut measured = Measured::new().await?;
    measured.grow().await?;
    for history in HISTORIES {
        for steps in STEPS {
            measured.print_cost(history, steps).await?;
            for at_once in AT_ONCE {
                measured.print_times(history, steps, at_once).await?;
            }
        }
    }
    Ok(())
}

impl Measured {
    async fn new() -> Result<Self> {
        let world = World::new().await?;
        let stopwatch = Stopwatch::default();
        let aws = aws_config::from_env().load().await;
        let client = Builder::from(&aws).interceptor(stopwatch.clone()).build();
        Ok(Self {
            sessions: SessionManager::new(
                Client::from_conf(client),
                &world.table,
                Rules::default(),
            ),
            world,
            stopwatch,
            grown: Vec::new(),
        })
    }

    /// Makes the sessions with a history by runs of the executor.
    async fn grow(&mut self) -> Result<()> {
        let steps = STEPS[STEPS.len() - 1];
        let executor = self.executor(steps).await?;
        let short = self.executor(STEPS[0]).await?;
        let warm_up = self.queue(0, STEPS[0], 0..WARM_UP).await?;
        for runs in warm_up.chunks(AT_ONCE[1]) {
            try_join_all(runs.iter().map(|state| work(&short, state))).await?;
        }
        let most = HISTORIES[HISTORIES.len() - 1];
        let mut states = self.queue(0, steps, 0..AT_ONCE[1]).await?;
        loop {
            try_join_all(states.iter().map(|state| work(&executor, state))).await?;
            self.grown = states.iter().map(|state| state.session_id).collect();
            if self.state(self.grown[0]).await?.last_seq.0 >= most {
                return Ok(());
            }
            states = self.queue(most, steps, 0..AT_ONCE[1]).await?;
        }
    }

    async fn print_times(&self, history: u64, steps: u32, at_once: usize) -> Result<()> {
        let executor = self.executor(steps).await?;
        let runs = MEASURED_STEPS.div_ceil(steps as usize);
        let runs = runs.next_multiple_of(at_once);
        let (mut whole, mut in_steps) = (Duration::ZERO, Duration::ZERO);
        let (mut own, mut storage) = (Some(0.0), Some(0.0));
        let mut times = Vec::new();
        for first in (0..runs).step_by(at_once) {
            let states = self.queue(history, steps, first..first + at_once).await?;
            self.stopwatch.take();
            let (begun, cpu) = (Instant::now(), CpuSeconds::now());
            try_join_all(states.iter().map(|state| work(&executor, state))).await?;
            whole += begun.elapsed();
            let cpu = CpuSeconds::now().since(cpu);
            own = own.zip(cpu.own).map(|(sum, spent)| sum + spent);
            storage = storage.zip(cpu.storage).map(|(sum, spent)| sum + spent);
            self.check_completed(&states).await?;
            let commits = self.stopwatch.take();
            let done: Vec<StepTime> = commits.iter().flat_map(|run| steps_of(run)).collect();
            let begin = done.iter().map(|step| step.begun).min();
            let end = done.iter().map(|step| step.ended).max();
            in_steps += end
                .zip(begin)
                .map_or(Duration::ZERO, |(end, begin)| end - begin);
            times.extend(done.iter().map(StepTime::milliseconds));
        }
        if times.len() != runs * steps as usize {
            return Err(format!("{} steps of {runs} runs of {steps}", times.len()).into());
        }
        let line = json!({
            "kind": "times", "system": "worker",
            "history": history, "steps": steps, "at_once": at_once,
            "wall_s": in_steps.as_secs_f64(), "run_s": whole.as_secs_f64(),
            "own_cpu_s": own, "storage_cpu_s": storage,
            "step_ms": times,
        });
        println!("{line}");
        Ok(())
    }

    async fn print_cost(&self, history: u64, steps: u32) -> Result<()> {
        let (settings, _) = planned_run::planned_settings(steps as usize)?;
        let mut commits = Vec::new();
        let state = self.queue(history, steps, 0..1).await?.remove(0);
        planned_run::work_off(&self.world, &settings, state, None, &mut commits).await?;
        commits.retain(|commit| commit.is_step);
        let mean = |of: fn(&planned_run::Commit) -> usize| {
            commits.iter().map(of).sum::<usize>() as f64 / commits.len() as f64
        };
        let (short, long) = (
            self.requests(history, SHORTER).await?,
            self.requests(history, LONGER).await?,
        );
        let a_step = |short: f64, long: f64| (long - short) / f64::from(LONGER - SHORTER);
        let line = json!({
            "kind": "cost", "system": "worker", "history": history, "steps": steps,
            "requests": a_step(short.0, long.0), "read_units": a_step(short.1, long.1),
            "write_units": mean(|commit| commit.cost.aws.total()),
            "bytes": mean(|commit| commit.cost.bytes),
        });
        println!("{line}");
        Ok(())
    }

    /// The requests of a run, and those for followers. Each of these costs a read unit: a strongly
    /// consistent query that finds nothing.
    async fn requests(&self, history: u64, steps: u32) -> Result<(f64, f64)> {
        let executor = executor(&self.world.sessions, instant_model::config(steps).await).await?;
        let state = self.queue(history, steps, 0..1).await?.remove(0);
        self.world.spy.take();
        work(&executor, &state).await?;
        let seen = self.world.spy.take();
        let followers = seen.requests.iter();
        let followers = followers.filter(|request| **request == Request::Followers);
        Ok((seen.sent as f64, followers.count() as f64))
    }

    async fn executor(&self, steps: u32) -> Result<Executor<TextTasks>> {
        executor(&self.sessions, instant_model::config(steps).await).await
    }

    /// Sessions with a run that waits for a worker: new ones, or those with a history in turn.
    async fn queue(&self, history: u64, steps: u32, runs: Range<usize>) -> Result<Vec<State>> {
        let config = json!({"maxPlanSteps": steps}).to_string();
        let mut states = Vec::new();
        for number in runs {
            let owner = OwnerId::of("empty steps", &number.to_string());
            let mode = Mode::PlanningControl;
            states.push(match self.grown.get(number % self.grown.len().max(1)) {
                Some(&id) if history > 0 => {
                    let state = self.state(id).await?;
                    let run = new_run();
                    let sessions = &self.world.sessions;
                    let queued = sessions.start_run(state, &run, Some(&config), None, now());
                    queued.await?.state
                }
                _ => self.world.queued(&owner, mode, &config).await?,
            });
        }
        Ok(states)
    }

    async fn check_completed(&self, states: &[State]) -> Result<()> {
        for state in states {
            match self.state(state.session_id).await?.status {
                SessionStatus::Completed => {}
                other => return Err(format!("the executor left its session {other}").into()),
            }
        }
        Ok(())
    }

    async fn state(&self, id: SessionId) -> Result<State> {
        Ok(self.world.sessions.state(id, &Actor::System).await?)
    }
}

/// Works on a run to its end.
async fn work(executor: &Executor<TextTasks>, state: &State) -> Result<()> {
    let wake = state.wake(now()).ok_or("the run wakes no worker")?;
    let message = Ok(QueueMessage::Wake(wake));
    Ok(executor.handle(message, Deadline::after(LEASE)).await?)
}

/// CPU time of this process and of the storage, if its process is known.
#[derive(Clone, Copy)]
struct CpuSeconds {
    own: Option<f64>,
    storage: Option<f64>,
}

impl CpuSeconds {
    fn now() -> Self {
        Self {
            own: cpu_seconds("self"),
            storage: std::env::var("STORAGE_PID")
                .ok()
                .and_then(|pid| cpu_seconds(&pid)),
        }
    }

    fn since(self, before: Self) -> Self {
        let difference = |after: Option<f64>, before: Option<f64>| Some(after? - before?);
        Self {
            own: difference(self.own, before.own),
            storage: difference(self.storage, before.storage),
        }
    }
}

/// From Linux's process table, whose clock has 100 ticks a second (proc(5)).
fn cpu_seconds(pid: &str) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(") ")?;
    let ticks: Vec<f64> = fields
        .split(' ')
        .skip(11)
        .take(2)
        .flat_map(str::parse)
        .collect();
    Some(ticks.iter().sum::<f64>() / 100.0)
}
