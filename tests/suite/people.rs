//! People in the loop: every checkpoint is answered with every option, over the WebSocket and by
//! REST, and each run is followed to its expected end.
//!
//! A [`Walk`] is a run with its answers. The walks are in `plan`, `steps`, `ideas`, `copilot` and
//! `budget`. `answers` tests repeated and invalid answers, `race` concurrent ones, and `expiry`
//! missing ones.

mod answers;
mod budget;
mod copilot;
mod expiry;
mod ideas;
mod plan;
mod race;
mod steps;
mod walk;

use walk::Walk;

/// The checkpoints with all of their options from the contract. Idea generation has three ideas in
/// these tests.
const OPTIONS: [(&str, &[&str]); 9] = [
    (
        "during_planning",
        &["approve", "reject", "revise", "modify"],
    ),
    ("before_step", &["approve", "reject", "skip"]),
    ("after_step", &["continue", "abort", "redo"]),
    ("on_error", &["retry", "skip", "abort"]),
    (
        "after_ideas",
        &["option_1", "option_2", "option_3", "custom"],
    ),
    ("clarification", &["submit", "abort"]),
    ("proposal", &["approve", "revise", "reject"]),
    ("copilot_turn", &["submit", "continue", "done", "exit"]),
    ("budget", &["continue", "abort"]),
];

/// The options of a checkpoint without a limit.
fn options(checkpoint: &str) -> &'static [&'static str] {
    let row = OPTIONS.iter().find(|(known, _)| *known == checkpoint);
    row.unwrap_or_else(|| panic!("no checkpoint {checkpoint}"))
        .1
}

#[test]
fn the_walks_answer_every_checkpoint_with_every_option() {
    let known = workflow::Checkpoint::ALL.map(workflow::Checkpoint::as_str);
    assert_eq!(OPTIONS.map(|(checkpoint, _)| checkpoint), known);
    let walks: Vec<Walk> = [
        plan::walks(),
        steps::walks(),
        ideas::walks(),
        copilot::walks(),
        budget::walks(),
    ]
    .into_iter()
    .flatten()
    .collect();
    for (checkpoint, options) in OPTIONS {
        for option in options {
            let answered = walks
                .iter()
                .any(|walk| walk.answers_with(checkpoint, option));
            assert!(answered, "{option} at {checkpoint}");
        }
    }
}
