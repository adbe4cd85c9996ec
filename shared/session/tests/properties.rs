//! No sequence of commands, by several actors, late, doubled and reordered, leads a session out of the contract's table.
//!
//! Two clients, two workers that may sleep for any time and wake up with old news, the clock, and a dead-letter queue all
//! act on one session in random order. After each step the whole state is checked; a refused command must change nothing.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the answer")]

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::json;
use session::*;
use uuid::Uuid;

const RULES: fn() -> Rules = Rules::default;

#[derive(Debug, Clone)]
enum Act {
    Start,
    Suspend {
        named: bool,
    },
    Resume,
    Cancel {
        named: bool,
    },
    ApprovalAnswer {
        option: usize,
        old: bool,
    },
    Delete,
    Take {
        worker: usize,
    },
    Commit {
        worker: usize,
        what: What,
        yield_lease: bool,
    },
    YieldLease {
        worker: usize,
    },
    Recover,
    DeadLetter,
    Wait {
        seconds: u64,
    },
}

#[derive(Debug, Clone)]
enum What {
    Go,
    Again,
    Ask {
        checkpoint: &'static str,
        options: &'static [&'static str],
    },
    Done,
    Fail,
}

fn what() -> impl Strategy<Value = What> {
    prop_oneof![
        6 => Just(What::Go),
        1 => Just(What::Again),
        2 => Just(What::Ask { checkpoint: "after_step", options: &["continue", "abort", "redo"] }),
        1 => Just(What::Ask { checkpoint: "copilot_turn", options: &["submit", "done", "exit"] }),
        2 => Just(What::Done),
        2 => Just(What::Fail),
    ]
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => Just(Act::Start),
        2 => any::<bool>().prop_map(|named| Act::Suspend { named }),
        3 => Just(Act::Resume),
        1 => any::<bool>().prop_map(|named| Act::Cancel { named }),
        3 => (0..4usize, any::<bool>()).prop_map(|(option, old)| Act::ApprovalAnswer { option, old }),
        1 => prop::bool::weighted(0.1).prop_map(|real| if real { Act::Delete } else { Act::Recover }),
        6 => (0..2usize).prop_map(|worker| Act::Take { worker }),
        10 => (0..2usize, what(), any::<bool>())
            .prop_map(|(worker, what, yield_lease)| Act::Commit { worker, what, yield_lease }),
        1 => (0..2usize).prop_map(|worker| Act::YieldLease { worker }),
        3 => Just(Act::Recover),
        1 => Just(Act::DeadLetter),
        3 => prop_oneof![Just(1u64), Just(40), Just(400), Just(90_000), Just(700_000)]
            .prop_map(|seconds| Act::Wait { seconds }),
    ]
}

/// What a worker remembers from when it took the lease: it may be old news by the time it writes.
#[derive(Debug, Clone)]
struct Held {
    run: RunId,
    epoch: Epoch,
    at: Position,
}

struct World {
    state: State,
    now: Timestamp,
    ids: u128,
    held: [Option<Held>; 2],
    last_approval: Option<ApprovalId>,
    sent: Option<Wake>,
    /// Per run: how far its committed steps have come.
    steps: HashMap<RunId, u32>,
    ended: HashMap<RunId, RunStatus>,
}

impl World {
    fn new(mode: Mode) -> Self {
        let now = Timestamp::from_micros(1_790_000_000_000_000).unwrap();
        let change = create(
            &NewSession {
                id: SessionId::new(Uuid::from_u128(1)),
                owner: OwnerId::of("issuer", "ada"),
                mode,
                run: None,
            },
            now,
        );
        Self {
            state: change.state,
            now,
            ids: 100,
            held: [None, None],
            last_approval: None,
            sent: None,
            steps: HashMap::new(),
            ended: HashMap::new(),
        }
    }

    fn uuid(&mut self) -> Uuid {
        self.ids += 1;
        Uuid::from_u128(self.ids)
    }

    fn new_run(&mut self) -> NewRun {
        NewRun {
            id: RunId::new(self.uuid()),
            task: "count the lighthouses".into(),
            artifact: None,
            task_id: None,
            agent: "researcher".into(),
            model: "offline".into(),
        }
    }

    fn command(&mut self, act: &Act) -> Option<Command> {
        let run = self.state.run.as_ref().map(|run| run.id);
        Some(match act {
            Act::Start => Command::StartRun(self.new_run()),
            Act::Suspend { named } => Command::Suspend {
                run: run.filter(|_| *named),
            },
            Act::Resume => {
                let takeover = Some(self.new_run());
                Command::Resume {
                    run: None,
                    context: Some("go on".into()),
                    takeover,
                }
            }
            Act::Cancel { named } => Command::Cancel {
                run: run.filter(|_| *named),
            },
            Act::ApprovalAnswer { option, old } => {
                let open = self.state.approval.as_ref();
                let id = if *old {
                    self.last_approval
                } else {
                    open.map(|open| open.id)
                }?;
                let words = ["continue", "abort", "done", "nonsense"];
                Command::Answer(ApprovalAnswer {
                    approval: id,
                    resolution: words[*option].into(),
                    feedback: None,
                    modifications: None,
                    by: "ada".into(),
                })
            }
            Act::Delete => Command::Delete,
            Act::Take { .. } => {
                let run = self.state.run.as_ref()?;
                let opening = StageStart {
                    position: if run.position.stage == Stage::Open {
                        step(1)
                    } else {
                        run.position
                    },
                    phase: Phase::Control,
                    step: Some(1),
                    events: if run.position.begun {
                        vec![]
                    } else {
                        vec![line("begins")]
                    },
                    history_from: None,
                };
                let until = self.now.plus(Duration::from_secs(180));
                Command::TakeLease {
                    run: run.id,
                    until,
                    at: run.position,
                    opening,
                }
            }
            Act::Commit {
                worker,
                what,
                yield_lease,
            } => {
                let held = self.held[*worker].clone()?;
                Command::Commit {
                    run: held.run,
                    epoch: held.epoch,
                    progress: self.progress(&held, what),
                    yield_lease: *yield_lease,
                }
            }
            Act::YieldLease { worker } => {
                let held = self.held[*worker].clone()?;
                Command::YieldLease {
                    run: held.run,
                    epoch: held.epoch,
                }
            }
            Act::Recover => Command::Recover,
            Act::DeadLetter => {
                let wake = self.sent?;
                Command::DeadLetter {
                    run: wake.run_id,
                    epoch: wake.epoch,
                }
            }
            Act::Wait { .. } => return None,
        })
    }

    fn progress(&mut self, held: &Held, what: &What) -> Progress {
        let next = match what {
            What::Go => Next::Advance(StageStart {
                position: step(held.at.step + 1),
                phase: Phase::Control,
                step: Some(held.at.step + 1),
                events: vec![line("begins")],
                history_from: None,
            }),
            What::Again => Next::RetryLater,
            What::Ask {
                checkpoint,
                options,
            } => Next::Ask(Box::new(ApprovalRequest {
                approval_id: ApprovalId::new(self.uuid()),
                step_id: None,
                action: "decide".into(),
                checkpoint_type: (*checkpoint).into(),
                description: "May it go on?".into(),
                message: "May it go on?".into(),
                options: options.iter().map(ToString::to_string).collect(),
                context: json!({}),
                expires_at: self.now.plus(RULES().approval_ttl),
            })),
            What::Done => Next::Complete(Box::new(line("the result"))),
            What::Fail => Next::Fail(RunFailure {
                error: "It did not work.".into(),
                code: "no_luck".into(),
                error_type: "NoLuck".into(),
            }),
        };
        Progress {
            at: held.at,
            work: vec![line("work")],
            cost_usd: 0.01,
            tokens: 10,
            next,
        }
    }

    fn step(&mut self, act: &Act) -> Result<(), TestCaseError> {
        if let Act::Wait { seconds } = act {
            self.now = self.now.plus(Duration::from_secs(*seconds));
            return Ok(());
        }
        let Some(command) = self.command(act) else {
            return Ok(());
        };
        let before = self.state.clone();
        let Ok(change) = RULES().decide(&before, &command, self.now) else {
            // Refused: `decide` took the state by reference, so nothing can have changed.
            return Ok(());
        };
        self.check(&before, &change, &command)?;
        self.state = change.state;
        self.remember(act, &command);
        Ok(())
    }

    fn remember(&mut self, act: &Act, command: &Command) {
        self.sent = self.state.wake(self.now).or(self.sent);
        if let Some(open) = &self.state.approval {
            self.last_approval = Some(open.id);
        }
        let position = self.state.run.as_ref().map(|run| run.position);
        match (act, command) {
            (Act::Take { worker }, Command::TakeLease { run, .. })
                if self.state.lease.until.is_some() =>
            {
                self.held[*worker] = Some(Held {
                    run: *run,
                    epoch: self.state.lease.epoch,
                    at: position.unwrap(),
                });
            }
            // A worker goes on from where it is only while it knows that it holds the lease; otherwise it keeps its old news.
            (Act::Commit { worker, .. }, _) if self.state.lease.until.is_some() => {
                if let Some(held) = self.held[*worker].as_mut() {
                    held.at = position.unwrap();
                }
            }
            _ => {}
        }
    }

    fn check(
        &mut self,
        before: &State,
        change: &Change,
        command: &Command,
    ) -> Result<(), TestCaseError> {
        let after = &change.state;
        prop_assert!(
            !before.is_deleted(),
            "a deleted session was changed by {command:?}"
        );
        prop_assert!((1..=32).contains(&change.events.len()));
        prop_assert_eq!(
            after.last_seq.0,
            before.last_seq.0 + change.events.len() as u64
        );
        prop_assert!(after.lease.epoch >= before.lease.epoch);
        prop_assert!(after.lease.attempts <= MAX_ATTEMPTS);

        check_table(after)?;
        check_transition(before, after, command)?;
        self.check_runs(before, after, command)?;

        let live = after.run.as_ref().is_some_and(|run| run.status.is_live());
        if live || after.approval.is_some() || after.is_deleted() {
            prop_assert!(
                RULES().due(after).is_some(),
                "work is owed without a due: {after:?}"
            );
        }
        let json = after.to_json().unwrap();
        prop_assert!(json.len() < 1024, "{} bytes", json.len());
        prop_assert_eq!(&State::from_json(&json).unwrap(), after);
        Ok(())
    }

    fn check_runs(
        &mut self,
        before: &State,
        after: &State,
        command: &Command,
    ) -> Result<(), TestCaseError> {
        if let (Some(old), Some(new)) = (&before.run, &after.run) {
            if old.id == new.id {
                prop_assert!(
                    !old.status.is_final() || old.status == new.status,
                    "a run came back to life"
                );
            } else {
                prop_assert!(old.status.is_final(), "two tasks at once");
                self.ended.insert(old.id, old.status);
            }
        }
        if let Some(run) = &after.run {
            prop_assert!(
                !self.ended.contains_key(&run.id),
                "an ended run is live again"
            );
        }
        if let Command::Commit {
            run,
            epoch,
            progress,
            ..
        } = command
        {
            prop_assert_eq!(before.lease.epoch, *epoch, "an overtaken worker committed");
            prop_assert_eq!(before.unfinished_run().map(|run| run.id), Some(*run));
            if matches!(progress.next, Next::Advance(_)) {
                let done = self.steps.entry(*run).or_default();
                prop_assert!(
                    progress.at.step > *done,
                    "step {} was committed twice",
                    progress.at.step
                );
                *done = progress.at.step;
            }
        }
        Ok(())
    }
}

fn step(number: u32) -> Position {
    Position {
        stage: Stage::Step,
        step: number,
        steps: 9,
        round: 0,
        tries: 0,
        begun: true,
    }
}

fn line(message: &str) -> EventBody {
    EventBody::Output {
        message: message.into(),
    }
}

/// The rows of the contract's section 4, as what may stand beside what.
fn check_table(state: &State) -> Result<(), TestCaseError> {
    let run = state.run.as_ref().map(|run| run.status);
    let open = state.approval.is_some();
    let fits = match (state.status, state.suspend_reason) {
        (SessionStatus::Active, None) => {
            !open && matches!(run, None | Some(RunStatus::Queued | RunStatus::Running))
        }
        (SessionStatus::Suspended, Some(SuspendReason::UserRequested)) => {
            !open && matches!(run, None | Some(RunStatus::Paused | RunStatus::Cancelled))
        }
        (SessionStatus::Suspended, Some(SuspendReason::ApprovalRequired)) => {
            open && run == Some(RunStatus::WaitingApproval)
        }
        (SessionStatus::Suspended, Some(SuspendReason::ApprovalExpired)) => {
            !open && run == Some(RunStatus::Paused)
        }
        (SessionStatus::Suspended, Some(SuspendReason::RunFailed)) => {
            !open
                && run == Some(RunStatus::Failed)
                && state.phase == Phase::Failed
                && state.error.is_some()
        }
        (SessionStatus::Completed, None) => {
            !open && run == Some(RunStatus::Completed) && state.phase == Phase::Completed
        }
        (SessionStatus::Expired, None) => !open && run.is_none(),
        _ => false,
    };
    prop_assert!(fits, "outside the table: {state:?}");
    let holder = matches!(
        run,
        Some(RunStatus::Running | RunStatus::Paused | RunStatus::Queued)
    );
    prop_assert!(
        state.lease.until.is_none() || holder,
        "a lease without a run: {state:?}"
    );
    Ok(())
}

fn check_transition(before: &State, after: &State, command: &Command) -> Result<(), TestCaseError> {
    use SessionStatus::{Active, Completed, Expired, Suspended};
    let allowed = match (before.status, after.status) {
        (Active, Completed) => matches!(command, Command::Commit { .. }),
        (Active, Expired) => matches!(command, Command::Recover),
        (Active, Suspended) => !matches!(command, Command::StartRun(_) | Command::Resume { .. }),
        (Suspended, Active) => matches!(
            command,
            Command::Resume { .. } | Command::StartRun(_) | Command::Answer(_) | Command::Recover
        ),
        (Completed | Expired, Active) => matches!(command, Command::StartRun(_)),
        (Completed | Expired, Suspended) => false,
        (from, to) => from == to,
    };
    prop_assert!(
        allowed,
        "{:?} → {:?} by {:?}",
        before.status,
        after.status,
        command
    );
    Ok(())
}

/// Runs the property on 1,000 random sequences; the seed is random, failures are kept beside this file.
fn on_random_walks(
    modes: &'static [Mode],
    property: impl Fn(&mut World, &[Act]) -> Result<(), TestCaseError>,
) {
    let config = ProptestConfig {
        cases: 1_000,
        source_file: Some(file!()),
        ..ProptestConfig::default()
    };
    let walks = (
        prop::sample::select(modes),
        prop::collection::vec(act(), 1..80),
    );
    TestRunner::new(config)
        .run(&walks, |(mode, acts)| {
            property(&mut World::new(mode), &acts)
        })
        .unwrap();
}

#[test]
fn no_sequence_of_commands_leaves_the_table() {
    let visited = RefCell::new(BTreeSet::new());
    on_random_walks(
        &[Mode::Copilot, Mode::PlanningControl, Mode::OneShot],
        |world, acts| {
            for act in acts {
                world.step(act)?;
                let reason = world
                    .state
                    .suspend_reason
                    .map_or("-", SuspendReason::as_str);
                visited
                    .borrow_mut()
                    .insert((world.state.status.as_str(), reason));
            }
            Ok(())
        },
    );
    let every_row = [
        ("active", "-"),
        ("completed", "-"),
        ("expired", "-"),
        ("suspended", "approval_expired"),
        ("suspended", "approval_required"),
        ("suspended", "run_failed"),
        ("suspended", "user_requested"),
    ];
    assert_eq!(
        visited.into_inner(),
        BTreeSet::from(every_row),
        "the walks must reach every row of the table"
    );
}

#[test]
fn whatever_happened_the_clock_and_one_worker_bring_every_live_run_to_its_end() {
    on_random_walks(&[Mode::PlanningControl], |world, acts| {
        for act in acts {
            world.step(act)?;
        }
        for _ in 0..40 {
            let live = world
                .state
                .run
                .as_ref()
                .is_some_and(|run| run.status.is_live());
            if !live || world.state.is_deleted() {
                return Ok(());
            }
            if let Some(due) = RULES().due(&world.state) {
                world.now = world.now.max(due);
            }
            world.step(&Act::Recover)?;
            prop_assert!(
                world.state.wake(world.now).is_some(),
                "nobody would be woken: {:?}",
                world.state
            );
            world.step(&Act::Take { worker: 0 })?;
            world.step(&Act::Commit {
                worker: 0,
                what: What::Done,
                yield_lease: false,
            })?;
        }
        prop_assert!(false, "still live: {:?}", world.state);
        Ok(())
    });
}
