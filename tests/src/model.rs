//! A model that does what the task tells it, over the wire format of OpenAI's chat completions.
//!
//! Directives stand in the task: `[[slow=1500]]` waits that many milliseconds before each answer, `[[status=503]]` fails,
//! `[[garbage]]` answers with what is no JSON, `[[misfit]]` with JSON of another form, `[[steps=4]]` plans four steps.
//! `at=<agent or step_2>` limits one to an agent or a step, `times=2` to the first two calls that it meets; the latter
//! needs an `id=<word>` of the test's own. Calls are counted by that id.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// Where the stack's executor looks for its model: `make test` sets `OPENAI_BASE_URL` to this port.
pub const PORT: u16 = 8077;

static CALLS: OnceLock<Mutex<HashMap<String, Vec<String>>>> = OnceLock::new();

/// Starts the model once for the whole test binary.
pub fn model() {
    static STARTED: OnceLock<()> = OnceLock::new();
    STARTED.get_or_init(|| {
        let (ready, is_ready) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(serve(ready));
        });
        is_ready.recv().unwrap();
    });
}

/// Which calls with this `id` were made: the agent's name, or `step_<n>`, in order.
pub fn calls(id: &str) -> Vec<String> {
    let calls = CALLS.get_or_init(Mutex::default).lock().unwrap();
    calls.get(id).cloned().unwrap_or_default()
}

async fn serve(ready: std::sync::mpsc::Sender<()>) {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, PORT));
    let listener = TcpListener::bind(address).await.unwrap();
    ready.send(()).unwrap();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        tokio::spawn(async move {
            // A worker that was killed in the middle of a call leaves a broken connection: that is the point.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service_fn(answer))
                .await;
        });
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let body = request
        .into_body()
        .collect()
        .await
        .map(|body| body.to_bytes())
        .unwrap_or_default();
    let request: Value = serde_json::from_slice(&body).unwrap_or_default();
    let (status, content) = reply(&request).await;
    let body = if status == 200 {
        json!({
            "id": "chatcmpl-1", "object": "chat.completion", "created": 0, "model": request["model"],
            "choices": [{"index": 0, "finish_reason": "stop",
                         "message": {"role": "assistant", "content": content, "refusal": null}}],
            "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
        })
    } else {
        json!({"error": {"message": "scripted", "type": "scripted", "code": "scripted"}})
    };
    let response = Response::builder()
        .status(status)
        .header("content-type", "application/json");
    Ok(response
        .body(Full::new(Bytes::from(body.to_string())))
        .unwrap())
}

async fn reply(request: &Value) -> (u16, String) {
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
    let mut steps = 3;
    let mut outcome = None;
    let mut counted = Vec::new();
    for directive in directives(&prompt) {
        if let Some(id) = directive.get("id").filter(|id| !counted.contains(*id)) {
            counted.push(id.clone());
            note_call(id, &place);
        }
        if let Some(wanted) = directive.get("steps") {
            steps = wanted.parse().unwrap();
        }
        if directive
            .get("at")
            .is_some_and(|at| *at != agent && *at != place)
            || is_used_up(&directive, &place)
        {
            continue;
        }
        if let Some(time) = directive.get("slow") {
            tokio::time::sleep(Duration::from_millis(time.parse().unwrap())).await;
        }
        if let Some(status) = directive.get("status") {
            outcome = Some((status.parse().unwrap(), String::new()));
        }
        if directive.contains_key("garbage") {
            outcome = Some((200, "no JSON at all".into()));
        }
        if directive.contains_key("misfit") {
            outcome = Some((200, json!({"something": "else"}).to_string()));
        }
    }
    outcome.unwrap_or_else(|| (200, content(&agent, &place, steps).to_string()))
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

fn note_call(id: &str, place: &str) {
    let mut calls = CALLS.get_or_init(Mutex::default).lock().unwrap();
    calls
        .entry(id.to_owned())
        .or_default()
        .push(place.to_owned());
}

/// Whether a directive with `times` has met its calls; the current call is counted already.
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

fn content(agent: &str, place: &str, steps: usize) -> Value {
    match agent {
        "planner" => {
            let step = |number: usize| json!({"sub_task": format!("scripted step {number}"), "sub_task_agent": "researcher", "bullet_points": ["be exact"]});
            json!({"steps": (1..=steps).map(step).collect::<Vec<_>>()})
        }
        "plan_reviewer" => json!({"approved": false, "recommendations": ["Say what is measured."]}),
        "engineer" => json!({"filename": "count.py", "language": "python", "code": "print(42)\n",
                             "explanation": "It prints.", "summary": "A program that prints 42."}),
        _ => {
            json!({"content": format!("Findings at {place}."), "summary": format!("Summary of {place}.")})
        }
    }
}
