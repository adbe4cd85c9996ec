//! A scripted model with the wire format of OpenAI's chat completions. The task contains its
//! directives.
//!
//! - `[[slow=1500]]` waits this many milliseconds before each answer.
//! - `[[status=503]]` fails with this status.
//! - `[[garbage]]` answers with invalid JSON, `[[misfit]]` with JSON of another form.
//! - `[[steps=4]]` plans four steps, `[[ideas=3]]` returns three ideas, `[[approve]]` approves a
//!   plan.
//! - `[[route=clarify]]` selects the route of a copilot turn, if it is allowed.
//! - `[[say=word]]` adds a word to the answer, `[[long=1000000]]` this many bytes.
//! - `[[lie=parts]]` answers with content as a list of parts, `[[lie=no-usage]]` without a usage,
//!   `[[lie=402]]` with an error in a success.
//! - `[[hold id=<word>]]` waits until the test calls [`release`].
//!
//! `at=<agent or step_2>` limits a directive to an agent or a step, `times=2` to its first two
//! calls. `times` requires an `id=<word>` that is unique to the test. Calls are recorded under that
//! id.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::{Request, Response};
use serde_json::{Value, json};

use crate::canary::PLANTED;
use crate::server;
use crate::stack::eventually;

/// The port of the executor's model: `make test` sets `OPENAI_BASE_URL` to it.
pub const PORT: u16 = 8077;

static CALLS: OnceLock<Mutex<HashMap<String, Vec<Call>>>> = OnceLock::new();
static RELEASED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// A recorded call.
#[derive(Debug, Clone)]
pub struct Call {
    /// The agent's name, or `step_<n>`.
    pub place: String,
    /// The prompt of the agent.
    pub prompt: String,
}

/// The effect of a task's directives on an answer.
struct Script {
    steps: usize,
    ideas: usize,
    approves: bool,
    route: String,
    say: String,
    long: usize,
    /// A deviation from the wire format.
    lie: String,
    /// A failure in place of a valid answer.
    trouble: Option<(u16, String)>,
}

/// Starts the model once per test binary.
pub fn model() {
    static STARTED: OnceLock<()> = OnceLock::new();
    STARTED.get_or_init(|| server::start(PORT, answer));
}

/// The calls with this `id`, in order: the agent's name, or `step_<n>`.
pub fn calls(id: &str) -> Vec<String> {
    let made = made(id).into_iter();
    made.map(|call| call.place).collect()
}

/// Waits for a call with this `id` at this place.
pub async fn called(id: &str, place: &str) {
    eventually(&format!("a call at {place}"), || async {
        let made = calls(id);
        made.iter().any(|call| call == place).then_some(())
    })
    .await;
}

/// Releases the held calls with this `id`.
pub fn release(id: &str) {
    RELEASED.lock().unwrap().insert(id.to_owned());
}

/// The prompts at this place in the calls with this `id`, in order.
pub fn prompts(id: &str, place: &str) -> Vec<String> {
    let here = made(id).into_iter().filter(|call| call.place == place);
    here.map(|call| call.prompt).collect()
}

fn made(id: &str) -> Vec<Call> {
    let calls = CALLS.get_or_init(Mutex::default).lock().unwrap();
    calls.get(id).cloned().unwrap_or_default()
}

async fn answer(request: Request<Incoming>) -> Response<Full<Bytes>> {
    let body = request
        .into_body()
        .collect()
        .await
        .map(|body| body.to_bytes())
        .unwrap_or_default();
    let request: Value = serde_json::from_slice(&body).unwrap_or_default();
    let (status, content, lie) = reply(&request).await;
    let mut body = if status == 200 {
        json!({
            "id": "chatcmpl-1", "object": "chat.completion", "created": 0, "model": request["model"],
            "choices": [{"index": 0, "finish_reason": "stop",
                         "message": {"role": "assistant", "content": content, "refusal": null}}],
            "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
        })
    } else {
        json!({"error": {"message": PLANTED, "type": "scripted", "code": "scripted"}})
    };
    match lie.as_str() {
        "parts" => {
            let thought =
                json!({"type": "thinking", "thinking": [{"type": "text", "text": PLANTED}]});
            body["choices"][0]["message"]["content"] =
                json!([thought, {"type": "text", "text": content}]);
        }
        "no-usage" => body["usage"] = Value::Null,
        "402" => body = json!({"error": {"code": 402, "message": PLANTED}}),
        _ => {}
    }
    let response = Response::builder()
        .status(status)
        .header("content-type", "application/json");
    response
        .body(Full::new(Bytes::from(body.to_string())))
        .unwrap()
}

async fn reply(request: &Value) -> (u16, String, String) {
    let agent = request["response_format"]["json_schema"]["name"]
        .as_str()
        .unwrap_or("unknown")
        .to_owned();
    let prompt = request["messages"].as_array().map(|messages| {
        let texts = messages.iter().filter(|message| message["role"] == "user");
        texts
            .filter_map(|message| message["content"].as_str())
            .collect::<Vec<_>>()
            .join("\n")
    });
    let prompt = prompt.unwrap_or_default();
    let place = prompt
        .rsplit_once("# Your step")
        .and_then(|(_, step)| step.split("scripted step ").nth(1))
        .and_then(|rest| rest.split(|c: char| !c.is_ascii_digit()).next())
        .map_or_else(|| agent.clone(), |number| format!("step_{number}"));
    let script = follow(&agent, &place, &prompt).await;
    let (status, content) = script.trouble.clone().unwrap_or_else(|| {
        let schema = &request["response_format"]["json_schema"]["schema"];
        (200, content(&agent, &place, &script, schema).to_string())
    });
    (status, content, script.lie)
}

/// Applies the directives of a prompt to this call, and records it under its ids.
async fn follow(agent: &str, place: &str, prompt: &str) -> Script {
    let mut script = Script {
        steps: 3,
        ideas: 2,
        approves: false,
        route: "one_shot".into(),
        say: String::new(),
        long: 0,
        lie: String::new(),
        trouble: None,
    };
    let directives = directives(prompt);
    let mut noted = Vec::new();
    for id in directives.iter().filter_map(|words| words.get("id")) {
        if !noted.contains(&id) {
            noted.push(id);
            note_call(id, place, prompt);
        }
    }
    for words in directives {
        let elsewhere = words.get("at").is_some_and(|at| at != agent && at != place);
        if elsewhere || is_used_up(&words, place) {
            continue;
        }
        if let Some(time) = words.get("slow") {
            tokio::time::sleep(Duration::from_millis(time.parse().unwrap())).await;
        }
        if words.contains_key("hold") {
            let id = &words["id"];
            eventually("the release of a call", || async {
                RELEASED.lock().unwrap().contains(id).then_some(())
            })
            .await;
        }
        script.obey(&words);
    }
    script
}

impl Script {
    fn obey(&mut self, words: &HashMap<String, String>) {
        if let Some(steps) = words.get("steps") {
            self.steps = steps.parse().unwrap();
        }
        if let Some(ideas) = words.get("ideas") {
            self.ideas = ideas.parse().unwrap();
        }
        self.approves |= words.contains_key("approve");
        if let Some(route) = words.get("route") {
            self.route.clone_from(route);
        }
        if let Some(word) = words.get("say") {
            self.say = format!(" {word}");
        }
        if let Some(lie) = words.get("lie") {
            self.lie.clone_from(lie);
        }
        if let Some(bytes) = words.get("long") {
            self.long = bytes.parse().unwrap();
        }
        if let Some(status) = words.get("status") {
            self.trouble = Some((status.parse().unwrap(), String::new()));
        }
        if words.contains_key("garbage") {
            self.trouble = Some((200, format!("no JSON at all, {PLANTED}")));
        }
        if words.contains_key("misfit") {
            self.trouble = Some((200, json!({"something": PLANTED}).to_string()));
        }
    }
}

fn directives(prompt: &str) -> Vec<HashMap<String, String>> {
    let mut found = Vec::new();
    for part in prompt.split("[[").skip(1) {
        let Some((text, _)) = part.split_once("]]") else {
            continue;
        };
        let words = text
            .split_whitespace()
            .map(|word| word.split_once('=').unwrap_or((word, "")));
        let directive = words
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        if !found.contains(&directive) {
            found.push(directive);
        }
    }
    found
}

fn note_call(id: &str, place: &str, prompt: &str) {
    let mut calls = CALLS.get_or_init(Mutex::default).lock().unwrap();
    calls.entry(id.to_owned()).or_default().push(Call {
        place: place.to_owned(),
        prompt: prompt.to_owned(),
    });
}

/// Whether a directive with `times` has been used up. The current call is already counted.
fn is_used_up(directive: &HashMap<String, String>, place: &str) -> bool {
    let (Some(times), Some(id)) = (directive.get("times"), directive.get("id")) else {
        return false;
    };
    let here = directive.get("at").map(|_| place);
    let met = calls(id)
        .iter()
        .filter(|call| here.is_none_or(|here| call.as_str() == here))
        .count();
    met > times.parse().unwrap()
}

/// A valid answer of the agent.
fn content(agent: &str, place: &str, script: &Script, schema: &Value) -> Value {
    match agent {
        "planner" => {
            let team = &schema["properties"]["steps"]["items"]["properties"]["sub_task_agent"];
            let step = |number: usize| {
                json!({"sub_task": format!("scripted step {number}"), "sub_task_agent": team["enum"][0],
                       "bullet_points": ["be exact"]})
            };
            json!({"steps": (1..=script.steps).map(step).collect::<Vec<_>>()})
        }
        "plan_reviewer" => match script.approves {
            true => json!({"approved": true, "recommendations": []}),
            false => json!({"approved": false, "recommendations": ["Say what is measured."]}),
        },
        "engineer" => json!({"filename": "count.py", "language": "python", "code": "print(42)\n",
                             "explanation": "It prints.", "summary": "A program that prints 42."}),
        "idea_maker" => {
            let idea = |number: usize| json!({"title": format!("Idea {number}"), "description": format!("Thought {number}.")});
            json!({"ideas": (1..=script.ideas).map(idea).collect::<Vec<_>>(),
                   "content": format!("Ideas at {place}."), "summary": format!("Summary of {place}.")})
        }
        "copilot_control" => {
            let allowed = schema["properties"]["route"]["enum"].as_array().unwrap();
            let route = match allowed.contains(&json!(script.route)) {
                true => &script.route,
                false => "one_shot",
            };
            json!({"route": route, "agent": "researcher", "message": format!("A scripted {route}.")})
        }
        "summarizer" => summary(schema),
        _ => {
            let long = " Word after word.".repeat(script.long.div_ceil(17));
            json!({"content": format!("Findings at {place}.{}{long}", script.say), "summary": format!("Summary of {place}.")})
        }
    }
}

/// A summary of a paper with only the requested fields, because the others are known.
fn summary(schema: &Value) -> Value {
    let properties = schema["properties"].as_object().unwrap().iter();
    let fields = properties.map(|(name, form)| {
        let said = format!("A scripted {name}.");
        let value = match form["type"] == "array" {
            true => json!([said]),
            false => json!(said),
        };
        (name.clone(), value)
    });
    Value::Object(fields.collect())
}
