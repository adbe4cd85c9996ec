//! How many ideas a step asks for, by its words.

use super::text;

const NUMBERS: [&str; 8] = [
    "one", "two", "three", "four", "five", "six", "seven", "eight",
];
/// Verbs after which one is left unless a number says otherwise.
const CHOOSING: [&str; 5] = ["choose", "chosen", "decide", "pick", "select"];
/// What stands between how many are chosen and out of how many.
const OUT_OF: [&str; 3] = ["of", "from", "among"];

/// The number in the last of the step's sentences that has one.
pub(super) fn ideas_asked_for(step: &str) -> Option<usize> {
    let sentences = text::sentences(step);
    let in_sentences = sentences.iter().rev();
    in_sentences
        .filter_map(|sentence| in_sentence(&sentence.text))
        .next()
}

/// The first number of a sentence; one, where something is chosen, or where it speaks of a single idea.
fn in_sentence(sentence: &str) -> Option<usize> {
    let words: Vec<String> = sentence
        .split(|c: char| !c.is_alphanumeric())
        .map(str::to_lowercase)
        .filter(|word| !word.is_empty())
        .collect();
    let has = |any: &[&str]| words.iter().any(|word| any.contains(&word.as_str()));
    let chooses = has(&CHOOSING);
    let number = words
        .iter()
        .take_while(|word| !(chooses && OUT_OF.contains(&word.as_str())))
        .find_map(|word| number(word));
    let single = chooses || has(&["idea"]) && !has(&["ideas", "each", "every"]);
    number.or(single.then_some(1))
}

fn number(word: &str) -> Option<usize> {
    let spelled = NUMBERS.iter().position(|name| *name == word);
    spelled
        .map(|index| index + 1)
        .or_else(|| word.parse().ok())
        .filter(|number| (1..=NUMBERS.len()).contains(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_says_how_many_ideas_are_to_stand() {
        for (step, expected) in [
            ("Propose five ideas, in one sentence each.", Some(5)),
            ("Name 3 ideas", Some(3)),
            (
                "Choose the two best ideas and improve them by the critique.",
                Some(2),
            ),
            ("Improve the two best of the five ideas.", Some(2)),
            ("Choose the best of the two.", Some(1)),
            (
                "Choose the better idea, and improve it by the critique.",
                Some(1),
            ),
            ("Write a title and a report on the chosen idea.", Some(1)),
            ("Propose five ideas. Improve the best two.", Some(2)),
            ("Improve each idea.", None),
            ("Improve the ideas of 2026.", None),
        ] {
            assert_eq!(ideas_asked_for(step), expected, "{step}");
        }
    }
}
