//! Lost races: the second writer gets the current state, and no change is lost or written twice.

use std::collections::HashSet;
use std::sync::Arc;

use futures::future::join_all;
use session::{
    Command, EventBody, Mode, Next, Refusal, RunStatus, Seq, SessionStatus, State, StoredEventBody,
};
use session_manager::{Actor, ChangeError};

use crate::world::{
    CANCEL, SUSPEND, World, at, commit, finish, new_run, note, resume, run_of, said, step,
    take_lease,
};

fn refusal(result: Result<session_manager::Committed, ChangeError>) -> (Refusal, Box<State>) {
    match result {
        Err(ChangeError::Refused(refusal, Some(state))) => (refusal, state),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs DynamoDB Local: make test"]
async fn one_of_fifty_concurrent_suspends_wins() {
    let world = World::new().await;
    let id = world.queued(Mode::PlanningControl).await.session_id;
    let suspends = (0..50).map(|_| world.does(id, SUSPEND, at(1)));
    let (won, lost): (Vec<_>, Vec<_>) = join_all(suspends)
        .await
        .into_iter()
        .partition(Result::is_ok);
    assert_eq!(won.len(), 1);
    for lost in lost {
        assert_eq!(
            refusal(lost).0,
            Refusal::NotActive(SessionStatus::Suspended)
        );
    }
    assert_eq!(world.assert_whole(id).await, 3);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs DynamoDB Local: make test"]
async fn one_of_two_workers_takes_the_lease_and_the_other_is_refused() {
    let world = World::new().await;
    let state = world.queued(Mode::PlanningControl).await;
    let lease = take_lease(&state, at(100));
    let (one, two) = tokio::join!(
        world.manager.commit_on(state.clone(), &lease, at(1)),
        world.manager.commit_on(state.clone(), &lease, at(1)),
    );
    let (won, lost) = if one.is_ok() { (one, two) } else { (two, one) };
    let won = won.unwrap().state;
    let (why, seen) = refusal(lost);
    assert_eq!(why, Refusal::Leased);
    assert_eq!(
        *seen, won,
        "the refused writer must get the state of the winner"
    );
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn one_of_two_workers_commits_a_step_and_the_other_is_overtaken() {
    let world = World::new().await;
    let first = world.running(Mode::PlanningControl).await;
    // The first worker is slow. Its lease expires at second 101, and another worker takes it.
    let lease = take_lease(&first, at(200));
    let second = world
        .manager
        .change(first.session_id, &Actor::System, &lease, at(101))
        .await
        .unwrap()
        .state;
    let late = world
        .manager
        .commit_on(
            first.clone(),
            &commit(&first, "late", Next::Advance(step(2))),
            at(102),
        )
        .await;
    assert_eq!(refusal(late).0, Refusal::Overtaken);
    let own = commit(&second, "in time", Next::Advance(step(2)));
    let committed = world
        .manager
        .commit_on(second, &own, at(103))
        .await
        .unwrap();
    assert_eq!(committed.state.messages, 2, "the task and one answer");
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_worker_of_a_cancelled_run_cannot_change_the_next_run() {
    let world = World::new().await;
    let asleep = world.running(Mode::PlanningControl).await;
    let id = asleep.session_id;
    let cancelled = world.does(id, CANCEL, at(2)).await.unwrap().state;
    let next = new_run();
    let started = world
        .start_run(id, &world.ada(), &next, None, at(3))
        .await
        .unwrap();
    world
        .manager
        .commit_on(
            started.state.clone(),
            &take_lease(&started.state, at(100)),
            at(4),
        )
        .await
        .unwrap();

    let before = world.partition(&format!("SESSION#{id}")).await;
    for late in [
        finish(&asleep),
        note(&asleep, "late"),
        Command::YieldLease {
            run: run_of(&asleep).id,
            epoch: asleep.lease.epoch,
        },
    ] {
        let (why, seen) = refusal(world.manager.commit_on(asleep.clone(), &late, at(5)).await);
        assert_eq!(why, Refusal::Overtaken);
        assert_eq!(
            *seen, cancelled,
            "the refusal names the first event that the worker missed"
        );
    }
    assert_eq!(world.partition(&format!("SESSION#{id}")).await, before);
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_suspend_during_a_step_keeps_its_work_and_stops_after_it() {
    let world = World::new().await;
    let state = world.running(Mode::PlanningControl).await;
    let id = state.session_id;
    world.does(id, SUSPEND, at(2)).await.unwrap();
    let done = commit(&state, "the step's work", Next::Advance(step(2)));
    let stopped = world.manager.commit_on(state, &done, at(3)).await.unwrap();
    assert_eq!(stopped.envelopes[0].body, said("the step's work").into());
    let after = &stopped.state;
    assert_eq!(after.status, SessionStatus::Suspended);
    assert_eq!(run_of(after).status, RunStatus::Paused);
    assert_eq!(after.lease.until, None, "the lease must be released");
    assert_eq!(
        (run_of(after).position.step, run_of(after).position.begun),
        (2, false)
    );
    let summary = world.item(id, "SUMMARY").await.unwrap();
    assert!(
        !summary.contains_key("due"),
        "a paused run has no due action"
    );
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_cancel_during_a_step_ends_the_run_and_its_worker() {
    let world = World::new().await;
    let state = world.running(Mode::PlanningControl).await;
    let cancelled = world
        .does(state.session_id, CANCEL, at(2))
        .await
        .unwrap()
        .state;
    let done = commit(&state, "too late", Next::Advance(step(2)));
    let (why, seen) = refusal(world.manager.commit_on(state, &done, at(3)).await);
    assert_eq!(why, Refusal::Overtaken);
    assert_eq!(*seen, cancelled);
    assert_eq!(run_of(&seen).status, RunStatus::Cancelled);
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_worker_sees_a_resume_that_precedes_the_end_of_its_slice() {
    let world = World::new().await;
    let state = world.running(Mode::PlanningControl).await;
    let id = state.session_id;
    world.does(id, SUSPEND, at(2)).await.unwrap();
    let resumed = world.does(id, resume(), at(3)).await.unwrap().state;
    // The resume finds a valid lease, so it needs no wake message and no second worker.
    assert_eq!(resumed.wake(at(3)), None);
    let (why, _) = refusal(
        world
            .manager
            .commit_on(resumed.clone(), &take_lease(&resumed, at(200)), at(3))
            .await,
    );
    assert_eq!(why, Refusal::Leased);
    // The worker sees suspend and resume at its next append and continues.
    let done = commit(&state, "the step's work", Next::Advance(step(2)));
    let on = world
        .manager
        .commit_on(state, &done, at(4))
        .await
        .unwrap()
        .state;
    assert_eq!(
        (on.status, run_of(&on).status),
        (SessionStatus::Active, RunStatus::Running)
    );
    assert_eq!(run_of(&on).position.step, 2);
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_resume_after_the_end_of_a_slice_sends_a_message() {
    let world = World::new().await;
    let state = world.running(Mode::PlanningControl).await;
    let id = state.session_id;
    world.does(id, SUSPEND, at(2)).await.unwrap();
    let done = commit(&state, "the step's work", Next::Advance(step(2)));
    world.manager.commit_on(state, &done, at(3)).await.unwrap();
    let resumed = world.does(id, resume(), at(4)).await.unwrap().state;
    assert!(
        resumed.wake(at(4)).is_some(),
        "without a lease a message is needed"
    );
    let summary = world.item(id, "SUMMARY").await.unwrap();
    assert_eq!(
        summary["due"].as_s().unwrap(),
        &at(34).to_string(),
        "a lost message must be due again"
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_resume_during_the_end_of_a_slice_leaves_worker_or_message() {
    let world = World::new().await;
    for _ in 0..10 {
        let state = world.running(Mode::PlanningControl).await;
        let id = state.session_id;
        world.does(id, SUSPEND, at(2)).await.unwrap();
        let done = commit(&state, "the step's work", Next::Advance(step(2)));
        let (ended, resumed) = tokio::join!(
            world.manager.commit_on(state, &done, at(3)),
            world.does(id, resume(), at(3)),
        );
        let (ended, resumed) = (ended.unwrap().state, resumed.unwrap().state);
        let after = world.manager.state(id, &Actor::System).await.unwrap();
        if ended.last_seq > resumed.last_seq {
            assert!(
                after.is_leased(at(3)),
                "the worker must see the resume and continue"
            );
        } else {
            assert!(resumed.wake(at(3)).is_some(), "the resume sends a message");
        }
        assert_eq!(after.status, SessionStatus::Active);
    }
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_worker_cannot_commit_after_a_delete_during_its_step() {
    let world = World::new().await;
    let state = world.running(Mode::PlanningControl).await;
    let id = state.session_id;
    world.does(id, Command::Delete, at(2)).await.unwrap();
    let before = world.partition(&format!("SESSION#{id}")).await;
    for late in [
        finish(&state),
        note(&state, "late"),
        commit(&state, "late", Next::Advance(step(2))),
    ] {
        let (why, seen) = refusal(world.manager.commit_on(state.clone(), &late, at(3)).await);
        assert_eq!(why, Refusal::NoSuchSession);
        assert!(seen.is_deleted());
    }
    assert_eq!(
        world.partition(&format!("SESSION#{id}")).await,
        before,
        "a late commit must write nothing"
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs DynamoDB Local: make test"]
async fn fifty_appends_of_each_of_six_writers_leave_no_gap() {
    let world = Arc::new(World::new().await);
    let state = world.running(Mode::PlanningControl).await;
    let id = state.session_id;
    world.proxy.seen();
    let writers = (0..6).map(|writer| {
        let (world, mut state) = (world.clone(), state.clone());
        tokio::spawn(async move {
            let mut contended = 0;
            for n in 0..50 {
                let command = note(&state, &format!("{writer}/{n}"));
                loop {
                    match world
                        .manager
                        .commit_on(state.clone(), &command, at(2))
                        .await
                    {
                        Ok(committed) => break state = committed.state,
                        Err(ChangeError::Contention) => contended += 1,
                        Err(error) => panic!("{error}"),
                    }
                }
            }
            contended
        })
    });
    let contended: usize = join_all(writers)
        .await
        .into_iter()
        .map(Result::unwrap)
        .sum();
    println!(
        "{} puts for 300 appends, {contended} times ten tries lost",
        world.proxy.seen().len()
    );
    assert_eq!(world.assert_whole(id).await, state.last_seq.0 + 300);

    let record = world
        .manager
        .record(id, state.last_seq.plus(1), Seq(u64::MAX >> 1))
        .await
        .unwrap();
    let messages: HashSet<_> = record
        .iter()
        .filter_map(|envelope| match &envelope.body {
            StoredEventBody::Known(EventBody::AgentMessage { message, .. }) => {
                Some(message.clone())
            }
            _ => None,
        })
        .collect();
    assert_eq!(
        messages.len(),
        300,
        "each message must be in the record once"
    );
}
