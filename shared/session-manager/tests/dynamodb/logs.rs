//! The log of a call contains the operation and its capacity, and no content.

use std::io::Write;
use std::sync::{Arc, Mutex};

use session::Mode;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::world::{World, at, note};

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_call_is_logged_with_its_capacity_and_without_contents() {
    let captured = Captured::default();
    let writer = captured.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter("session_manager=trace")
        .with_span_events(FmtSpan::CLOSE)
        .with_writer(move || writer.clone())
        .finish();
    // Global, because a thread-local subscriber may miss spans whose call sites other threads
    // register first.
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let world = World::new().await;
    let state = world.running(Mode::OneShot).await;
    let said = note(&state, "a secret thought");
    // A stale state loses a race first.
    world
        .manager
        .commit_on(state.clone(), &said, at(2))
        .await
        .unwrap();
    world
        .manager
        .commit_on(state.clone(), &note(&state, "another thought"), at(3))
        .await
        .unwrap();
    world
        .manager
        .session(state.session_id, &world.ada())
        .await
        .unwrap();

    let log = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
    for expected in [
        "operation=\"PutItem\"",
        "operation=\"Query\"",
        "capacity=",
        "another commit was first",
    ] {
        assert!(log.contains(expected), "{expected} is not in\n{log}");
    }
    for content in ["thought", "Say something", "small", "a session"] {
        assert!(!log.contains(content), "{content} is in\n{log}");
    }
}
