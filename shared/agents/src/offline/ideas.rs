//! The idea maker's ideas: each looks at a weighty sentence of the task in one of a few ways that suit any subject. Ideas
//! that stand already are ranked by what they take up of the task, and mended by what was found against them.

use super::{
    disclaimer, goal, heard,
    number::ideas_asked_for,
    report::{finding, given, quotes, section},
    standing::{self, LONGEST_TITLE},
    text::{self, Words},
};
use crate::{Idea, Ideas};
use workflow::Brief;

/// Ideas made where the step doesn't say how many.
const IDEAS: usize = 5;
/// A title is meant by whoever says this part of its words.
const MEANT: f64 = 0.6;
/// Sentences quoted in the report on an idea.
const QUOTES: usize = 5;
/// Words of a sentence in a title, characters of it in a description, and of a whole description.
const WORDS_IN_TITLE: usize = 5;
const LONGEST_QUOTE: usize = 150;
const LONGEST_DESCRIPTION: usize = 800;

/// What the critic says of an idea that does not take up a part of the task; it quotes the part.
pub(super) const LEAVES_OUT: &str = "It leaves out this part of the task: ";

/// Ways to look at a subject: what the title says, and what is to be done.
const WAYS: [(&str, &str); 8] = [
    ("Measure", "put numbers to it, and see what they depend on"),
    (
        "Compare",
        "set two ways to deal with it side by side, by one yardstick",
    ),
    (
        "Simplify",
        "leave out what is not needed, and see what still holds",
    ),
    (
        "Reverse",
        "ask what would follow if the opposite were the case",
    ),
    ("Combine", "join it with what the task says elsewhere"),
    (
        "Predict",
        "say what will come of it, and how one would notice being wrong",
    ),
    ("Single out", "follow one case of it from beginning to end"),
    (
        "Explain",
        "find the cause behind it, and what else that cause brings about",
    ),
];

pub(super) fn make(brief: &Brief) -> Ideas {
    let goal = goal(brief);
    let standing = standing::ideas(&brief.done);
    let all = if standing.is_empty() {
        IDEAS
    } else {
        standing.len()
    };
    let wanted = ideas_asked_for(&goal).unwrap_or(all).clamp(1, WAYS.len());
    let chosen = chosen(brief, &standing, wanted);
    let mut ideas: Vec<Idea> = standing::strongest_first(brief, standing)
        .into_iter()
        .map(|idea| mended(brief, idea))
        .collect();
    if let Some(chosen) = chosen {
        ideas.retain(|idea| idea.title != chosen.title);
        ideas.insert(0, mended(brief, chosen));
    }
    if ideas.len() < wanted {
        let new = new_ideas(brief, wanted);
        let known: Vec<String> = ideas.iter().map(|idea| idea.title.clone()).collect();
        ideas.extend(new.into_iter().filter(|idea| !known.contains(&idea.title)));
    }
    ideas.truncate(wanted);
    Ideas {
        content: content(brief, &goal, &ideas),
        summary: standing::list(&ideas),
        ideas,
    }
}

/// The idea that the user means: one that stands, by its number or its title; or, where one of several is to be left,
/// the user's own.
fn chosen(brief: &Brief, standing: &[Idea], wanted: usize) -> Option<Idea> {
    let said = heard(brief);
    let meant = said.iter().find_map(|remark| meant(remark, standing));
    if meant.is_some() || wanted > 1 || standing.len() < 2 {
        return meant.cloned();
    }
    let own = said.iter().find(|remark| !remark.trim().is_empty())?;
    Some(Idea {
        title: standing::title(own),
        description: format!("In the user's words: {}", text::clip(own, 600)),
    })
}

fn meant<'a>(remark: &str, standing: &'a [Idea]) -> Option<&'a Idea> {
    let remark = remark.to_lowercase();
    let number = ["option_", "option ", "idea "].iter().find_map(|before| {
        let (_, after) = remark.split_once(before)?;
        let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<usize>().ok()?.checked_sub(1)
    });
    if let Some(idea) = number.and_then(|number| standing.get(number)) {
        return Some(idea);
    }
    let said = text::words(&remark);
    let share = |idea: &Idea| text::covered(&text::words(&idea.title), &said);
    standing
        .iter()
        .rev()
        .filter(|idea| share(idea) >= MEANT)
        .max_by(|a, b| share(a).total_cmp(&share(b)))
}

/// The idea with an answer to what was found against it.
fn mended(brief: &Brief, mut idea: Idea) -> Idea {
    let weakness = standing::weakness(&brief.done, &idea);
    if let Some((_, part)) = weakness.as_deref().and_then(|w| w.split_once(LEAVES_OUT)) {
        let description = format!("{} It also takes up {part}", idea.description);
        idea.description = text::clip(&description, LONGEST_DESCRIPTION);
    }
    idea
}

/// New ideas on the sentences that have most to do with what the user says about the step, or that weigh most.
fn new_ideas(brief: &Brief, most: usize) -> Vec<Idea> {
    let said = brief.history.iter().map(|turn| turn.text.as_str());
    let sentences: Vec<_> = [brief.task.as_str()]
        .into_iter()
        .chain(said)
        .flat_map(text::sentences)
        .collect();
    let wanted: Words = text::words(&heard(brief).join(" "));
    let mut subjects: Vec<&str> = text::key_sentences(&sentences, &wanted, most)
        .into_iter()
        .map(|sentence| sentence.text.as_str())
        .collect();
    if subjects.is_empty() {
        subjects.push("the task as it stands");
    }
    let on_subjects = WAYS.iter().zip(subjects.iter().cycle());
    on_subjects
        .take(most)
        .map(|((way, method), subject)| Idea {
            title: standing::title(&format!("{way}: {}", topic(subject))),
            description: format!(
                "Start from “{}” and {method}.",
                text::clip(subject, LONGEST_QUOTE)
            ),
        })
        .collect()
}

/// The first telling words of a sentence, as they stand there.
fn topic(sentence: &str) -> String {
    let words: Vec<&str> = sentence
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !text::words(word).is_empty())
        .take(WORDS_IN_TITLE)
        .collect();
    if words.is_empty() {
        text::clip(sentence, LONGEST_TITLE / 2)
    } else {
        words.join(" ")
    }
}

/// The ideas as a list; a single one as a report with what the texts say about it.
fn content(brief: &Brief, goal: &str, ideas: &[Idea]) -> String {
    let user = section("What the user says", heard(brief));
    let mut parts = match ideas {
        [idea] => {
            let found: Vec<String> = brief.done.iter().map(finding).collect();
            let subject = format!("{} {}", idea.title, idea.description);
            let quoted = quotes(&given(brief, &subject), &subject, QUOTES);
            vec![
                format!("# {}\n\n{}", idea.title, idea.description),
                user,
                section("What the text says", &quoted),
                section("What the steps before found", &found),
            ]
        }
        ideas => {
            let lines = ideas.iter().enumerate().map(|(i, idea)| {
                let Idea { title, description } = idea;
                format!("{}. **{title}** {description}", i + 1)
            });
            let lines = lines.collect::<Vec<_>>().join("\n");
            vec![format!("# {}\n\n{lines}", text::clip(goal, 200)), user]
        }
    };
    parts.push(disclaimer("Put together"));
    parts.retain(|part| !part.is_empty());
    parts.join("\n\n")
}
