//! Services that lie: each case is a reply that was seen, the calls that it leads to, and what the
//! ledger says. The prices are 2.5 dollars for a million tokens of input, half of it from a cache,
//! and 10 of output.

use std::time::{Duration, Instant};

use agents::{Agent, Agents, CallError, Content, ModelConfig};
use serde_json::{Value, json};
use workflow::Usage;

use crate::asking::{call, config};
use crate::server::{ModelServer, Reply};
use crate::wires::Wire;

const PRICES: &str = r#"[{"model": "openai/lying", "input_usd_per_million": 2.5,
    "cached_input_usd_per_million": 1.25, "output_usd_per_million": 10, "as_of": "2026-11-27",
    "source": "this test"}]"#;

fn good() -> Value {
    json!({"content": "The moon pulls at the sea.", "summary": "The moon pulls."})
}

fn completion(content: &Value, finish: &str, usage: &Value) -> Value {
    let message = json!({"role": "assistant", "content": content});
    json!({
        "id": "1", "object": "chat.completion", "created": 0, "model": "m", "usage": usage,
        "choices": [{"index": 0, "finish_reason": finish, "message": message}],
    })
}

fn said(content: &Value) -> Value {
    let usage = json!({"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120});
    completion(content, "stop", &usage)
}

fn counted(usage: &Value) -> Value {
    completion(&json!(good().to_string()), "stop", usage)
}

fn cut(content: &Value) -> Value {
    let usage = json!({"prompt_tokens": 49000, "completion_tokens": 8000, "total_tokens": 57000});
    completion(content, "length", &usage)
}

fn choice_error(code: u16) -> Value {
    let mut reply = said(&json!(""));
    reply["choices"][0]["finish_reason"] = json!("error");
    reply["choices"][0]["error"] = json!({"code": code, "message": "upstream"});
    reply
}

/// Calls, seconds of pauses, and dollars: what was billed, and what the ledger says of it.
type Cost = (usize, u32, f64, f64);

/// The rows of a ledger, tokens in and out, dollars, and whether a row is estimated.
type Ledger = (usize, u64, u64, f64, bool);

/// A reply, or several in turn, and what a stage makes of them.
struct Case {
    name: &'static str,
    replies: Vec<String>,
    /// Before replies were read leniently (commit 7ce3cbb).
    before: Cost,
    calls: usize,
    /// The pauses of the deployed settings, without jitter.
    seconds: u32,
    /// The code of the failure; none for a good answer.
    code: Option<&'static str>,
    ledger: Ledger,
}

/// One reply with 100 tokens in and 20 out.
const ONE: Ledger = (1, 100, 20, 0.000_45, false);
const NOTHING: Ledger = (0, 0, 0, 0.0, false);

/// A good answer at once.
fn good_at_once(name: &'static str, content: &Value, before: Cost) -> Case {
    Case {
        name,
        replies: vec![said(content).to_string()],
        before,
        calls: 1,
        seconds: 0,
        code: None,
        ledger: ONE,
    }
}

/// A failure at once.
fn failure_at_once(name: &'static str, reply: &Value, code: &'static str, before: Cost) -> Case {
    Case {
        replies: vec![reply.to_string()],
        code: Some(code),
        ledger: NOTHING,
        ..good_at_once(name, &Value::Null, before)
    }
}

/// Before, a reply in no known form was asked for again seven times in each of three tries.
const LOST: Cost = (21, 240, 0.009_45, 0.0);
const FREE: Cost = (21, 240, 0.0, 0.0);

/// Answers that are good when what stands around them is taken off.
fn good_answers() -> Vec<Case> {
    let text = good().to_string();
    let thought = json!({"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]});
    let part = json!({"type": "text", "text": text});
    let around = |name, text: String| good_at_once(name, &json!(text), (3, 0, 0.001_35, 0.001_35));
    let once = (1, 0, 0.000_45, 0.000_45);
    let whole = said(&json!(text)).to_string();
    let reasoning = json!({"prompt_tokens": 10120, "completion_tokens": 1499, "total_tokens": 14428,
        "prompt_tokens_details": {"cached_tokens": 128},
        "completion_tokens_details": {"reasoning_tokens": 2809}});
    vec![
        good_at_once("good", &json!(text), once),
        good_at_once("parts", &json!([thought, part]), LOST),
        good_at_once("parts-plain", &json!([part]), LOST),
        around(
            "think",
            format!("<think>\nA {{brace}} or two.\n</think>\n\n{text}"),
        ),
        around(
            "think-end",
            format!("Okay, the user wants tides.\n</think>\n{text}"),
        ),
        around(
            "chatty",
            format!("Here it is:\n```json\n{text}\n```\nAnything else?"),
        ),
        around("head", format!("Sure! {text}")),
        around("tail", format!("{text}\n\nLet me know if you need more.")),
        good_at_once("fence", &json!(format!("```json\n{text}\n```")), once),
        around("lone-in", text.replace("moon", "moon \\ud83d")),
        Case {
            replies: vec![whole.replace("moon", "moon \\ud83d")],
            ..good_at_once("lone-out", &Value::Null, (1, 0, 0.000_45, 0.0))
        },
        Case {
            replies: vec![counted(&reasoning).to_string()],
            ledger: (1, 10_120, 4_308, 0.068_22, false),
            ..good_at_once("reasoning", &Value::Null, (1, 0, 0.068_22, 0.040_29))
        },
        Case {
            replies: vec![counted(&json!({"total_tokens": 120})).to_string()],
            ledger: (1, 103, 17, 0.000_427_5, true),
            ..good_at_once("no-total", &Value::Null, LOST)
        },
    ]
}

/// Replies without an answer.
fn failures() -> Vec<Case> {
    let text = good().to_string();
    let whole = said(&json!(text)).to_string();
    let slow_down = json!({"error": {"code": 429, "message": "slow down",
        "metadata": {"headers": {"X-RateLimit-Reset": "0"}}}});
    let no_credits = json!({"error": {"code": 402, "message": "no credits"}});
    let billed = json!({"answer": text, "usage": said(&Value::Null)["usage"]});
    let cut_twice = |name, content: Value| Case {
        calls: 2,
        ledger: (2, 98_000, 16_000, 0.405, false),
        ..failure_at_once(name, &cut(&content), "answer_cut", (3, 0, 0.607_5, 0.607_5))
    };
    let three = (3, 0, 0.001_35, 0.001_35);
    vec![
        cut_twice("empty", json!("")),
        cut_twice("null", json!(null)),
        Case {
            replies: vec![slow_down.to_string(), slow_down.to_string(), whole.clone()],
            calls: 3,
            seconds: 3,
            ..good_at_once("200-429", &Value::Null, (3, 2, 0.000_45, 0.000_45))
        },
        failure_at_once("200-402", &no_credits, "model_rejected", FREE),
        Case {
            replies: vec![choice_error(502).to_string(), whole],
            calls: 2,
            seconds: 1,
            ledger: (2, 200, 40, 0.000_9, false),
            ..good_at_once("choice", &Value::Null, (2, 0, 0.000_9, 0.000_9))
        },
        Case {
            ledger: ONE,
            ..failure_at_once("choice402", &choice_error(402), "model_rejected", three)
        },
        Case {
            calls: 3,
            seconds: 3,
            ..failure_at_once("200-html", &json!("<html>"), "model_unreadable", FREE)
        },
        Case {
            calls: 3,
            seconds: 3,
            ledger: (3, 300, 60, 0.001_35, false),
            ..failure_at_once("another form", &billed, "model_unreadable", LOST)
        },
        Case {
            calls: 10,
            seconds: 153,
            ..failure_at_once(
                "500 for ever",
                &json!({"error": {"code": 500}}),
                "model_unavailable",
                FREE,
            )
        },
    ]
}

fn cases() -> impl Iterator<Item = Case> {
    good_answers().into_iter().chain(failures())
}

/// The table of the README.
fn table() -> String {
    let row = |case: Case| {
        let (calls, seconds, billed, told) = case.before;
        let (name, (.., now, _)) = (case.name, case.ledger);
        format!(
            "| {name} | {calls} | {seconds} | {billed:.5} | {told:.5} | {} | {} | {now:.5} | {} |\n",
            case.calls,
            case.seconds,
            case.code.unwrap_or("good"),
        )
    };
    let head = "| Reply | Calls before | s | Billed $ | Ledger $ | Calls now | s | Billed and ledger $ | Outcome |\n\
        | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |\n";
    let rows: String = cases().map(row).collect();
    format!("{head}{rows}")
}

#[test]
fn the_readme_shows_what_each_case_costs() {
    let readme = include_str!("../../README.md");
    assert!(
        readme.contains(&table()),
        "put this table there:\n\n{}",
        table()
    );
}

fn settings(server: &ModelServer) -> ModelConfig {
    ModelConfig {
        model_id: Some("lying".to_owned()),
        prices: PRICES.parse().unwrap(),
        first_backoff: Duration::from_millis(2),
        ..config(server)
    }
}

async fn server(replies: &[String]) -> ModelServer {
    let reply = |body: &String| Reply::Http(200, vec![], body.clone());
    ModelServer::start(Wire::OpenAi, replies.iter().map(reply)).await
}

fn ledger(usages: &[Usage]) -> (usize, u64, u64, f64, bool) {
    (
        usages.len(),
        usages.iter().map(|usage| usage.input_tokens).sum(),
        usages.iter().map(|usage| usage.output_tokens).sum(),
        usages.iter().filter_map(|usage| usage.cost_usd).sum(),
        usages.iter().any(|usage| usage.estimated),
    )
}

#[tokio::test]
async fn each_case_makes_its_calls_and_is_in_the_ledger() {
    for case in cases() {
        let name = case.name;
        let server = server(&case.replies).await;
        let agents = Agents::new(settings(&server)).unwrap();
        let deadline = Instant::now() + Duration::from_secs(30);
        let asked = agents.call(&call(Agent::Researcher), deadline).await;
        assert_eq!(server.requests().len(), case.calls, "{name}: {asked:?}");
        let usages = match asked {
            Ok(answer) => {
                let text = serde_json::to_string(&answer.content).unwrap();
                assert_eq!(text.replace("\u{fffd} ", ""), good().to_string(), "{name}");
                assert_eq!(case.code, None, "{name}");
                answer.usages
            }
            Err(error) => {
                assert_eq!(Some(error.code()), case.code, "{name}");
                assert!(!error.is_worth_a_new_invocation(), "{name}");
                error.usages
            }
        };
        let (rows, input, output, dollars, estimated) = ledger(&usages);
        let (.., expected, _) = case.ledger;
        assert_eq!(
            (rows, input, output, expected, estimated),
            case.ledger,
            "{name}"
        );
        assert!((dollars - expected).abs() < 1e-9, "{name}: {dollars}");
    }
}

#[tokio::test]
async fn a_reply_without_usage_counts_and_its_estimate_is_marked() {
    for usage in [None, Some(Value::Null)] {
        let mut reply = counted(&json!(null));
        match usage {
            Some(usage) => reply["usage"] = usage,
            None => drop(reply.as_object_mut().unwrap().remove("usage")),
        }
        let server = server(&[reply.to_string()]).await;
        let agents = Agents::new(settings(&server)).unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        let answer = agents
            .call(&call(Agent::Researcher), deadline)
            .await
            .unwrap();
        assert_eq!(answer.usages.len(), 1);
        assert!(answer.usages[0].estimated && answer.usages[0].cost_usd > Some(0.0));
    }
}

#[tokio::test]
async fn tags_inside_an_answer_are_kept() {
    let answer = json!({"content": "The tag <think>is kept</think> here.", "summary": "x <think>y</think> z"});
    let server = server(&[said(&json!(answer.to_string())).to_string()]).await;
    let agents = Agents::new(settings(&server)).unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    let content = agents
        .call(&call(Agent::Researcher), deadline)
        .await
        .unwrap()
        .content;
    assert!(
        matches!(&content, Content::Report(report) if report.summary == "x <think>y</think> z")
    );
}

async fn page(replies: &[Value]) -> (Result<String, CallError>, usize) {
    let bodies: Vec<String> = replies.iter().map(Value::to_string).collect();
    let server = server(&bodies).await;
    let agents = Agents::new(settings(&server)).unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    let call = call(Agent::Researcher);
    let read = agents.read_page(b"\x89PNG\r\n\x1a\n", &call, deadline);
    (read.await.map(|page| page.text), server.requests().len())
}

#[tokio::test]
async fn a_page_is_its_text_alone_and_a_failed_one_is_no_empty_page() {
    let text = "THE TIDES FOLLOW THE MOON";
    let thought = "<think>\nThe image shows {text}. Let me transcribe.\n</think>\n\n";
    for content in [
        json!(text),
        json!(format!("{thought}{text}")),
        json!([{"type": "text", "text": text}]),
    ] {
        let (read, calls) = page(&[said(&content)]).await;
        assert_eq!((read.unwrap().as_str(), calls), (text, 1), "{content}");
    }
    let (read, calls) = page(&[choice_error(502), said(&json!(text))]).await;
    assert_eq!((read.unwrap().as_str(), calls), (text, 2));
    let (read, calls) = page(&[choice_error(502)]).await;
    let error = read.unwrap_err();
    assert_eq!(
        (error.code(), calls, error.usages.len()),
        ("model_unavailable", 10, 10)
    );
    let (read, calls) = page(&[said(&json!("<think>\nThe image shows"))]).await;
    let error = read.unwrap_err();
    assert_eq!(
        (error.code(), calls),
        ("answer_empty", 1),
        "a thought is no blank page"
    );
    let (read, calls) = page(&[cut(&json!("THE TI"))]).await;
    assert_eq!((read.unwrap_err().code(), calls), ("answer_cut", 1));
}
