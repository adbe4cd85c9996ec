//! Random sequences of commands keep a session within the contract's table of statuses.
//!
//! Clients, two workers with possibly outdated leases, the sweeper and a dead-letter queue act on
//! one session in random order. The whole state is checked after each command.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

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
enum Action {
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
        outcome: Outcome,
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
enum Outcome {
    Advance,
    RetryLater,
    Ask {
        checkpoint: &'static str,
        options: &'static [&'static str],
    },
    Complete,
    Fail,
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        6 => Just(Outcome::Advance),
        1 => Just(Outcome::RetryLater),
        2 => Just(Outcome::Ask { checkpoint: "after_step", options: &["continue", "abort", "redo"] }),
        1 => Just(Outcome::Ask { checkpoint: "copilot_turn", options: &["submit", "done", "exit"] }),
        2 => Just(Outcome::Complete),
        2 => Just(Outcome::Fail),
    ]
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        3 => Just(Action::Start),
        2 => any::<bool>().prop_map(|named| Action::Suspend { named }),
        3 => Just(Action::Resume),
        1 => any::<bool>().prop_map(|named| Action::Cancel { named }),
        3 => (0..4usize, any::<bool>()).prop_map(|(option, old)| Action::ApprovalAnswer { option, old }),
        1 => prop::bool::weighted(0.1).prop_map(|real| if real { Action::Delete } else { Action::Recover }),
        6 => (0..2usize).prop_map(|worker| Action::Take { worker }),
        10 => (0..2usize, outcome(), any::<bool>())
            .prop_map(|(worker, outcome, yield_lease)| Action::Commit { worker, outcome, yield_lease }),
        1 => (0..2usize).prop_map(|worker| Action::YieldLease { worker }),
        3 => Just(Action::Recover),
        1 => Just(Action::DeadLetter),
        3 => prop_oneof![Just(1u64), Just(40), Just(400), Just(90_000), Just(700_000)]
            .prop_map(|seconds| Action::Wait { seconds }),
    ]
}

/// A lease as its worker knows it, possibly outdated.
#[derive(Debug, Clone)]
struct HeldLease {
    run: RunId,
    epoch: Epoch,
    at: Position,
}

struct World {
    state: State,
    now: Timestamp,
    ids: u128,
    held_leases: [Option<HeldLease>; 2],
    last_approval: Option<ApprovalId>,
    last_wake: Option<Wake>,
    /// The last committed step of each run.
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
            held_leases: [None, None],
            last_approval: None,
            last_wake: None,
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

    fn command(&mut self, action: &Action) -> Option<Command> {
        let run = self.state.run.as_ref().map(|run| run.id);
        Some(match action {
            Action::Start => Command::StartRun(self.new_run()),
            Action::Suspend { named } => Command::Suspend {
                run: run.filter(|_| *named),
            },
            Action::Resume => {
                let takeover = Some(self.new_run());
                Command::Resume {
                    run: None,
                    context: Some("go on".into()),
                    takeover,
                }
            }
            Action::Cancel { named } => Command::Cancel {
                run: run.filter(|_| *named),
            },
            Action::ApprovalAnswer { option, old } => {
                let open = self.state.approval.as_ref();
                let id = if *old {
                    self.last_approval
                } else {
                    open.map(|open| open.id)
                }?;
                let resolutions = ["continue", "abort", "done", "nonsense"];
                Command::Answer(ApprovalAnswer {
                    approval: id,
                    resolution: resolutions[*option].into(),
                    feedback: None,
                    modifications: None,
                    by: "ada".into(),
                })
            }
            Action::Delete => Command::Delete,
            Action::Take { .. } => {
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
            Action::Commit {
                worker,
                outcome,
                yield_lease,
            } => {
                let held = self.held_leases[*worker].clone()?;
                Command::Commit {
                    run: held.run,
                    epoch: held.epoch,
                    progress: self.progress(&held, outcome),
                    yield_lease: *yield_lease,
                }
            }
            Action::YieldLease { worker } => {
                let held = self.held_leases[*worker].clone()?;
                Command::YieldLease {
                    run: held.run,
                    epoch: held.epoch,
                }
            }
            Action::Recover => Command::Recover,
            Action::DeadLetter => {
                let wake = self.last_wake?;
                Command::DeadLetter {
                    run: wake.run_id,
                    epoch: wake.epoch,
                }
            }
            Action::Wait { .. } => return None,
        })
    }

    fn progress(&mut self, held: &HeldLease, outcome: &Outcome) -> Progress {
        let next = match outcome {
            Outcome::Advance => Next::Advance(StageStart {
                position: step(held.at.step + 1),
                phase: Phase::Control,
                step: Some(held.at.step + 1),
                events: vec![line("begins")],
                history_from: None,
            }),
            Outcome::RetryLater => Next::RetryLater { calls: 1 },
            Outcome::Ask {
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
            Outcome::Complete => Next::Complete(Box::new(line("the result"))),
            Outcome::Fail => Next::Fail(RunFailure {
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

    fn step(&mut self, action: &Action) -> Result<(), TestCaseError> {
        if let Action::Wait { seconds } = action {
            self.now = self.now.plus(Duration::from_secs(*seconds));
            return Ok(());
        }
        let Some(command) = self.command(action) else {
            return Ok(());
        };
        let before = self.state.clone();
        let Ok(change) = RULES().decide(&before, &command, self.now) else {
            // A refused command changes nothing, because `decide` borrows the state.
            return Ok(());
        };
        self.check(&before, &change, &command)?;
        self.state = change.state;
        self.remember(action, &command);
        Ok(())
    }

    fn remember(&mut self, action: &Action, command: &Command) {
        self.last_wake = self.state.wake(self.now).or(self.last_wake);
        if let Some(open) = &self.state.approval {
            self.last_approval = Some(open.id);
        }
        let position = self.state.run.as_ref().map(|run| run.position);
        match (action, command) {
            (Action::Take { worker }, Command::TakeLease { run, .. })
                if self.state.lease.until.is_some() =>
            {
                self.held_leases[*worker] = Some(HeldLease {
                    run: *run,
                    epoch: self.state.lease.epoch,
                    at: position.unwrap(),
                });
            }
            // A worker moves on only if the lease is held; otherwise it keeps its old position.
            (Action::Commit { worker, .. }, _) if self.state.lease.until.is_some() => {
                if let Some(held) = self.held_leases[*worker].as_mut() {
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

        check_status_table(after)?;
        check_transition(before, after, command)?;
        self.check_runs(before, after, command)?;

        let live = after.run.as_ref().is_some_and(|run| run.status.is_live());
        if live || after.approval.is_some() || after.is_deleted() {
            prop_assert!(
                RULES().due(after).is_some(),
                "work is pending without a due time: {after:?}"
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
                    "an ended run changed its status"
                );
            } else {
                prop_assert!(old.status.is_final(), "two unfinished runs");
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
        calls: 0,
        begun: true,
    }
}

fn line(message: &str) -> EventBody {
    EventBody::Output {
        message: message.into(),
    }
}

/// Checks that status, reason, run and approval match a row of the contract's section 4.
fn check_status_table(state: &State) -> Result<(), TestCaseError> {
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
    prop_assert!(fits, "not in the status table: {state:?}");
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

/// Checks the property on 1,000 random sequences. Failing seeds are saved beside this file.
fn for_random_sequences(
    modes: &'static [Mode],
    property: impl Fn(&mut World, &[Action]) -> Result<(), TestCaseError>,
) {
    let config = ProptestConfig {
        cases: 1_000,
        source_file: Some(file!()),
        ..ProptestConfig::default()
    };
    let sequences = (
        prop::sample::select(modes),
        prop::collection::vec(action(), 1..80),
    );
    TestRunner::new(config)
        .run(&sequences, |(mode, actions)| {
            property(&mut World::new(mode), &actions)
        })
        .unwrap();
}

#[test]
fn every_sequence_of_commands_stays_in_the_status_table() {
    let reached = RefCell::new(BTreeSet::new());
    for_random_sequences(
        &[Mode::Copilot, Mode::PlanningControl, Mode::OneShot],
        |world, actions| {
            for action in actions {
                world.step(action)?;
                let reason = world
                    .state
                    .suspend_reason
                    .map_or("-", SuspendReason::as_str);
                reached
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
        reached.into_inner(),
        BTreeSet::from(every_row),
        "the sequences must reach every row of the table"
    );
}

#[test]
fn the_sweeper_and_one_worker_bring_every_live_run_to_its_end() {
    for_random_sequences(&[Mode::PlanningControl], |world, actions| {
        for action in actions {
            world.step(action)?;
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
            world.step(&Action::Recover)?;
            prop_assert!(
                world.state.wake(world.now).is_some(),
                "no wake message is needed: {:?}",
                world.state
            );
            world.step(&Action::Take { worker: 0 })?;
            world.step(&Action::Commit {
                worker: 0,
                outcome: Outcome::Complete,
                yield_lease: false,
            })?;
        }
        prop_assert!(false, "still live: {:?}", world.state);
        Ok(())
    });
}
