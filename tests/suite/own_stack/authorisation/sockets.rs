//! Authorisation over the WebSocket: each invalid token at `$connect`, each frame of a stranger,
//! the expiry of a token, and new keys.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use tests::calls::{self, assert_within, operations_since, settled};
use tests::canary::logged;
use tests::issuer::{Key, OWNER, in_seconds, issuer};
use tests::stack::eventually;
use tests::ws::{Client, connect_as};
use tokio_tungstenite::tungstenite::Error;
use uuid::Uuid;

use super::routes::code;
use super::{Ids, STRANGER, TASK, World, ask, bad_tokens, filled, missing, own_session};
use crate::template::{read, routes};

/// How long the authorizer caches the issuer's keys here (`infra/local/authorisation.py`).
const KEYS_TTL: Duration = Duration::from_secs(2);
/// The frames by their type; a task has none. A name in braces is replaced by an id.
const FRAMES: [(&str, &str); 10] = [
    (
        "task",
        r#"{"task": "T", "config": {"session_id": "{session_id}"}}"#,
    ),
    (
        "task",
        r#"{"task": "T", "config": {"copilotSessionId": "{session_id}"}}"#,
    ),
    ("ping", r#"{"type": "ping"}"#),
    (
        "subscribe",
        r#"{"type": "subscribe", "session_id": "{session_id}"}"#,
    ),
    ("request_state", r#"{"type": "request_state"}"#),
    (
        "approval_response",
        r#"{"type": "approval_response", "approval_id": "{approval_id}", "approved": true}"#,
    ),
    (
        "resolve_approval",
        r#"{"type": "resolve_approval", "approval_id": "{approval_id}", "resolution": "approve"}"#,
    ),
    ("pause", r#"{"type": "pause", "run_id": "{run_id}"}"#),
    ("resume", r#"{"type": "resume", "run_id": "{run_id}"}"#),
    ("cancel", r#"{"type": "cancel", "run_id": "{run_id}"}"#),
];
const SUBSCRIBE: &str = FRAMES[3].1;

/// The position of a client's token.
#[derive(Debug, Clone, Copy)]
enum Place {
    Header,
    Query,
}

async fn connect(task_id: &str, token: Option<&str>, place: Place) -> Result<Client, Error> {
    match (place, token) {
        (Place::Query, Some(token)) => {
            connect_as(&format!("?task_id={task_id}&token={token}"), None).await
        }
        _ => connect_as(&format!("?task_id={task_id}"), token).await,
    }
}

/// 101, or the status of the refusal.
async fn status_of_connect(token: Option<&str>, place: Place) -> u16 {
    match connect(&Uuid::now_v7().to_string(), token, place).await {
        Ok(client) => {
            close(client).await;
            101
        }
        Err(Error::Http(response)) => response.status().as_u16(),
        Err(other) => panic!("{other}"),
    }
}

/// Closes a connection and waits until the resulting database calls are over. Otherwise they would
/// count for the next request.
async fn close(client: Client) {
    let mark = calls::mark();
    client.close().await;
    eventually("the connection's end", || async {
        operations_since(mark)
            .contains(&"DeleteItem".into())
            .then_some(())
    })
    .await;
    settled().await;
}

async fn open(subject: &str) -> Client {
    let token = issuer().token(subject);
    let task_id = Uuid::now_v7().to_string();
    connect(&task_id, Some(&token), Place::Header)
        .await
        .unwrap()
}

fn frame(text: &str, ids: &Ids) -> Value {
    serde_json::from_str(&filled(text, ids)).unwrap()
}

/// All replies to a frame, and the database calls that it made.
async fn exchange(client: &mut Client, text: &str, ids: &Ids) -> (Vec<Value>, Vec<String>) {
    let mark = calls::mark();
    let frames = client.exchange(&frame(text, ids)).await;
    settled().await;
    (frames, operations_since(mark))
}

#[tokio::test]
#[ignore = "needs a stack of its own: make test"]
async fn an_invalid_token_opens_no_connection_and_makes_no_call() {
    let world = World::new().await;
    let connect_route = routes()
        .into_iter()
        .find(|route| route.key == "$connect")
        .unwrap();
    for place in [Place::Header, Place::Query] {
        for (name, token) in bad_tokens() {
            let mark = calls::mark();
            let status = status_of_connect(token.as_deref(), place).await;
            assert_eq!(status, 403, "{name} in the {place:?}");
            assert!(operations_since(mark).is_empty(), "{name} in the {place:?}");
        }
        let mark = calls::mark();
        let (token, task_id) = (issuer().token(OWNER), Uuid::now_v7().to_string());
        let client = connect(&task_id, Some(&token), place).await;
        assert_within("$connect", mark, &connect_route.leading_keys);
        close(client.unwrap()).await;
    }
    assert!(
        logged().await.contains("connection denied"),
        "with its reason"
    );
    world.end().await;
}

#[tokio::test]
#[ignore = "needs a stack of its own: make test"]
async fn a_frame_with_anothers_ids_is_answered_like_one_with_unknown_ids() {
    let world = World::new().await;
    let document: Value = serde_json::from_str(&read("infra/asyncapi.json")).unwrap();
    let messages = document["components"]["messages"].as_object().unwrap();
    let known: BTreeSet<&str> = messages
        .keys()
        .filter_map(|name| name.strip_prefix("frame."))
        .collect();
    assert_eq!(
        known,
        FRAMES.map(|(kind, _)| kind).into(),
        "every frame is tried"
    );
    let own = own_session("one-shot").await;
    for follows in [false, true] {
        let mut client = open(STRANGER).await;
        settled().await;
        if follows {
            exchange(&mut client, SUBSCRIBE, &own).await;
        }
        for (kind, text) in FRAMES {
            let reference = exchange(&mut client, text, &missing()).await;
            let seen = exchange(&mut client, text, &world.theirs).await;
            assert_eq!(seen, reference, "{kind}, following its own: {follows}");
        }
        close(client).await;
    }
    let mut client = open(OWNER).await;
    for kind in ["subscribe", "request_state", "ping"] {
        let (_, text) = FRAMES.iter().find(|(known, _)| *known == kind).unwrap();
        for answer in client.exchange(&frame(text, &world.theirs)).await {
            assert_ne!(
                answer["event_type"], "error",
                "{kind} of the owner: {answer}"
            );
        }
    }
    close(client).await;
    world.end().await;
}

#[tokio::test]
#[ignore = "needs a stack of its own: make test"]
async fn the_same_task_id_of_three_owners_makes_three_sessions() {
    let world = World::new().await;
    let task_id = Uuid::now_v7().to_string();
    let mut sessions = BTreeSet::new();
    for (subject, task) in [(OWNER, TASK), (STRANGER, TASK), ("third", "Another task.")] {
        let token = issuer().token(subject);
        let client = connect(&task_id, Some(&token), Place::Header).await;
        let mut client = client.unwrap();
        client.send(&json!({"task": task})).await;
        let status = client.next().await.unwrap();
        assert_eq!(status["event_type"], "status", "{status}");
        sessions.insert(status["session_id"].as_str().unwrap().to_owned());
        close(client).await;
    }
    assert_eq!(sessions.len(), 3);
    world.end().await;
}

#[tokio::test]
#[ignore = "needs a stack of its own: make test"]
async fn after_its_token_expires_a_connection_receives_only_its_end() {
    let world = World::new().await;
    let route = "POST /api/sessions";
    let made = ask(Some(&issuer().token(OWNER)), route, &missing()).await;
    let mut ids = missing();
    ids.insert(
        "session_id",
        made.json()["session_id"].as_str().unwrap().into(),
    );
    let end = in_seconds(4);
    let token = issuer().token_with("exp", json!(end));
    let task_id = Uuid::now_v7().to_string();
    let client = connect(&task_id, Some(&token), Place::Header).await;
    let mut client = client.unwrap();
    let (frames, _) = exchange(&mut client, SUBSCRIBE, &ids).await;
    assert_eq!(frames.last().unwrap()["event_type"], "replay_end");
    eventually("the token's end", || async {
        (in_seconds(0) > end).then_some(())
    })
    .await;
    let suspend = "POST /api/sessions/{session_id}/suspend";
    let suspended = ask(Some(&issuer().token(OWNER)), suspend, &ids).await;
    assert_eq!(suspended.status(), 200, "{suspended:?}");
    for (kind, text) in FRAMES {
        let (frames, _) = exchange(&mut client, text, &ids).await;
        let codes: Vec<&str> = frames.iter().map(|frame| code(&frame["data"])).collect();
        assert_eq!(codes, ["unauthenticated"], "{kind}: no event came");
    }
    close(client).await;
    world.end().await;
}

#[tokio::test]
#[ignore = "needs a stack of its own: make test"]
async fn a_new_key_is_valid_at_once_and_a_withdrawn_one_until_the_ttl() {
    let world = World::new().await;
    let [old, second] = &issuer().keys;
    let new = Key::new("new");
    let expect = async |key: &Key, status: u16, what: &str| {
        let token = issuer().token_by(key, OWNER);
        let found = status_of_connect(Some(&token), Place::Header).await;
        assert_eq!(found, status, "{what}");
    };
    issuer().publish(&[&new, old]);
    tokio::time::sleep(KEYS_TTL).await;
    expect(&new, 101, "both are published: the new one").await;
    expect(old, 101, "both are published: the old one").await;
    issuer().publish(&[&new]);
    tokio::time::sleep(KEYS_TTL).await;
    expect(&new, 101, "the new key").await;
    expect(old, 403, "the withdrawn key").await;
    // The following tests sign with the first two.
    issuer().publish(&[old, second]);
    tokio::time::sleep(KEYS_TTL).await;
    world.end().await;
}
