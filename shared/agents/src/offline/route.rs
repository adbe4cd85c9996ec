//! The copilot's way by what can be counted: how much a task says, what it lists or asks for, and whether it wants to see
//! a proposal first.

use super::{
    plan,
    text::{self, Kind, Sentence},
};
use crate::{RouteAnswer as Route, TaskAgent};
use session::RouteKind;
use workflow::Brief;

/// Telling words without which a task is asked about.
const ENOUGH_WORDS: usize = 2;
/// From here on a word's script puts no spaces between words (CJK radicals and what follows), so that a whole sentence
/// looks like one word.
const FIRST_WITHOUT_SPACES: char = '\u{2E80}';
/// Requests, or items of a list, that call for a plan, and parts that are done one after another.
const MANY: usize = 2;
/// Characters of the task that a message repeats, and parts of it that a proposal lists.
const LONGEST_QUOTE: usize = 300;
const PARTS: usize = 8;

/// What a user writes who wants to see first what would be done.
const PROPOSAL_WORDS: &str = "propose proposal";
const PROPOSAL_PHRASES: [&str; 4] = [
    "before you start",
    "before starting",
    "suggest a way",
    "suggest how",
];

pub(super) fn choose(brief: &Brief) -> Route {
    let sentences = text::sentences(&brief.task);
    let agent = if plan::wants_program(&brief.task) {
        TaskAgent::Engineer
    } else {
        TaskAgent::Researcher
    };
    let (route, message) = if brief.may_ask && telling_words(&brief.task) < ENOUGH_WORDS {
        (RouteKind::Clarify, question(&brief.task))
    } else if brief.may_ask && wants_proposal(&brief.task) {
        (RouteKind::Propose, proposal(&brief.task, &sentences))
    } else {
        plan_or_answer(&sentences)
    };
    Route {
        route,
        agent,
        message,
    }
}

fn plan_or_answer(sentences: &[Sentence]) -> (RouteKind, String) {
    let count = |belongs: fn(&Sentence) -> bool| sentences.iter().filter(|s| belongs(s)).count();
    let items = count(|sentence| sentence.kind == Kind::Item);
    let requests = count(Sentence::is_request);
    if items >= MANY {
        let why = format!("The task lists {items} items, which are done one after another.");
        (RouteKind::Planned, why)
    } else if requests >= MANY {
        let why = format!("The task asks for {requests} things, which are done one after another.");
        (RouteKind::Planned, why)
    } else {
        let why = "The task asks for one thing, so one answer will do.".to_owned();
        (RouteKind::OneShot, why)
    }
}

fn telling_words(task: &str) -> usize {
    let telling = |word: &String| {
        let unspaced = word.chars().filter(|&c| c >= FIRST_WITHOUT_SPACES).count();
        1 + unspaced / 2
    };
    text::words(task).iter().map(telling).sum()
}

fn wants_proposal(task: &str) -> bool {
    let task_in_one_line = text::clip(task, usize::MAX).to_lowercase();
    !text::words(task).is_disjoint(&text::words(PROPOSAL_WORDS))
        || PROPOSAL_PHRASES
            .iter()
            .any(|phrase| task_in_one_line.contains(phrase))
}

fn question(task: &str) -> String {
    format!(
        "“{}” doesn't say enough to begin with. What is it about, and what do you want to have at the end?",
        text::clip(task, LONGEST_QUOTE)
    )
}

/// What would be done: the parts that a plan would take up, or the task as one.
fn proposal(task: &str, sentences: &[Sentence]) -> String {
    let parts: Vec<String> = plan::units(sentences)
        .into_iter()
        .take(PARTS)
        .map(|part| format!("- {}", text::clip(&part.text, LONGEST_QUOTE)))
        .collect();
    if parts.len() < MANY {
        let task = text::clip(task, LONGEST_QUOTE);
        return format!("This would be done at once, in one answer:\n\n- {task}");
    }
    format!(
        "These parts of the task would be done one after another, and their results brought together at the end:\n\n{}",
        parts.join("\n")
    )
}
