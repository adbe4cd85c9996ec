use std::time::Duration;

use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::*;

const RUN: RunId = RunId::new(Uuid::from_u128(7));
const NEXT_RUN: RunId = RunId::new(Uuid::from_u128(8));
const APPROVAL: ApprovalId = ApprovalId::new(Uuid::from_u128(9));

fn now() -> Timestamp {
    Timestamp::from_micros(1_790_000_000_000_000).unwrap()
}

fn later(seconds: u64) -> Timestamp {
    now().plus(Duration::from_secs(seconds))
}

fn new_run(id: RunId) -> NewRun {
    NewRun {
        id,
        task: "count the lighthouses".into(),
        artifact: None,
        task_id: Some(TaskId {
            text: "t-1".into(),
            digest: "digest".into(),
        }),
        agent: "researcher".into(),
        model: "offline".into(),
    }
}

fn session(mode: Mode) -> State {
    let id = SessionId::new(Uuid::from_u128(1));
    create(
        &NewSession {
            id,
            owner: OwnerId::of("iss", "ada"),
            mode,
            run: None,
        },
        now(),
    )
    .state
}

fn decide(state: &State, command: Command) -> Result<Change, Refusal> {
    Rules::default().decide(state, &command, later(1))
}

fn apply(state: &State, command: Command) -> State {
    decide(state, command).unwrap().state
}

fn queued(mode: Mode) -> State {
    apply(&session(mode), Command::StartRun(new_run(RUN)))
}

fn at_step(step: u32) -> Position {
    Position {
        stage: Stage::Step,
        step,
        steps: 3,
        round: 0,
        tries: 0,
        calls: 0,
        begun: true,
    }
}

fn begin(step: u32) -> StageStart {
    let events = vec![EventBody::PhaseChange {
        phase: Phase::Control,
        step_number: Some(step),
    }];
    StageStart {
        position: at_step(step),
        phase: Phase::Control,
        step: Some(step),
        events,
        history_from: None,
    }
}

fn take(state: &State) -> Command {
    let at = state.run.as_ref().unwrap().position;
    Command::TakeLease {
        run: RUN,
        until: later(180),
        at,
        opening: begin(at.step.max(1)),
    }
}

fn running(mode: Mode) -> State {
    let state = queued(mode);
    let command = take(&state);
    apply(&state, command)
}

fn commit(state: &State, next: Next) -> Command {
    let work = vec![EventBody::Output {
        message: "worked".into(),
    }];
    let at = state.run.as_ref().unwrap().position;
    let progress = Progress {
        at,
        work,
        cost_usd: 0.5,
        tokens: 10,
        next,
    };
    Command::Commit {
        run: RUN,
        epoch: state.lease.epoch,
        progress,
        yield_lease: false,
    }
}

fn request_approval(options: &[&str]) -> Next {
    Next::Ask(Box::new(ApprovalRequest {
        approval_id: APPROVAL,
        step_id: Some("step_1".into()),
        action: "step".into(),
        checkpoint_type: "after_step".into(),
        description: "Is it good?".into(),
        message: "Is it good?".into(),
        options: options.iter().map(ToString::to_string).collect(),
        context: json!({}),
        expires_at: later(604_800),
    }))
}

fn answer(resolution: &str) -> Command {
    Command::Answer(ApprovalAnswer {
        approval: APPROVAL,
        resolution: resolution.into(),
        feedback: Some("well done".into()),
        modifications: None,
        by: "ada".into(),
    })
}

fn failed() -> State {
    let state = running(Mode::PlanningControl);
    let failure = RunFailure {
        error: "No luck.".into(),
        code: "no_luck".into(),
        error_type: "NoLuck".into(),
    };
    let command = commit(&state, Next::Fail(failure));
    apply(&state, command)
}

fn waiting() -> State {
    let state = running(Mode::HitlInteractive);
    let command = commit(&state, request_approval(&["continue", "abort"]));
    apply(&state, command)
}

fn kinds(change: &Change) -> Vec<String> {
    let name = |event: &Event| {
        let json = serde_json::to_value(event).unwrap();
        json["event_type"].as_str().unwrap().to_owned()
    };
    change.events.iter().map(name).collect()
}

fn statuses(state: &State) -> (SessionStatus, Option<SuspendReason>, Option<RunStatus>) {
    (
        state.status,
        state.suspend_reason,
        state.run.as_ref().map(|run| run.status),
    )
}

#[test]
fn starting_a_run_adds_its_message_and_its_row() {
    let change = decide(&session(Mode::OneShot), Command::StartRun(new_run(RUN))).unwrap();
    assert_eq!(kinds(&change), ["status", "user_message"]);
    assert_eq!(
        statuses(&change.state),
        (SessionStatus::Active, None, Some(RunStatus::Queued))
    );
    assert_eq!(
        (
            change.state.messages,
            change.state.runs,
            change.state.last_seq
        ),
        (1, 1, Seq(3))
    );
    assert!(
        matches!(&change.row_changes[..], [RowChange::RunStarted(row)] if row.task_id.as_deref() == Some("t-1"))
    );
}

#[test]
fn a_second_run_needs_the_first_to_end_and_after_a_completed_one_a_mode_with_resume() {
    for state in [queued(Mode::Copilot), running(Mode::OneShot), waiting()] {
        let refusal = decide(&state, Command::StartRun(new_run(NEXT_RUN))).unwrap_err();
        assert!(
            matches!(refusal, Refusal::RunUnfinished { run_id, .. } if run_id == RUN),
            "{refusal}"
        );
    }
    for (mode, after_completed) in [
        (Mode::OneShot, Some(Refusal::CannotContinue(Mode::OneShot))),
        (Mode::Copilot, None),
    ] {
        let with = |status| {
            let mut state = queued(mode);
            state.run.as_mut().unwrap().status = status;
            state
        };
        let next = |state: &State| decide(state, Command::StartRun(new_run(NEXT_RUN))).err();
        let cancelled = apply(&queued(mode), Command::Cancel { run: None });
        assert_eq!(next(&cancelled), None);
        assert_eq!(next(&with(RunStatus::Failed)), None);
        assert_eq!(next(&with(RunStatus::Completed)), after_completed);
    }
}

#[test]
fn suspend_pauses_a_live_run_and_keeps_the_work_of_its_step() {
    let running = running(Mode::PlanningControl);
    let suspended = apply(&running, Command::Suspend { run: None });
    assert_eq!(
        statuses(&suspended),
        (
            SessionStatus::Suspended,
            Some(SuspendReason::UserRequested),
            Some(RunStatus::Paused)
        )
    );
    let change = decide(&suspended, commit(&running, Next::Advance(begin(2)))).unwrap();
    assert_eq!(
        kinds(&change),
        ["output"],
        "the work is kept, the next step does not begin"
    );
    let run = change.state.run.as_ref().unwrap();
    assert_eq!(
        (run.position.step, run.position.begun, run.cost_usd),
        (2, false, 0.5)
    );
    assert!(change.state.lease.until.is_none());
    assert_eq!(
        decide(&change.state, take(&change.state)).unwrap_err(),
        Refusal::NotRunnable
    );
}

#[test]
fn a_paused_run_neither_ends_nor_requests_an_approval() {
    let running = running(Mode::PlanningControl);
    let suspended = apply(&running, Command::Suspend { run: None });
    let failure = RunFailure {
        error: "No.".into(),
        code: "no".into(),
        error_type: "No".into(),
    };
    for next in [
        Next::Complete(Box::new(EventBody::Output {
            message: "result".into(),
        })),
        Next::Fail(failure),
        request_approval(&["continue"]),
        Next::RetryLater { calls: 4 },
    ] {
        let state = apply(&suspended, commit(&running, next));
        assert_eq!(statuses(&state), statuses(&suspended));
        assert_eq!(
            state.run.unwrap().position,
            running.run.as_ref().unwrap().position
        );
    }
}

#[test]
fn suspend_is_refused_as_the_contract_requires() {
    let running = running(Mode::OneShot);
    assert_eq!(
        decide(&running, Command::Suspend { run: None }).unwrap_err(),
        Refusal::CancelInstead(Mode::OneShot)
    );
    let suspended = apply(&session(Mode::OneShot), Command::Suspend { run: None });
    assert_eq!(
        decide(&suspended, Command::Suspend { run: None }).unwrap_err(),
        Refusal::NotActive(SessionStatus::Suspended)
    );
    let other = Command::Suspend {
        run: Some(NEXT_RUN),
    };
    assert_eq!(decide(&running, other).unwrap_err(), Refusal::NoSuchRun);
}

#[test]
fn resume_during_a_slice_lets_the_holder_of_the_lease_continue() {
    let running = running(Mode::PlanningControl);
    let suspended = apply(&running, Command::Suspend { run: None });
    let resume = Command::Resume {
        run: None,
        context: Some("mind the gap".into()),
        takeover: None,
    };
    let change = decide(&suspended, resume).unwrap();
    assert_eq!(kinds(&change), ["user_message", "workflow_resumed"]);
    assert!(
        change.state.wake(later(2)).is_none(),
        "the holder of the lease finds the resume at its next append"
    );
    assert_eq!(
        decide(&change.state, take(&change.state)).unwrap_err(),
        Refusal::Leased
    );
    let state = apply(&change.state, commit(&running, Next::Advance(begin(2))));
    assert_eq!(
        statuses(&state),
        (SessionStatus::Active, None, Some(RunStatus::Running))
    );
}

#[test]
fn resume_takes_over_a_failed_run_at_the_failed_step() {
    let failed = failed();
    assert_eq!(failed.phase, Phase::Failed);
    let takeover = Some(new_run(NEXT_RUN));
    let change = decide(
        &failed,
        Command::Resume {
            run: None,
            context: None,
            takeover,
        },
    )
    .unwrap();
    assert!(
        matches!(&change.row_changes[..], [RowChange::RunStarted(row)] if row.resumed_from == Some(RUN))
    );
    let run = change.state.run.unwrap();
    assert_eq!(
        (run.id, run.position.step, run.position.begun),
        (NEXT_RUN, 1, false)
    );
    assert_eq!(run.history_from, failed.run.unwrap().history_from);
    assert_eq!(change.state.error, None);
}

#[test]
fn resume_is_refused_as_the_contract_requires() {
    let resume = || Command::Resume {
        run: None,
        context: None,
        takeover: Some(new_run(NEXT_RUN)),
    };
    for (state, refusal) in [
        (
            session(Mode::Copilot),
            Refusal::NotSuspended(SessionStatus::Active),
        ),
        (
            apply(&session(Mode::OneShot), Command::Suspend { run: None }),
            Refusal::NoResume(Mode::OneShot),
        ),
        (waiting(), Refusal::ApprovalOpen),
        (
            apply(&queued(Mode::Copilot), Command::Cancel { run: None }),
            Refusal::NothingToResume,
        ),
    ] {
        assert_eq!(decide(&state, resume()).unwrap_err(), refusal);
    }
    let suspended = apply(&session(Mode::Copilot), Command::Suspend { run: None });
    assert_eq!(apply(&suspended, resume()).status, SessionStatus::Active);
}

#[test]
fn a_commit_after_a_cancel_is_refused() {
    let running = running(Mode::OneShot);
    let change = decide(&running, Command::Cancel { run: Some(RUN) }).unwrap();
    assert_eq!(kinds(&change), ["workflow_cancelled"]);
    assert_eq!(
        statuses(&change.state),
        (
            SessionStatus::Suspended,
            Some(SuspendReason::UserRequested),
            Some(RunStatus::Cancelled)
        )
    );
    assert_eq!(
        decide(&change.state, commit(&running, Next::Advance(begin(2)))).unwrap_err(),
        Refusal::Overtaken
    );
    let again = decide(&change.state, Command::Cancel { run: Some(RUN) });
    assert_eq!(again.unwrap_err(), Refusal::RunEnded(RunStatus::Cancelled));
    assert_eq!(
        decide(&change.state, Command::Cancel { run: None }).unwrap_err(),
        Refusal::NoSuchRun
    );
}

#[test]
fn a_failed_run_ends_once_and_fails_its_node() {
    let state = running(Mode::PlanningControl);
    let failure = RunFailure {
        error: "No.".into(),
        code: "no".into(),
        error_type: "No".into(),
    };
    let change = decide(&state, commit(&state, Next::Fail(failure))).unwrap();
    let expected = [
        "output",
        "dag_node_status_changed",
        "step_failed",
        "workflow_failed",
        "error",
    ];
    assert_eq!(kinds(&change), expected);
    assert_eq!(
        statuses(&change.state),
        (
            SessionStatus::Suspended,
            Some(SuspendReason::RunFailed),
            Some(RunStatus::Failed)
        )
    );
    assert_eq!(change.state.error, Some(Seq(change.state.last_seq.0 - 1)));
}

#[test]
fn a_run_completes_in_one_log_entry() {
    let state = running(Mode::OneShot);
    let result = Next::Complete(Box::new(EventBody::Output {
        message: "result".into(),
    }));
    let change = decide(&state, commit(&state, result)).unwrap();
    let expected = [
        "output",
        "dag_node_status_changed",
        "output",
        "workflow_completed",
        "complete",
    ];
    assert_eq!(kinds(&change), expected);
    assert_eq!(
        statuses(&change.state),
        (SessionStatus::Completed, None, Some(RunStatus::Completed))
    );
    assert!(
        matches!(&change.row_changes[..], [RowChange::RunEnded(end)] if end.task_key.as_deref() == Some("digest"))
    );
}

#[test]
fn one_worker_holds_the_lease_and_the_sixth_lease_fails_the_run() {
    let mut state = queued(Mode::OneShot);
    let mut clock = now();
    for attempt in 1..=MAX_ATTEMPTS {
        clock = clock.plus(Duration::from_secs(200));
        let at = state.run.as_ref().unwrap().position;
        let until = clock.plus(Duration::from_secs(100));
        let command = Command::TakeLease {
            run: RUN,
            until,
            at,
            opening: begin(1),
        };
        state = Rules::default()
            .decide(&state, &command, clock)
            .unwrap()
            .state;
        assert_eq!(state.lease.attempts, attempt);
        let at = state.run.as_ref().unwrap().position;
        let second = Command::TakeLease {
            run: RUN,
            until,
            at,
            opening: begin(1),
        };
        assert_eq!(
            Rules::default().decide(&state, &second, clock).unwrap_err(),
            Refusal::Leased
        );
    }
    clock = clock.plus(Duration::from_secs(200));
    let at = state.run.as_ref().unwrap().position;
    let command = Command::TakeLease {
        run: RUN,
        until: clock,
        at,
        opening: begin(1),
    };
    let state = Rules::default()
        .decide(&state, &command, clock)
        .unwrap()
        .state;
    assert_eq!(state.run.as_ref().unwrap().status, RunStatus::Failed);
    assert!(state.wake(clock).is_none());
}

#[test]
fn a_run_is_alone_after_a_lost_worker_until_its_next_commit() {
    let alone = |state: &State| state.wake(later(1_000)).unwrap().alone;
    let taken = running(Mode::PlanningControl);
    assert!(alone(&taken), "its lease is over");
    let requeued = Rules::default()
        .decide(&taken, &Command::Recover, later(1_000))
        .unwrap();
    assert!(alone(&requeued.state));
    let committed = apply(&taken, commit(&taken, Next::Advance(begin(2))));
    assert!(!alone(&committed));
    let (run, epoch) = (RUN, taken.lease.epoch);
    assert!(!alone(&apply(&taken, Command::YieldLease { run, epoch })));
    assert!(!alone(&queued(Mode::PlanningControl)));
}

#[test]
fn a_commit_resets_the_attempts_and_keeps_the_due_time() {
    let state = running(Mode::PlanningControl);
    assert_eq!(state.lease.attempts, 1);
    let command = commit(&state, Next::Advance(begin(2)));
    let after = apply(&state, command);
    assert_eq!(after.lease.attempts, 0);
    assert_eq!(
        Rules::default().due(&after),
        Rules::default().due(&state),
        "the due time is unchanged"
    );
}

#[test]
fn a_worker_that_yields_the_lease_is_not_lost() {
    let state = running(Mode::Arxiv);
    let (run, epoch) = (RUN, state.lease.epoch);
    assert_eq!(state.lease.attempts, 1);
    let back = apply(&state, Command::YieldLease { run, epoch });
    assert_eq!(back.lease.attempts, 0);
    assert_eq!(back.run.as_ref().map(|run| run.hops), Some(1));
}

#[test]
fn a_worker_cannot_commit_after_it_yielded_the_lease() {
    let state = running(Mode::PlanningControl);
    let back = apply(
        &state,
        Command::YieldLease {
            run: RUN,
            epoch: state.lease.epoch,
        },
    );
    assert_eq!(
        decide(&back, commit(&state, Next::Advance(begin(2)))).unwrap_err(),
        Refusal::Overtaken
    );
    assert!(
        back.wake(later(1))
            .is_some_and(|wake| wake.epoch == back.lease.epoch)
    );
}

#[test]
fn an_approval_answer_continues_or_cancels_the_run() {
    let waiting = waiting();
    assert_eq!(
        statuses(&waiting),
        (
            SessionStatus::Suspended,
            Some(SuspendReason::ApprovalRequired),
            Some(RunStatus::WaitingApproval)
        )
    );
    let change = decide(&waiting, answer("continue")).unwrap();
    assert_eq!(
        kinds(&change),
        ["user_message", "approval_received"],
        "feedback is a message of the history"
    );
    assert_eq!(change.state.messages, waiting.messages + 1);
    assert_eq!(
        statuses(&change.state),
        (SessionStatus::Active, None, Some(RunStatus::Queued))
    );
    assert_eq!(
        change.state.run.as_ref().unwrap().answer,
        Some(change.state.last_seq)
    );
    assert_eq!(
        decide(&change.state, answer("continue")).unwrap_err(),
        Refusal::NoSuchApproval
    );

    let ended = decide(&waiting, answer("abort")).unwrap();
    assert_eq!(
        kinds(&ended),
        ["user_message", "approval_received", "workflow_cancelled"]
    );
    assert_eq!(
        ended.state.run.as_ref().unwrap().status,
        RunStatus::Cancelled
    );
    let refusal = decide(&waiting, answer("redo")).unwrap_err();
    assert_eq!(refusal, Refusal::NotAnOption("continue, abort".into()));
}

#[test]
fn every_end_of_an_approval_is_received_once() {
    let waiting = waiting();
    let late = Rules::default().due(&waiting).unwrap();
    let ends = [
        (answer("continue"), later(1), "continue"),
        (answer("abort"), later(1), "abort"),
        (Command::Cancel { run: None }, later(1), "cancelled"),
        (Command::Delete, later(1), "cancelled"),
        (Command::Recover, late, "expired"),
    ];
    for (command, at, resolution) in ends {
        let change = Rules::default().decide(&waiting, &command, at).unwrap();
        let received: Vec<_> = change
            .events
            .iter()
            .filter_map(|event| match &event.body {
                StoredEventBody::Known(EventBody::ApprovalReceived(received)) => Some(received),
                _ => None,
            })
            .collect();
        let [received] = received[..] else {
            panic!("{command:?}: {received:?}");
        };
        let open = waiting.approval.as_ref().unwrap();
        assert_eq!(received.approval_id, open.id);
        assert_eq!(received.resolution, resolution);
        assert_eq!(received.is_answer(), matches!(command, Command::Answer(_)));
    }
}

#[test]
fn an_expired_approval_is_requested_again_on_resume() {
    let waiting = waiting();
    let late = Rules::default().due(&waiting).unwrap();
    assert_eq!(
        Rules::default()
            .decide(&waiting, &answer("continue"), late)
            .unwrap_err(),
        Refusal::ApprovalLapsed
    );
    let change = Rules::default()
        .decide(&waiting, &Command::Recover, late)
        .unwrap();
    assert_eq!(
        statuses(&change.state),
        (
            SessionStatus::Suspended,
            Some(SuspendReason::ApprovalExpired),
            Some(RunStatus::Paused)
        )
    );
    assert_eq!(Rules::default().due(&change.state), None);
    let resumed = apply(
        &change.state,
        Command::Resume {
            run: None,
            context: None,
            takeover: None,
        },
    );
    assert_eq!(
        resumed.run.unwrap().answer,
        None,
        "the engine is at the checkpoint and requests the approval again"
    );
}

#[test]
fn an_idle_session_expires_and_a_run_makes_it_active() {
    let idle = session(Mode::Copilot);
    assert_eq!(
        decide(&idle, Command::Recover).unwrap_err(),
        Refusal::NotDue
    );
    let late = Rules::default().due(&idle).unwrap();
    let expired = Rules::default()
        .decide(&idle, &Command::Recover, late)
        .unwrap()
        .state;
    assert_eq!(expired.status, SessionStatus::Expired);
    assert_eq!(Rules::default().due(&expired), None);
    assert_eq!(
        apply(&expired, Command::StartRun(new_run(RUN))).status,
        SessionStatus::Active
    );
}

#[test]
fn the_pause_before_a_wake_message_is_sent_again_doubles() {
    let mut state = queued(Mode::OneShot);
    for (sends, seconds) in [(1, 30), (2, 60), (3, 120)] {
        let due = Rules::default().due(&state).unwrap();
        assert_eq!(
            due.since(state.run.as_ref().unwrap().queued_at),
            Duration::from_secs(seconds)
        );
        state = Rules::default()
            .decide(&state, &Command::Recover, due)
            .unwrap()
            .state;
        assert_eq!(state.run.as_ref().unwrap().sends, sends);
    }
}

#[test]
fn a_dead_letter_fails_the_run_unless_its_epoch_is_old_or_the_lease_is_held() {
    let state = queued(Mode::OneShot);
    let letter = |epoch| Command::DeadLetter { run: RUN, epoch };
    let failed = apply(&state, letter(state.lease.epoch));
    assert_eq!(failed.run.unwrap().status, RunStatus::Failed);
    let running = running(Mode::OneShot);
    for epoch in [state.lease.epoch, running.lease.epoch] {
        assert_eq!(
            decide(&running, letter(epoch)).unwrap_err(),
            Refusal::NotDue
        );
    }
}

#[test]
fn a_deleted_session_refuses_every_command_and_is_due_for_its_purge() {
    let running = running(Mode::Copilot);
    let change = decide(&running, Command::Delete).unwrap();
    assert_eq!(kinds(&change), ["workflow_cancelled", "status"]);
    for command in [
        Command::Delete,
        Command::Cancel { run: None },
        commit(&running, Next::RetryLater { calls: 1 }),
        Command::Recover,
    ] {
        assert_eq!(
            decide(&change.state, command).unwrap_err(),
            Refusal::NoSuchSession
        );
    }
    let due = Rules::default().due(&change.state).unwrap();
    assert_eq!(
        Rules::default().recover(&change.state, due),
        Some(DueAction::Purge)
    );
}

#[test]
fn a_retry_counts_its_tries_and_its_provider_calls() {
    let mut state = running(Mode::OneShot);
    for (tries, calls) in [(1, 4), (2, 8)] {
        state = apply(&state, commit(&state, Next::RetryLater { calls: 4 }));
        let position = state.run.as_ref().unwrap().position;
        assert_eq!((position.tries, position.calls), (tries, calls));
        let command = take(&state);
        state = apply(&state, command);
        state.run.as_mut().unwrap().position = position;
    }
    let stored = state.to_json().unwrap().replace(r#""calls":8,"#, "");
    let old = State::from_json(&stored).unwrap();
    assert_eq!(
        old.run.unwrap().position.calls,
        0,
        "an older state has none"
    );
}

#[test]
fn a_progress_that_is_too_large_to_store_keeps_its_costs() {
    let running = running(Mode::OneShot);
    let cost = EventBody::CostUpdate {
        run_id: RUN,
        agent: "researcher".into(),
        step_id: None,
        model: "m".into(),
        tokens: 120,
        input_tokens: 100,
        output_tokens: 20,
        cost: Some(0.5).into(),
        total_cost_usd: 0.5,
        estimated: false,
    };
    let large = EventBody::Output {
        message: "large".into(),
    };
    let progress = Progress {
        at: running.run.as_ref().unwrap().position,
        work: vec![large, cost],
        cost_usd: 0.5,
        tokens: 120,
        next: Next::RetryLater { calls: 1 },
    };
    let failure = RunFailure {
        error: "Too large.".into(),
        code: "too_large".into(),
        error_type: "SizeLimit".into(),
    };
    let command = Command::Commit {
        run: RUN,
        epoch: running.lease.epoch,
        progress: progress.failed(failure),
        yield_lease: false,
    };
    let change = decide(&running, command).unwrap();
    let run = change.state.run.as_ref().unwrap();
    assert_eq!((run.cost_usd, run.tokens), (0.5, 120));
    let kinds = kinds(&change);
    let has = |kind: &str| kinds.iter().any(|known| known == kind);
    assert!(has("cost_update") && has("workflow_failed"), "{kinds:?}");
    assert!(!has("output"), "{kinds:?}");
}

#[test]
fn a_state_of_a_newer_schema_is_refused() {
    let text = session(Mode::Ocr)
        .to_json()
        .unwrap()
        .replace("\"schema\":1", "\"schema\":2");
    assert!(matches!(
        State::from_json(&text),
        Err(UnreadableState::Newer(2))
    ));
    assert!(matches!(
        State::from_json("{}"),
        Err(UnreadableState::Malformed(_))
    ));
}
