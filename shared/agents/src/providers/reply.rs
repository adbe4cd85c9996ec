//! What every service's reply has in common, read leniently: an error in place of an answer, text
//! as a string or as a list of parts, and the usage. A field of another kind counts as absent,
//! because a deviation in one field must not lose an answer that was paid for.

use std::time::Duration;

use http::HeaderMap;
use jiff::{Timestamp, fmt::rfc2822};
use serde_json::Value;

use crate::{ProviderError, usage::ReportedUsage};

/// The statuses of errors whose code is a word or a sentence, by a part of its letters. The first
/// that occurs counts.
const WORDS: [(&str, u16); 17] = [
    ("quota", 402),
    ("credit", 402),
    ("billing", 402),
    ("payment", 402),
    ("ratelimit", 429),
    ("toomany", 429),
    ("throttl", 429),
    ("overload", 503),
    ("unavailable", 503),
    ("timeout", 408),
    ("apikey", 401),
    ("auth", 401),
    ("permission", 403),
    ("accessdenied", 403),
    ("notfound", 404),
    ("invalid", 400),
    ("badrequest", 400),
];

/// The longest wait that is taken at its word, a year. A clock cannot count much further.
const LONGEST_WAIT: Duration = Duration::from_secs(365 * 24 * 3600);

/// The status of an error of no known kind: a gateway's upstream failed.
const UNKNOWN_ERROR: u16 = 502;

/// The error that a reply holds, if it does. `{"error": null}` is none.
pub(super) fn error_in(reply: &Value) -> Option<&Value> {
    let is_error = |field: &str| reply[field] == "error";
    match &reply["error"] {
        Value::Null | Value::Bool(false) if is_error("object") || is_error("type") => Some(reply),
        Value::Null | Value::Bool(false) => None,
        Value::String(text) if text.is_empty() => None,
        error => Some(error),
    }
}

/// An error of a service, from its body and its headers, without its messages. The status of a
/// success says nothing about it.
pub(super) fn failure(status: Option<u16>, error: &Value, headers: &HeaderMap) -> ProviderError {
    let code = ["code", "type", "status"].iter().find_map(|field| {
        let code = &error[field];
        let text = code.as_str().map(str::to_owned);
        text.or_else(|| count(code).map(|number| number.to_string()))
    });
    let header = |name: &str| {
        let inside = error["metadata"]["headers"]
            .as_object()
            .into_iter()
            .flatten();
        let mut inside = inside.filter(|(known, _)| known.eq_ignore_ascii_case(name));
        let outside = || headers.get(name)?.to_str().ok().map(str::to_owned);
        let inside = inside.find_map(|(_, value)| {
            let text = value.as_str().map(str::to_owned);
            text.or_else(|| count(value).map(|number| number.to_string()))
        });
        inside.or_else(outside)
    };
    let words = error.as_str().or(code.as_deref()).unwrap_or_default();
    ProviderError::Status {
        status: status.unwrap_or_else(|| status_of(words)),
        retry_after: wait(header, Timestamp::now()),
        code: code.as_deref().and_then(short_code),
    }
}

fn status_of(words: &str) -> u16 {
    let number = words
        .parse()
        .ok()
        .filter(|status| (300..600).contains(status));
    let letters = words.chars().filter(|c| c.is_alphanumeric());
    let letters: String = letters.flat_map(char::to_lowercase).collect();
    let known = WORDS.iter().find(|(word, _)| letters.contains(word));
    number
        .or_else(|| known.map(|(_, status)| *status))
        .unwrap_or(UNKNOWN_ERROR)
}

/// A code that is short enough for the log.
pub(super) fn short_code(code: &str) -> Option<String> {
    let is_code = code.len() <= 64
        && code
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b));
    is_code.then(|| code.to_owned())
}

/// The wait that a service asks for: `Retry-After`, or the end of its rate limit's window.
pub(super) fn wait(header: impl Fn(&str) -> Option<String>, now: Timestamp) -> Option<Duration> {
    let asked = header("retry-after").and_then(|value| retry_after(&value, now));
    asked.or_else(|| reset_after(&header("x-ratelimit-reset")?, now))
}

/// `Retry-After` as seconds or as an HTTP date (RFC 9110, section 10.2.3).
fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<f64>() {
        let wait = Duration::try_from_secs_f64(seconds.ceil()).ok();
        return wait.map(|wait| wait.min(LONGEST_WAIT));
    }
    let date = rfc2822::parse(value).ok()?.timestamp();
    Some(Duration::try_from(date.duration_since(now)).unwrap_or_default())
}

/// `X-RateLimit-Reset` as seconds from now, or as a time in seconds or milliseconds since 1970
/// (<https://openrouter.ai/docs/api-reference/limits>).
fn reset_after(value: &str, now: Timestamp) -> Option<Duration> {
    const YEAR_2001: i64 = 1_000_000_000;
    let value: i64 = value.trim().parse().ok()?;
    let at = match value {
        ..YEAR_2001 => return Some(Duration::from_secs(value.try_into().ok()?)),
        _ if value < 1_000 * YEAR_2001 => Timestamp::from_second(value),
        _ => Timestamp::from_millisecond(value),
    };
    Some(Duration::try_from(at.ok()?.duration_since(now)).unwrap_or_default())
}

/// The text of a message's content: a string, one part, or the text parts of a list. Thoughts and
/// other parts have none.
pub(super) fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().map(text_of).collect(),
        Value::Object(part) => match part.get("type").and_then(Value::as_str) {
            None | Some("text" | "output_text") => part.get("text").map(text_of),
            Some(_) => None,
        }
        .unwrap_or_default(),
        _ => String::new(),
    }
}

/// The usage in a reply, in the names of any service.
///
/// `prompt_tokens` includes what came from a cache; `input_tokens` of Anthropic and `inputTokens`
/// of Bedrock do not.
pub(super) fn usage_in(reply: &Value) -> ReportedUsage {
    let usage = &reply["usage"];
    let first = |names: &[&str]| names.iter().find_map(|name| count(&usage[*name]));
    let cache_read = first(&["cache_read_input_tokens", "cacheReadInputTokens"]).unwrap_or(0);
    let cache_written =
        first(&["cache_creation_input_tokens", "cacheWriteInputTokens"]).unwrap_or(0);
    let apart = first(&["input_tokens", "inputTokens"]);
    let apart = apart.map(|input| {
        input
            .saturating_add(cache_read)
            .saturating_add(cache_written)
    });
    let detail = |group: &str, name: &str| count(&usage[group][name]).unwrap_or(0);
    ReportedUsage {
        input: first(&["prompt_tokens"]).or(apart),
        output: first(&["completion_tokens", "output_tokens", "outputTokens"]),
        total: first(&["total_tokens", "totalTokens"]),
        reasoning: detail("completion_tokens_details", "reasoning_tokens"),
        cached: cache_read.max(detail("prompt_tokens_details", "cached_tokens")),
    }
}

/// A number of things, also as `12.0`.
fn count(value: &Value) -> Option<u64> {
    let whole = |number: f64| {
        let is_count = (0.0..=9e15).contains(&number);
        is_count.then_some(number.round() as u64)
    };
    value.as_u64().or_else(|| value.as_f64().and_then(whole))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_error_in_a_reply_is_found_and_has_a_status() {
        for (reply, status) in [
            (
                json!({"error": {"code": 402, "message": "no credits"}}),
                402,
            ),
            (json!({"error": {"code": "402"}}), 402),
            (json!({"error": {"code": 429.0}}), 429),
            (json!({"error": {"code": "insufficient_quota"}}), 402),
            (
                json!({"error": {"type": "rate_limit_error", "code": null}}),
                429,
            ),
            (json!({"error": {"code": "invalid_api_key"}}), 401),
            (
                json!({"error": "model \"m\" not found, try pulling it first"}),
                404,
            ),
            (json!({"error": {"message": "oops"}}), 502),
            (
                json!({"object": "error", "code": 400, "type": "BadRequestError"}),
                400,
            ),
            (
                json!({"type": "error", "error": {"type": "overloaded_error"}}),
                503,
            ),
            (
                json!({"type": "error", "error": {"type": "authentication_error"}}),
                401,
            ),
        ] {
            let error = error_in(&reply).unwrap();
            let failure = failure(None, error, &HeaderMap::new());
            assert!(
                matches!(failure, ProviderError::Status { status: found, .. } if found == status),
                "{reply}: {failure:?}"
            );
        }
        for none in [
            json!({"error": null, "choices": []}),
            json!({"error": "", "object": "chat.completion"}),
            json!({"error": false, "type": "message"}),
            json!([]),
        ] {
            assert_eq!(error_in(&none), None);
        }
    }

    #[test]
    fn the_wait_is_read_from_headers_and_from_the_body() {
        let now: Timestamp = "2026-11-27T06:00:00Z".parse().unwrap();
        let seconds = |name: &'static str, value: &str| {
            let header = |asked: &str| (asked == name).then(|| value.to_owned());
            wait(header, now).map(|wait| wait.as_secs())
        };
        for (name, value, asked) in [
            ("retry-after", "7", Some(7)),
            ("retry-after", "0.2", Some(1)),
            ("retry-after", "Fri, 27 Nov 2026 06:00:09 GMT", Some(9)),
            ("retry-after", "soon", None),
            ("retry-after", "-1", None),
            ("retry-after", "1e18", Some(365 * 24 * 3600)),
            ("retry-after", "1e30", None),
            ("retry-after", "NaN", None),
            ("x-ratelimit-reset", "0", Some(0)),
            ("x-ratelimit-reset", "12", Some(12)),
            ("x-ratelimit-reset", "1795759205", Some(5)),
            ("x-ratelimit-reset", "1795759205000", Some(5)),
            ("x-ratelimit-reset", "1795759000000", Some(0)),
            ("x-ratelimit-reset", "1s", None),
            ("x-other", "7", None),
        ] {
            assert_eq!(seconds(name, value), asked, "{name}: {value}");
        }
        let error = json!({"code": 429, "metadata": {"headers": {"Retry-After": 3}}});
        let failure = failure(None, &error, &HeaderMap::new());
        assert_eq!(failure.retry_after(), Some(Duration::from_secs(3)));
    }

    #[test]
    fn content_is_a_text_or_parts() {
        let thought = json!({"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]});
        for (content, text) in [
            (json!("a"), "a"),
            (json!(null), ""),
            (
                json!([thought, {"type": "text", "text": "a"}, {"text": "b"}, "c"]),
                "abc",
            ),
            (json!({"type": "output_text", "text": "a"}), "a"),
            (
                json!([{"type": "reasoning", "text": "Hm."}, {"type": "text", "text": 7}]),
                "",
            ),
        ] {
            assert_eq!(text_of(&content), text, "{content}");
        }
    }

    #[test]
    fn usage_is_read_in_the_names_of_any_service() {
        let read = |usage: Value| usage_in(&json!({ "usage": usage }));
        let counted = |input, output, total, reasoning, cached| ReportedUsage {
            input,
            output,
            total,
            reasoning,
            cached,
        };
        for (usage, expected) in [
            (
                json!({"prompt_tokens": 100.0, "completion_tokens": 20, "total_tokens": 120,
                    "prompt_tokens_details": {"cached_tokens": 5}, "completion_tokens_details": {"reasoning_tokens": 9}}),
                counted(Some(100), Some(20), Some(120), 9, 5),
            ),
            (
                json!({"input_tokens": 90, "cache_creation_input_tokens": 3, "cache_read_input_tokens": 7, "output_tokens": 20}),
                counted(Some(100), Some(20), None, 0, 7),
            ),
            (
                json!({"inputTokens": 90, "cacheReadInputTokens": 10, "outputTokens": 20, "totalTokens": 120}),
                counted(Some(100), Some(20), Some(120), 0, 10),
            ),
            (
                json!({"prompt_tokens": 100, "cache_read_input_tokens": 10, "completion_tokens": -1}),
                counted(Some(100), None, None, 0, 10),
            ),
            (
                json!({"prompt_tokens": "many", "total_tokens": 1e300}),
                ReportedUsage::default(),
            ),
            (json!(null), ReportedUsage::default()),
            (json!([1]), ReportedUsage::default()),
        ] {
            assert_eq!(read(usage.clone()), expected, "{usage}");
        }
    }
}
