//! The engineer's program: a small Python script that carries the text of its task and prints what can be counted
//! in it. All that comes from the brief goes in as string literals, so no text can become code.

use serde_json::Value;

use super::{MODEL, goal, heard, text};
use crate::Program;
use workflow::Brief;

/// Characters of the task that the script carries.
const LONGEST_TEXT: usize = 4000;
/// Characters of what the user says about the step.
const LONGEST_REMARKS: usize = 600;
/// Terms that the script looks for.
const TERMS: usize = 10;

const SCRIPT: &str = include_str!("word_statistics.py");

pub(super) fn write(brief: &Brief) -> Program {
    let goal = text::clip(&goal(brief), 300);
    let said = heard(brief).join(" ");
    let terms: Vec<String> = text::frequent(&format!("{goal} {} {said}", brief.task), TERMS)
        .into_iter()
        .map(|(term, _)| term)
        .collect();
    let literals = [
        ("\"{{goal}}\"", literal(&goal)),
        (
            "\"{{text}}\"",
            literal(&text::clip(&brief.task, LONGEST_TEXT)),
        ),
        (
            "[\"{{terms}}\"]",
            format!(
                "[{}]",
                terms
                    .iter()
                    .map(|t| literal(t))
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
        ),
    ];
    let code = literals
        .iter()
        .fold(SCRIPT.to_owned(), |code, (place, value)| {
            code.replacen(place, value, 1)
        });
    let filename = filename(&goal);
    let names = terms.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
    let heeds = if said.trim().is_empty() {
        String::new()
    } else {
        let said = text::clip(&said, LONGEST_REMARKS);
        format!("\n\nIt also looks for the terms of what the user says about this step: “{said}”")
    };
    Program {
        explanation: format!(
            "Counts sentences and words of the task's text and shows how often its terms occur, as bars.{heeds}\n\n\
             Run it with `python3 {filename}`, or with the name of a text file as its argument.\n\n\
             *Written by {MODEL} from a template. No language model was asked.*"
        ),
        summary: text::clip(
            &format!(
                "{filename} prints word statistics for “{goal}”; it looks for {names} and other terms."
            ),
            700,
        ),
        filename,
        language: "python".to_owned(),
        code,
    }
}

/// A Python string literal. JSON's ASCII escapes are Python's too; beyond them both take UTF-8 as it is.
fn literal(text: &str) -> String {
    Value::from(text).to_string()
}

/// The first telling words of the goal as a file name.
fn filename(goal: &str) -> String {
    let telling = text::words(goal);
    let words: Vec<String> = goal
        .split(|c: char| !c.is_ascii_alphanumeric())
        .map(str::to_lowercase)
        .filter(|word| word.len() > 2 && !text::words(word).is_disjoint(&telling))
        .take(4)
        .collect();
    let stem: String = words.join("_").chars().take(60).collect();
    format!(
        "{}.py",
        if stem.is_empty() {
            "word_statistics"
        } else {
            &stem
        }
    )
}
