//! Model checking of the log's protocol: leases, crashes, concurrent commands, lost and duplicated
//! messages, the sweeper and the purge, around the production functions `decide`, `recover`, `due`
//! and `wake`.
//!
//! Each scenario has a budget for every kind of fault and explores all reachable states, breadth
//! first. The README lists what is modelled. `mutation` switches one rule off at a time, and the
//! model must find it.

#![allow(clippy::print_stdout, reason = "the test prints its figures")]

mod append;
mod clock;
mod engine;
mod handlers;
mod log;
mod mutation;
mod observer;
mod properties;
mod protocol;
mod reduction;
mod scenarios;
mod view;
mod worker;
mod world;

use std::time::Instant;

use stateright::{Checker, HasDiscoveries, Model};

use mutation::Mutation;
use properties::*;
use protocol::Protocol;

/// Explores all states, prints the figures and checks every property.
fn holds(protocol: Protocol, at_least: usize) {
    let name = protocol.name;
    let began = Instant::now();
    let checker = protocol.checker().spawn_bfs().join();
    let states = checker.unique_state_count();
    println!(
        "{name}: {states} states, {} transitions, depth {}, {:.1?}",
        checker.state_count(),
        checker.max_depth(),
        began.elapsed()
    );
    checker.assert_properties();
    assert!(states >= at_least, "{name}: only {states} states");
}

#[test]
fn the_protocol_holds_with_crashes_and_lost_messages() {
    holds(scenarios::workers(), 300_000);
}

#[test]
fn the_protocol_holds_in_a_crash_loop() {
    holds(scenarios::crash_loop(), 3_000);
}

#[test]
fn the_protocol_holds_with_lost_replies() {
    holds(scenarios::lost_replies(), 200_000);
}

#[test]
fn the_protocol_holds_with_dead_letters() {
    holds(scenarios::dead_letters(), 100_000);
}

#[test]
fn the_protocol_holds_with_contradicting_clients() {
    holds(scenarios::people(), 300_000);
}

#[test]
fn the_protocol_holds_with_further_tasks() {
    holds(scenarios::further_tasks(), 100_000);
}

#[test]
fn the_protocol_holds_when_an_approval_expires() {
    holds(scenarios::approval_expiry(), 200_000);
}

#[test]
fn the_protocol_holds_when_the_expiry_of_a_turn_is_its_answer() {
    holds(scenarios::turn_expiry(), 100_000);
}

#[test]
fn the_protocol_holds_when_an_idle_session_expires() {
    holds(scenarios::idle_expiry(), 10_000);
}

#[test]
fn the_protocol_holds_with_a_delete_and_a_purge() {
    holds(scenarios::deletion(), 300_000);
}

#[test]
fn the_protocol_holds_in_a_mode_without_resume() {
    holds(scenarios::without_resume(), 3_000);
}

/// Explores states until the property is violated, and prints the path.
fn finds(property: &'static str, mutation: Mutation, scenario: Protocol) {
    let began = Instant::now();
    let until = HasDiscoveries::AllOf([property].into());
    let checker = scenario
        .with(mutation)
        .checker()
        .finish_when(until)
        .spawn_bfs()
        .join();
    let path = checker
        .discovery(property)
        .expect("the mutation was not found");
    println!(
        "{mutation:?}: {:.1?}, {property}, violated by",
        began.elapsed()
    );
    for action in path.into_actions() {
        println!("    {action:?}");
    }
}

#[test]
fn the_model_finds_a_put_without_a_condition() {
    finds(GAP_FREE, Mutation::PutUnconditional, scenarios::people());
}

#[test]
fn the_model_finds_an_accepted_stale_epoch() {
    finds(ONE_WRITER, Mutation::EpochIgnored, scenarios::workers());
}

#[test]
fn the_model_finds_a_release_that_keeps_the_epoch() {
    finds(
        NO_ANSWER_LOST,
        Mutation::ReleaseKeepsEpoch,
        scenarios::people(),
    );
}

#[test]
fn the_model_finds_a_queued_run_without_a_due_time() {
    finds(REPAIRED, Mutation::QueuedWithoutDue, scenarios::workers());
}

#[test]
fn the_model_finds_a_dropped_answer() {
    finds(NO_ANSWER_LOST, Mutation::AnswerDropped, scenarios::people());
}

#[test]
fn the_model_finds_a_commit_that_its_writer_does_not_recognise() {
    finds(
        WRITER_TOLD,
        Mutation::CommitNotRecognised,
        scenarios::lost_replies(),
    );
}

#[test]
fn the_model_finds_a_purge_without_delay() {
    finds(STAYS_DELETED, Mutation::PurgeAtOnce, scenarios::deletion());
}

#[test]
fn the_model_finds_a_purge_that_waits_for_one_life_only() {
    // The delete carries the start time of its function. Other functions begin before it is
    // committed.
    finds(STAYS_DELETED, Mutation::PurgeTooSoon, scenarios::deletion());
}

#[test]
fn the_model_finds_a_task_after_a_completed_one_in_a_mode_without_resume() {
    let scenario = scenarios::without_resume();
    finds(ONE_COMPLETED, Mutation::CompletedContinues, scenario);
}

#[test]
fn a_worker_that_takes_a_held_lease_causes_no_violation() {
    let wrong = scenarios::crash_loop().with(Mutation::LeaseIgnored);
    holds(wrong, 10_000);
}

#[test]
fn worlds_with_equal_hashes_continue_alike() {
    for scenario in scenarios::all() {
        let merged = reduction::merged(&scenario);
        println!("{}: {merged} worlds merged", scenario.name);
        assert!(merged > 0, "{}: nothing was merged", scenario.name);
    }
}
