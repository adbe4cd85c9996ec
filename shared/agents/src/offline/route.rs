//! The copilot's route, by what can be counted: how much the task says, what it lists or asks for,
//! and whether it wants a proposal first.

use serde_json::{Value, json};

use super::{
    plan,
    text::{self, Kind, Sentence},
};

/// Telling words without which a task is unclear.
const ENOUGH_WORDS: usize = 2;
/// Scripts from here on put no spaces between words, so a whole sentence counts as one word.
const FIRST_WITHOUT_SPACES: char = '\u{2E80}';
/// Requests, or items of a list, that call for a plan.
const MANY: usize = 2;
/// Characters of a quotation, and parts that a proposal lists.
const LONGEST_QUOTE: usize = 300;
const PARTS: usize = 8;

const PROPOSAL_WORDS: [&str; 4] = [
    "propos",
    "before you start",
    "before starting",
    "suggest how",
];

pub(super) fn choose(task: &str, may_ask: bool) -> Value {
    let sentences = text::sentences(task);
    let count = |belongs: fn(&Sentence) -> bool| sentences.iter().filter(|s| belongs(s)).count();
    let parts = count(|s| s.kind == Kind::Item).max(count(Sentence::is_request));
    let line = text::clip(task, usize::MAX).to_lowercase();
    let unspaced = task.chars().any(|c| c >= FIRST_WITHOUT_SPACES);
    let unclear = text::words(task).len() < ENOUGH_WORDS && !unspaced;
    let quote = |text: &str| text::clip(text, LONGEST_QUOTE);
    let (route, message) = if may_ask && unclear {
        let why = format!("“{}” doesn't say enough to begin with.", quote(task));
        (
            "clarify",
            format!("{why} What is it about, and what do you want to have at the end?"),
        )
    } else if may_ask && PROPOSAL_WORDS.iter().any(|words| line.contains(words)) {
        let units = plan::units(&sentences).into_iter().take(PARTS);
        let parts: String = units
            .map(|unit| format!("\n- {}", quote(&unit.text)))
            .collect();
        (
            "propose",
            format!("These parts of the task would be done one after another:\n{parts}"),
        )
    } else if parts >= MANY {
        (
            "planned",
            format!("The task asks for {parts} things, which are done one after another."),
        )
    } else {
        (
            "one_shot",
            "The task asks for one thing, so one answer will do.".to_owned(),
        )
    };
    let agent = if plan::wants_program(task) {
        "engineer"
    } else {
        "researcher"
    };
    json!({"route": route, "agent": agent, "message": message})
}
