//! Authorisation over REST: each invalid token at each route, a stranger at each session route, and
//! keys and cursors of other owners.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tests::calls::{assert_within, mark, settled};
use tests::issuer::{OWNER, issuer};
use uuid::Uuid;

use super::{
    STRANGER, World, ask, ask_with, bad_tokens, body_of, http_routes, missing, own_session,
};

const CREATE: &str = "POST /api/sessions";
const RUN: &str = "POST /api/sessions/{session_id}/runs";
const UPLOAD: &str = "POST /api/sessions/{session_id}/uploads";

#[tokio::test]
#[ignore = "needs a stack of its own: make test"]
async fn an_invalid_token_is_a_401_at_every_route_without_a_call() {
    let world = World::new().await;
    for (name, token) in bad_tokens() {
        for route in http_routes() {
            let seen = ask(token.as_deref(), &route.key, &world.theirs).await;
            assert_eq!(seen.status(), 401, "{name}, {}: {seen:?}", route.key);
            assert!(
                seen.operations.is_empty(),
                "{name}, {}: {seen:?}",
                route.key
            );
            assert!(!seen.reply.text.contains(&world.theirs["session_id"]));
        }
    }
    let other_key = issuer().token_by(&issuer().keys[1], OWNER);
    let route = "GET /api/sessions/{session_id}";
    let seen = ask(Some(&other_key), route, &world.theirs).await;
    assert_eq!(seen.status(), 200, "every published key is good: {seen:?}");
    world.end().await;
}

#[tokio::test]
#[ignore = "needs a stack of its own: make test"]
async fn anothers_session_run_or_approval_looks_like_a_missing_one() {
    let world = World::new().await;
    let token = issuer().token(STRANGER);
    let own = own_session("one-shot").await;
    settled().await;
    let mut tried = 0;
    for route in http_routes() {
        if !route.key.contains('{') {
            continue;
        }
        let mut tries = vec![(world.theirs.clone(), missing())];
        let below_a_session = route.key.contains("{session_id}");
        if below_a_session && (route.key.contains("run_id") || route.key.contains("approval_id")) {
            let below_own = |mut ids: super::Ids| {
                ids.extend(own.clone());
                ids
            };
            tries.push((below_own(world.theirs.clone()), below_own(missing())));
        }
        for (ids, nothing) in tries {
            let reference = ask(Some(&token), &route.key, &nothing).await;
            let seen = ask(Some(&token), &route.key, &ids).await;
            assert_eq!(seen, reference, "{}", route.key);
            assert_eq!(seen.status(), 404, "{}: {seen:?}", route.key);
            tried += 1;
        }
    }
    assert!(tried >= 22, "{tried} tries");
    world.end().await;
}

#[tokio::test]
#[ignore = "needs a stack of its own: make test"]
async fn an_idempotency_key_of_another_owner_has_no_effect() {
    let world = World::new().await;
    let [owner, stranger] = [OWNER, STRANGER].map(|subject| issuer().token(subject));
    let (used, fresh) = (Uuid::new_v4().to_string(), Uuid::new_v4().to_string());
    let body = json!({"mode": "one-shot", "name": "a tide"});
    let create = async |token: &str, key: &str| {
        let headers = [("idempotency-key", key)];
        ask_with(Some(token), CREATE, &missing(), Some(&body), &headers).await
    };
    let id = |seen: &super::Seen| seen.json()["session_id"].clone();
    let first = create(&owner, &used).await;
    let own = create(&stranger, &used).await;
    let unused = create(&stranger, &fresh).await;
    let again = create(&stranger, &used).await;
    assert_ne!(id(&own), id(&first), "the caller must get its own session");
    assert_eq!(
        own.operations, unused.operations,
        "the call must cost the same as with a new key"
    );
    assert_eq!(
        id(&again),
        id(&own),
        "a repetition must return the caller's own session"
    );

    let start = async |token: &str, ids| {
        let headers = [("idempotency-key", used.as_str())];
        ask_with(Some(token), RUN, ids, body_of(RUN).as_ref(), &headers).await
    };
    start(&owner, &world.theirs).await;
    let one = start(&stranger, &world.theirs).await;
    assert_eq!(one, start(&stranger, &missing()).await);
    world.end().await;
}

#[tokio::test]
#[ignore = "needs a stack of its own: make test"]
async fn no_list_contains_items_of_another_owner() {
    let world = World::new().await;
    let [owner, stranger] = [OWNER, STRANGER].map(|subject| issuer().token(subject));
    let list = async |token: &str, query: &str| {
        ask(
            Some(token),
            &format!("GET /api/sessions{query}"),
            &missing(),
        )
        .await
    };
    // A second session, so that there is a second page.
    ask(Some(&owner), CREATE, &missing()).await;
    let cursor = list(&owner, "?limit=1").await.json()["next_cursor"].clone();
    let cursor = cursor.as_str().unwrap().to_owned();
    let owned = list(&owner, "?limit=200").await.json();
    let owned: Vec<&str> = owned["sessions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|session| session["session_id"].as_str().unwrap())
        .collect();
    assert!(owned.contains(&world.theirs["session_id"].as_str()));
    let with_cursor = format!("?limit=200&cursor={cursor}");
    for query in [&with_cursor, "?limit=200", "?limit=200&status=suspended"] {
        let seen = list(&stranger, query).await;
        assert!(
            !owned.iter().any(|id| seen.reply.text.contains(id)),
            "{query}: {seen:?}"
        );
    }
    world.end().await;
}

#[tokio::test]
#[ignore = "needs a stack of its own: make test"]
async fn a_link_gives_access_only_to_the_callers_session() {
    let world = World::new().await;
    let [owner, stranger] = [OWNER, STRANGER].map(|subject| issuer().token(subject));
    let link = ask(Some(&owner), UPLOAD, &world.theirs).await;
    assert_eq!(link.status(), 200, "{link:?}");
    let link = ask(Some(&stranger), UPLOAD, &world.theirs).await;
    assert_eq!(link.status(), 404, "{link:?}");
    let own = own_session("ocr").await;
    let place = format!("{} uploads/a.txt", world.theirs["session_id"]);
    let cursor = URL_SAFE_NO_PAD.encode(place);
    let route = format!("GET /api/sessions/{{session_id}}/artifacts?cursor={cursor}");
    let seen = ask(Some(&stranger), &route, &own).await;
    assert_eq!(
        seen.status(),
        400,
        "a place in another owner's list: {seen:?}"
    );
    world.end().await;
}

#[tokio::test]
#[ignore = "needs a stack of its own: make test"]
async fn a_path_names_files_of_the_callers_sessions_alone() {
    let world = World::new().await;
    let [owner, stranger] = [OWNER, STRANGER].map(|subject| issuer().token(subject));
    let own = own_session("ocr").await;
    settled().await;
    let theirs = [
        "{session_id}/uploads/a.txt",
        "{session_id}/{run_id}/answer.md",
        "{session_id}/{run_id}/step_1_a.md",
    ];
    for route in ["GET /api/files/content", "GET /api/files/download"] {
        for path in theirs {
            let route = format!("{route}?path={path}");
            let seen = ask(Some(&stranger), &route, &world.theirs).await;
            let reference = ask(Some(&stranger), &route, &missing()).await;
            assert_eq!(seen, reference, "{route}");
            assert_eq!(seen.status(), 404, "{route}: {seen:?}");
            // Their run below a session of the caller's own.
            let mut ids = world.theirs.clone();
            ids.extend(own.clone());
            let seen = ask(Some(&stranger), &route, &ids).await;
            assert_eq!(seen.status(), 404, "{route}: {seen:?}");
        }
    }
    let route = format!("GET /api/files/content?path={}", theirs[0]);
    let owned = ask(Some(&owner), &route, &world.theirs).await;
    assert_eq!(owned.json()["content"], "tides");
    world.end().await;
}

#[tokio::test]
#[ignore = "needs a stack of its own: make test"]
async fn every_route_uses_only_the_partitions_of_its_function() {
    let world = World::new().await;
    let token = issuer().token(OWNER);
    let mut limited = 0;
    for route in http_routes() {
        settled().await;
        let mark = mark();
        let seen = ask(Some(&token), &route.key, &world.theirs).await;
        if !route.leading_keys.is_empty() {
            assert_within(&route.key, mark, &route.leading_keys);
            limited += 1;
        }
        let refused = [401, 403, 404].contains(&seen.status()) || seen.status() >= 500;
        assert!(!refused, "{}: {seen:?}", route.key);
    }
    assert!(limited > 0, "the template limits no function");
    world.end_changed().await;
}

/// The error code in a frame or a body.
pub fn code(value: &Value) -> &str {
    value["code"].as_str().unwrap_or_default()
}
