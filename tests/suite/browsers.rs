//! Web pages: those of this machine and of `BROWSER_ORIGINS` use the stack, others are refused
//! before any function runs.

use reqwest::Method;
use serde_json::{Value, json};
use tests::browser::Browser;
use tests::files::{artifacts, upload};
use tests::rest::{RawReply, create, detail, send};
use tests::stack::stack;
use tests::ws::connect_from;
use tokio_tungstenite::tungstenite::Error;
use uuid::Uuid;

/// Pages of this machine, and the one that the tests' stack permits.
const ALLOWED: [&str; 4] = [
    "http://localhost:3000",
    "http://127.0.0.1",
    "http://[::1]:5173",
    "https://app.example",
];
const FOREIGN: [&str; 4] = [
    "https://evil.example",
    "null",
    "http://localhost.evil.example",
    "http://app.example",
];

async fn from_page(origin: &str, method: Method, path: &str, body: Option<&str>) -> RawReply {
    send(None, &method, path, body, &[("origin", origin)]).await
}

async fn preflight(origin: &str, path: &str) -> RawReply {
    let asked = [
        ("origin", origin),
        ("access-control-request-method", "PATCH"),
        (
            "access-control-request-headers",
            "authorization,content-type",
        ),
    ];
    send(None, &Method::OPTIONS, path, None, &asked).await
}

fn header<'a>(reply: &'a RawReply, name: &str) -> &'a str {
    reply.headers.get(name).map_or("", String::as_str)
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn an_allowed_page_gets_preflights_answered_and_reads_replies() {
    let session = create("copilot").await;
    let path = format!("/api/sessions/{session}");
    for origin in ALLOWED {
        let answered = preflight(origin, &path).await;
        assert_eq!(answered.status, 204, "{answered:?}");
        assert_eq!(header(&answered, "access-control-allow-origin"), origin);
        let methods = header(&answered, "access-control-allow-methods");
        assert!(methods.split(',').any(|method| method == "PATCH"));
        assert_eq!(
            header(&answered, "access-control-allow-headers"),
            "authorization,content-type,idempotency-key"
        );
        let renamed = json!({"name": origin}).to_string();
        let reply = from_page(origin, Method::PATCH, &path, Some(&renamed)).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        assert_eq!(header(&reply, "access-control-allow-origin"), origin);
        assert_eq!(
            header(&reply, "access-control-expose-headers"),
            "x-request-id,retry-after"
        );
        assert!(!header(&reply, "x-request-id").is_empty());
        assert_eq!(detail(&session).await["name"], origin);
        // An error can be read too.
        let missing = format!("/api/sessions/{}", Uuid::now_v7());
        let missing = from_page(origin, Method::GET, &missing, None).await;
        assert_eq!(missing.status, 404);
        assert_eq!(header(&missing, "access-control-allow-origin"), origin);
    }
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_foreign_page_is_refused_and_changes_nothing() {
    let session = create("copilot").await;
    let path = format!("/api/sessions/{session}");
    let before = detail(&session).await;
    // The address by which MiniStack calls the functions, and `cargo lambda invoke`.
    let invoke = "/2015-03-31/functions/delete-session/invocations";
    let suspend = format!("{path}/suspend");
    for origin in FOREIGN {
        let mut refused = vec![preflight(origin, &path).await];
        for (method, path) in [
            (Method::GET, path.as_str()),
            (Method::DELETE, &path),
            (Method::POST, &suspend),
            (Method::POST, invoke),
        ] {
            refused.push(from_page(origin, method, path, Some("{}")).await);
        }
        for reply in refused {
            assert_eq!(reply.status, 403, "{origin}: {reply:?}");
            assert_eq!(header(&reply, "access-control-allow-origin"), "");
            let body: Value = serde_json::from_str(&reply.text).unwrap();
            assert_eq!(body["code"], "foreign_origin");
            assert_eq!(body["request_id"], header(&reply, "x-request-id"));
        }
    }
    assert_eq!(detail(&session).await, before);
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_request_without_an_origin_needs_no_permission() {
    let reply = send(None, &Method::GET, "/api/health", None, &[]).await;
    assert_eq!(reply.status, 200);
    assert_eq!(header(&reply, "access-control-allow-origin"), "");
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_socket_opens_for_an_allowed_page_alone() {
    let query = format!("?task_id={}", Uuid::now_v7());
    for origin in ALLOWED {
        let mut client = connect_from(&query, origin).await.unwrap();
        client.ask(&json!({"type": "ping"}), "pong").await;
        client.close().await;
    }
    for origin in FOREIGN {
        match connect_from(&query, origin).await {
            Err(Error::Http(reply)) => assert_eq!(reply.status().as_u16(), 403, "{origin}"),
            Err(error) => panic!("{origin}: {error}"),
            Ok(_) => panic!("{origin} has a socket"),
        }
    }
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn the_other_services_of_the_stack_refuse_a_foreign_page() {
    let client = reqwest::Client::new();
    let url = stack().get("AWS_ENDPOINT_URL");
    for (origin, refused) in [
        ("https://evil.example", true),
        ("null", true),
        (ALLOWED[0], false),
    ] {
        let reply = client.get(url).header("origin", origin).send().await;
        assert_eq!(reply.unwrap().status().as_u16() == 403, refused, "{origin}");
    }
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn a_page_follows_the_redirect_of_a_download_and_can_do_nothing_else() {
    let session = create("ocr").await;
    upload(&session, "lead.txt", "text/plain", b"Lead").await;
    let listed = artifacts(&session).await;
    let link = listed[0]["url"].as_str().unwrap();
    let client = reqwest::Client::new();
    // A browser sends `null` after a redirect from one foreign origin to another.
    let read = client.get(link).header("origin", "null").send().await;
    let read = read.unwrap();
    assert_eq!(read.headers()["access-control-allow-origin"], "*");
    assert_eq!(read.text().await.unwrap(), "Lead");
    let (object, query) = link.split_once('?').unwrap();
    let bucket = object.splitn(5, '/').take(4).collect::<Vec<_>>().join("/");
    for (method, url) in [
        (Method::PUT, link.to_owned()),
        (Method::DELETE, link.to_owned()),
        (Method::GET, object.to_owned()),
        (Method::GET, format!("{bucket}?{query}")),
    ] {
        let request = client.request(method, &url).header("origin", "null");
        assert_eq!(
            request.send().await.unwrap().status().as_u16(),
            403,
            "{url}"
        );
    }
    assert_eq!(
        client.get(link).send().await.unwrap().text().await.unwrap(),
        "Lead"
    );
}

/// What a page does that creates a session and follows it: `call`, then `talk`.
const PAGE: &str = r#"
    const headers = {
        authorization: 'Bearer of.a.client',
        'content-type': 'application/json',
        'idempotency-key': `${ID}-key`,
    };
    const call = async (method, path, body) => {
        const request = {method, headers, body: body && JSON.stringify(body)};
        const reply = await fetch(API + path, request);
        return {
            status: reply.status,
            request_id: reply.headers.get('x-request-id'),
            body: await reply.json(),
        };
    };
    const talk = () => new Promise((resolve) => {
        const socket = new WebSocket(`${SOCKET}?task_id=${ID}`);
        socket.onopen = () => socket.send('{"type": "ping"}');
        socket.onmessage = (frame) => resolve(JSON.parse(frame.data).event_type);
        socket.onerror = () => resolve('refused');
    });
"#;

/// The result of a script in the browser's page.
async fn in_page(browser: &mut Browser, script: &str) -> Value {
    let (api, socket) = (stack().get("HTTP_URL"), stack().get("WS_URL"));
    // A page without TLS can make no random id of its own.
    let id = Uuid::now_v7();
    let known = format!("const API = '{api}', SOCKET = '{socket}', ID = '{id}'; {PAGE}");
    browser
        .evaluate(&format!("(async () => {{ {known} {script} }})()"))
        .await
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn in_a_browser_an_allowed_page_calls_reads_and_follows_and_a_foreign_one_nothing() {
    let mut browser = Browser::start().await;
    for origin in ["https://app.example", "http://localhost:3000"] {
        browser.open(origin).await;
        // `POST` with these headers, `PATCH` and `DELETE` need a preflight each.
        let script = "
            const created = await call('POST', '/api/sessions', {mode: 'copilot'});
            const path = `/api/sessions/${created.body.session_id}`;
            const renamed = await call('PATCH', path, {name: 'By a page'});
            const read = await call('GET', path);
            const deleted = await call('DELETE', path);
            const gone = await call('GET', path);
            return {created, renamed, read, deleted, gone, socket: await talk()};";
        let done = in_page(&mut browser, script).await;
        for (what, status) in [
            ("created", 200),
            ("renamed", 200),
            ("read", 200),
            ("deleted", 200),
            ("gone", 404),
        ] {
            assert_eq!(done[what]["status"], status, "{origin}: {what}: {done}");
            let id = done[what]["request_id"].as_str();
            assert!(
                id.is_some_and(|id| !id.is_empty()),
                "{origin}: {what}: {done}"
            );
        }
        assert_eq!(done["read"]["body"]["name"], "By a page");
        assert_eq!(done["socket"], "pong", "{origin}");
    }
    let session = create("copilot").await;
    let before = detail(&session).await;
    for origin in ["https://evil.example", "http://localhost.evil.example"] {
        browser.open(origin).await;
        let script = format!(
            "const attempt = (method) => call(method, '/api/sessions/{session}').catch(String);
            return [await attempt('GET'), await attempt('DELETE'), await talk()];"
        );
        let refused = in_page(&mut browser, &script).await;
        let unreadable = "TypeError: Failed to fetch";
        assert_eq!(
            refused,
            json!([unreadable, unreadable, "refused"]),
            "{origin}"
        );
    }
    assert_eq!(detail(&session).await, before);
}
