//! The protocol of the log, gone through in every order: leases, crashes, commands by others, lost and doubled messages, the
//! sweeper and the purge, around production's own `decide`, `recover`, `due` and `wake`.
//!
//! Each scenario has a budget for every kind of trouble and goes through all that can follow, breadth first; the README
//! says what is modelled and what is not. `broken` switches one rule off at a time, and the model must find it.

#![allow(
    clippy::print_stdout,
    reason = "the figures are for the reader of the test's output"
)]

mod append;
mod book;
mod broken;
mod clock;
mod engine;
mod log;
mod people;
mod properties;
mod protocol;
mod reduction;
mod scenarios;
mod view;
mod worker;
mod world;

use std::time::Instant;

use stateright::{Checker, HasDiscoveries, Model};

use broken::Broken;
use properties::*;
use protocol::Protocol;

/// Goes through everything, says how much that was, and holds every promise against it.
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
fn workers_and_messages() {
    holds(scenarios::workers(), 300_000);
}

#[test]
fn crash_loop() {
    holds(scenarios::crash_loop(), 3_000);
}

#[test]
fn lost_replies() {
    holds(scenarios::lost_replies(), 200_000);
}

#[test]
fn dead_letters() {
    holds(scenarios::dead_letters(), 100_000);
}

#[test]
fn people() {
    holds(scenarios::people(), 300_000);
}

#[test]
fn further_tasks() {
    holds(scenarios::further_tasks(), 100_000);
}

#[test]
fn lapses() {
    holds(scenarios::lapses(), 200_000);
}

#[test]
fn silence() {
    holds(scenarios::silence(), 100_000);
}

#[test]
fn idleness() {
    holds(scenarios::idleness(), 10_000);
}

#[test]
fn deletion() {
    holds(scenarios::deletion(), 300_000);
}

/// Goes on until the promise is found to be broken, and says by how many steps.
fn finds(promise: &'static str, broken: Broken, scenario: Protocol) {
    let began = Instant::now();
    let until = HasDiscoveries::AllOf([promise].into());
    let checker = scenario
        .with(broken)
        .checker()
        .finish_when(until)
        .spawn_bfs()
        .join();
    let path = checker.discovery(promise).expect("it went unnoticed");
    println!("{broken:?}: {:.1?}, {promise}, broken by", began.elapsed());
    for action in path.into_actions() {
        println!("    {action:?}");
    }
}

#[test]
fn it_finds_a_put_without_its_condition() {
    finds(GAP_FREE, Broken::PutUnconditional, scenarios::people());
}

#[test]
fn it_finds_a_stale_epoch_that_is_accepted() {
    finds(ONE_WRITER, Broken::EpochIgnored, scenarios::workers());
}

#[test]
fn it_finds_a_release_that_keeps_the_epoch() {
    finds(
        NO_ANSWER_LOST,
        Broken::ReleaseKeepsEpoch,
        scenarios::people(),
    );
}

#[test]
fn it_finds_a_debt_without_a_due() {
    finds(REPAIRED, Broken::QueuedWithoutDue, scenarios::workers());
}

#[test]
fn it_finds_an_answer_that_is_dropped() {
    finds(NO_ANSWER_LOST, Broken::AnswerDropped, scenarios::people());
}

#[test]
fn it_finds_a_commit_that_its_writer_does_not_know_again() {
    finds(
        TOLD_RIGHT,
        Broken::CommitNotRecognised,
        scenarios::lost_replies(),
    );
}

#[test]
fn it_finds_a_purge_without_delay() {
    finds(STAYS_DELETED, Broken::PurgeAtOnce, scenarios::deletion());
}

#[test]
fn it_finds_a_purge_that_waits_for_a_life_alone() {
    // The delete tells the time at which its function began: by when it landed, others had begun as well.
    finds(STAYS_DELETED, Broken::PurgeTooSoon, scenarios::deletion());
}

#[test]
fn a_clock_that_is_wrong_about_leases_breaks_nothing() {
    let wrong = scenarios::crash_loop().with(Broken::LeaseIgnored);
    holds(wrong, 10_000);
}

#[test]
fn worlds_of_one_hash_go_on_alike() {
    for scenario in scenarios::all() {
        let merged = reduction::merged(&scenario);
        println!("{}: {merged} worlds merged", scenario.name);
        assert!(merged > 0, "{}: nothing was merged", scenario.name);
    }
}
