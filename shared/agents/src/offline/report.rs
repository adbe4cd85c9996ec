//! Reports and programs. A report quotes the sentences that have to do with the step. A program is
//! a Python script from a template that counts words; texts enter it as string literals only, so no
//! text of a brief becomes code.

use serde_json::{Value, json};
use workflow::Brief;

use super::{MODEL, text};

/// Sentences quoted in a report, and in its summary.
const QUOTES: usize = 5;
const QUOTES_IN_SUMMARY: usize = 2;
/// Characters of a heading, of a finding with its sub-task, and of the text in a program.
const LONGEST_HEADING: usize = 200;
const LONGEST_FINDING: usize = 600;
const LONGEST_TEXT: usize = 4_000;

const SCRIPT: &str = include_str!("word_statistics.py");
const FILENAME: &str = "word_statistics.py";

/// A heading, and the entries of the list under it.
type Section = (&'static str, Vec<String>);

pub(super) fn report(brief: &Brief) -> Value {
    let goal = goal(brief);
    let points = brief.step.iter().flat_map(|step| &step.bullet_points);
    let sections = [
        ("What the text says", quotes(brief, &goal, QUOTES)),
        ("Points from the plan", points.cloned().collect()),
        findings(brief),
    ];
    let summary = quotes(brief, &goal, QUOTES_IN_SUMMARY).join(" ");
    json!({"content": document(brief, &goal, &sections), "summary": summary})
}

/// A Python program that counts the words of the task.
pub(super) fn program(brief: &Brief) -> Value {
    let goal = text::clip(&goal(brief), LONGEST_HEADING);
    let terms = text::words(&format!("{goal} {}", brief.remarks.join(" ")));
    let literals = [
        ("\"{{goal}}\"", json!(goal)),
        ("\"{{text}}\"", json!(text::clip(&brief.task, LONGEST_TEXT))),
        ("[\"{{terms}}\"]", json!(terms)),
    ];
    let mut code = SCRIPT.to_owned();
    for (place, literal) in literals {
        // JSON strings and lists are Python literals too.
        code = code.replacen(place, &literal.to_string(), 1);
    }
    let usage = format!("`python3 {FILENAME}` counts the words of the task, or of a text file.");
    json!({
        "explanation": document(brief, &goal, &[("How to run the template", vec![usage])]),
        "summary": format!("{FILENAME} prints word statistics for “{goal}”."),
        "filename": FILENAME,
        "language": "python",
        "code": code,
    })
}

/// A Markdown text with a section for each list that is not empty. Its first section repeats what
/// the user says about the step, and its last line says that no language model wrote it.
pub(super) fn document(brief: &Brief, heading: &str, sections: &[Section]) -> String {
    let said = ("What the user says about this step", brief.remarks.clone());
    let mut content = format!("# {}\n\n", text::clip(heading, LONGEST_HEADING));
    for (title, items) in [said].iter().chain(sections) {
        if !items.is_empty() {
            content += &format!("## {title}\n\n- {}\n\n", items.join("\n- "));
        }
    }
    let origin = format!("Extracted by {MODEL} from the text it was given.");
    content + &format!("*{origin} No language model was asked.*")
}

/// The summaries of the steps that are done.
pub(super) fn findings(brief: &Brief) -> Section {
    let found = brief.done.iter().map(|done| {
        let text = format!("**{}** {}", done.sub_task, done.summary);
        text::clip(&text, LONGEST_FINDING)
    });
    ("What the steps before found", found.collect())
}

/// Sentences of the task and of earlier messages that have to do with a subject or with what the
/// user says, or else some of all.
pub(super) fn quotes(brief: &Brief, subject: &str, most: usize) -> Vec<String> {
    let mut texts = vec![brief.task.as_str()];
    texts.extend(brief.history.iter().map(|message| message.text.as_str()));
    let given = text::sentences(&texts.join("\n\n"));
    let wanted = format!("{subject} {}", brief.remarks.join(" "));
    match text::sharing(&given, &wanted, most) {
        none if none.is_empty() => text::spread(&given, most),
        shared => shared,
    }
}

/// The sub-task of the step, or else the first sentence of the task.
pub(super) fn goal(brief: &Brief) -> String {
    match &brief.step {
        Some(step) => step.sub_task.clone(),
        None => text::spread(&text::sentences(&brief.task), 1).concat(),
    }
}
