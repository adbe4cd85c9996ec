//! Reports and programs. A report quotes the sentences that have most to do with the step. A
//! program is a Python script from a template that counts words; texts enter it as string literals
//! only, so no text of a brief becomes code.

use serde_json::{Value, json};

use super::{Input, MODEL, text};

/// Sentences quoted in a report, and in its summary.
const QUOTES: usize = 5;
const QUOTES_IN_SUMMARY: usize = 2;
/// Terms that a program looks for.
const TERMS: usize = 10;
/// Characters of a quotation, of a summary, of a heading, and of the text that a program carries.
const LONGEST_QUOTE: usize = 600;
const LONGEST_SUMMARY: usize = 700;
const LONGEST_HEADING: usize = 200;
const LONGEST_TEXT: usize = 4000;

const SCRIPT: &str = include_str!("word_statistics.py");

pub(super) fn report(input: &Input) -> Value {
    let goal = input.goal();
    let quoted = quotes(input, &goal, QUOTES);
    let points = input
        .step
        .iter()
        .flat_map(|step| step.bullet_points.clone());
    let sections = [
        ("What the text says", quoted.clone()),
        (
            "Further points from the plan",
            points.filter(|point| !quoted.contains(point)).collect(),
        ),
        ("What the steps before found", findings(input)),
    ];
    let summary = match quotes(input, &goal, QUOTES_IN_SUMMARY).join(" ") {
        nothing if nothing.is_empty() => format!("The text says nothing more than this: {goal}"),
        quoted => quoted,
    };
    json!({
        "content": document(input, &text::clip(&goal, LONGEST_HEADING), sections),
        "summary": text::clip(&summary, LONGEST_SUMMARY),
    })
}

/// A Markdown text with a section for each list that is not empty. Its first section repeats what
/// the user says about the step, and its last line says that no language model wrote it.
pub(super) fn document<const N: usize>(
    input: &Input,
    heading: &str,
    sections: [(&str, Vec<String>); N],
) -> String {
    let said = input
        .step
        .iter()
        .flat_map(|_| input.remarks.to_vec())
        .collect();
    let mut content = format!("# {heading}\n\n");
    for (title, items) in [("What the user says about this step", said)]
        .into_iter()
        .chain(sections)
    {
        if !items.is_empty() {
            content += &format!("## {title}\n\n- {}\n\n", items.join("\n- "));
        }
    }
    content
        + &format!(
            "*Extracted by {MODEL} from the text it was given. No language model was asked.*"
        )
}

pub(super) fn findings(input: &Input) -> Vec<String> {
    let finding = |(sub_task, summary): &(&str, &str)| {
        let sub_task = text::clip(sub_task, LONGEST_HEADING);
        format!("**{sub_task}** {}", text::clip(summary, LONGEST_QUOTE))
    };
    input.done.iter().map(finding).collect()
}

/// Sentences of the task and of the session that have to do with a subject or with what the user
/// says about the step; a sentence that only repeats the subject is left out.
pub(super) fn quotes(input: &Input, subject: &str, most: usize) -> Vec<String> {
    let mut given = text::sentences(input.task);
    given.extend(input.said.iter().flat_map(|said| text::sentences(said)));
    let subject = text::words(subject);
    given.retain(|sentence| sentence.words != subject);
    let mut wanted = text::words(&input.remarks.join(" "));
    wanted.extend(subject);
    let key = text::key_sentences(&given, &wanted, most);
    text::clipped(&key, LONGEST_QUOTE)
}

pub(super) fn program(input: &Input) -> Value {
    let goal = text::clip(&input.goal(), LONGEST_HEADING);
    let said = text::clip(&input.remarks.join(" "), LONGEST_QUOTE);
    let terms = text::frequent(&format!("{goal} {} {said}", input.task), TERMS);
    let code = [
        ("\"{{goal}}\"", json!(goal)),
        ("\"{{text}}\"", json!(text::clip(input.task, LONGEST_TEXT))),
        ("[\"{{terms}}\"]", json!(terms)),
    ];
    // JSON strings and lists are Python literals too.
    let code = code.iter().fold(SCRIPT.to_owned(), |code, (place, value)| {
        code.replacen(place, &value.to_string(), 1)
    });
    let words = goal
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| word.len() > 2);
    let stem = words.take(4).collect::<Vec<_>>().join("_").to_lowercase();
    let stem: String = stem.chars().take(60).collect();
    let stem = if stem.is_empty() {
        "word_statistics"
    } else {
        &stem
    };
    let filename = format!("{stem}.py");
    let heeds = match said.as_str() {
        "" => String::new(),
        said => format!("\n\nIt also looks for terms of what the user says: “{said}”"),
    };
    json!({
        "explanation": format!(
            "Counts words of the task's text, and shows how often its terms occur.{heeds}\n\n\
             Run it with `python3 {filename}`, or with the name of a text file as its argument.\n\n\
             *Written by {MODEL} from a template. No language model was asked.*"
        ),
        "summary": format!("{filename} prints word statistics for “{goal}”."),
        "filename": filename,
        "language": "python",
        "code": code,
    })
}
