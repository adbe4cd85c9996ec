//! What models write around their answers, and its removal: thoughts, a Markdown fence, sentences
//! before or behind the JSON. Every answer of every provider passes here once.

use std::iter;

use serde::de::IgnoredAny;
use serde_json::{Deserializer, Value};

use crate::{form::Misfit, lenient_json::whole_escapes};

/// The marks of thoughts, by the documentation or the chat templates of the models: `DeepSeek`,
/// Qwen; Amazon Nova; Gemma; others; Mistral; Cohere; Kimi.
const THOUGHTS: [(&str, &str); 7] = [
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<reasoning>", "</reasoning>"),
    ("[THINK]", "[/THINK]"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("◁think▷", "◁/think▷"),
];

/// A text without the thoughts at its beginning. One whose beginning is missing, because the chat
/// template wrote it, goes up to its end mark. One that never ends is all of the text, but for an
/// object that ends it. Marks behind the first words of an answer belong to the answer.
pub(crate) fn without_thoughts(text: &str) -> &str {
    let mut text = trimmed(text);
    while !is_json(text)
        && let Some(rest) = THOUGHTS
            .iter()
            .find_map(|marks| behind_thought(text, *marks))
    {
        text = trimmed(rest);
    }
    text
}

fn behind_thought<'a>(text: &'a str, (open, close): (&str, &str)) -> Option<&'a str> {
    let behind = text.split_once(close).map(|(_, rest)| rest);
    match (text.find(open), text.find(close)) {
        (Some(0), None) => {
            let last = objects(text).last();
            Some(
                last.filter(|object| text.ends_with(object))
                    .unwrap_or_default(),
            )
        }
        (Some(start), Some(end)) if 0 < start && start < end => None,
        _ => behind,
    }
}

/// The JSON of an answer without thoughts: the whole text, or else the longest object in it.
///
/// # Errors
/// The position of the fault in the whole text.
pub(crate) fn json(text: &str) -> Result<Value, Misfit> {
    let text = whole_escapes(trimmed(text));
    serde_json::from_str(&text).or_else(|fault| {
        let longest = objects(&text).max_by_key(|object| object.len());
        let read = longest.and_then(|object| serde_json::from_str(object).ok());
        read.ok_or(Misfit::NotJson {
            line: fault.line(),
            column: fault.column(),
        })
    })
}

/// The Markdown of a page, without the fence that models often put around it despite the prompt.
pub(crate) fn markdown(text: &str) -> &str {
    let text = trimmed(text);
    let inside = text
        .strip_prefix("```")
        .and_then(|rest| rest.strip_suffix("```"))
        .and_then(|rest| rest.split_once('\n'));
    match inside {
        Some((language, inside))
            if language.trim().chars().all(char::is_alphanumeric) && !inside.contains("```") =>
        {
            inside.trim()
        }
        _ => text,
    }
}

fn is_json(text: &str) -> bool {
    let text = markdown(text);
    text.starts_with('{') && serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// The outermost objects in a text, up to one that does not end.
fn objects(text: &str) -> impl Iterator<Item = &str> {
    let mut at = 0;
    iter::from_fn(move || {
        loop {
            let start = at + text[at..].find('{')?;
            let mut values = Deserializer::from_str(&text[start..]).into_iter::<IgnoredAny>();
            match values.next()? {
                Ok(_) => {
                    at = start + values.byte_offset();
                    return Some(&text[start..at]);
                }
                Err(fault) if fault.is_eof() => return None,
                Err(_) => at = start + 1,
            }
        }
    })
}

fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Result<Value, Misfit> {
        json(without_thoughts(text))
    }

    #[test]
    fn what_stands_around_the_json_is_taken_off() {
        let good =
            json!({"content": "The moon pulls at the sea. {…}", "summary": "```rust\n{}\n```"});
        let json = good.to_string();
        for around in [
            format!("\u{feff} {json}\n"),
            format!("```json\n{json}\n```"),
            format!("```{json}```"),
            format!("Sure! {json}"),
            format!("{json}\n\nLet me know if you need {{more}}."),
            format!("Here {{}} it is:\n```json\n{json}\n```\nAnything else?"),
            format!("<think>\nA {{brace}} or two. {{\"content\": 1}}\n</think>\n\n{json}"),
            format!("<thinking>One.</thinking>\n<think>Two.</think>```json\n{json}\n```"),
            format!("Okay, the user wants tides.\n</think>\n{json}"),
            format!("◁think▷Hm.◁/think▷ Here: {json}"),
            format!("[THINK]Hm.[/THINK]{json}"),
        ] {
            assert_eq!(read(&around), Ok(good.clone()), "{around}");
        }
    }

    #[test]
    fn marks_inside_an_answer_belong_to_it() {
        let answer =
            json!({"content": "The tag <think>is kept</think> here.", "summary": "y</think>"});
        let kept = json!({"content": "The tag <think>is kept</think> here."});
        for (text, answer) in [
            (answer.to_string(), &answer),
            (format!("```json\n{answer}\n```"), &answer),
            (format!("Sure! {kept}"), &kept),
            (format!("<think>Hm.</think>{answer}"), &answer),
        ] {
            assert_eq!(read(&text), Ok(answer.clone()), "{text}");
        }
        let page = "# Tags\n\nA model writes <think>so</think> first.";
        assert_eq!(without_thoughts(page), page);
    }

    #[test]
    fn a_thought_without_an_end_leaves_only_an_object_that_ends_the_text() {
        let draft = "<think>\nA draft: {\"content\": \"c\"}";
        assert_eq!(without_thoughts(draft), "{\"content\": \"c\"}");
        assert_eq!(without_thoughts(&format!("{draft} or so")), "");
        assert_eq!(without_thoughts("<think></think>\n"), "");
    }

    #[test]
    fn a_text_without_an_object_is_not_json() {
        let fault = |line, column| Err(Misfit::NotJson { line, column });
        assert_eq!(read("The moon {pulls}."), fault(1, 1));
        assert_eq!(read("{\"content\": \"The m"), fault(1, 18));
        assert_eq!(
            read("So: {\"a\": {\"b\": 1}"),
            fault(1, 1),
            "a part is not the answer"
        );
    }

    #[test]
    fn half_a_surrogate_pair_in_an_answer_is_replaced() {
        assert_eq!(
            read(r#"So: {"a": "moon \ud83d"}"#),
            Ok(json!({"a": "moon \u{fffd}"}))
        );
    }

    #[test]
    fn a_page_is_read_without_its_fence() {
        for (text, page) in [
            ("```markdown\n# Tides\n```", "# Tides"),
            ("```\n# Tides\n```", "# Tides"),
            (
                "```\na\n```\nand\n```\nb\n```",
                "```\na\n```\nand\n```\nb\n```",
            ),
        ] {
            assert_eq!(markdown(text), page);
        }
    }
}
