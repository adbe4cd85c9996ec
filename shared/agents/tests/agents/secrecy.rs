//! What stays out of the log.

use crate::asking::{KEY, ask, config};
use crate::server::{ModelServer, Reply, refuses, says, says_text};
use agents::{Agent, Agents};
use serde_json::json;

#[tokio::test]
async fn it_logs_neither_key_nor_question_nor_answer() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone());
    let _guard = tracing::subscriber::set_default(subscriber.finish());
    let garbage = Reply::Http(200, vec![], "SECRET-ANSWER".to_owned());
    let other = Reply::Http(200, vec![], "{\"choices\": \"SECRET-ANSWER\"}".to_owned());
    let server = ModelServer::start([
        refuses(500, "SECRET-ANSWER is no code"),
        garbage,
        other,
        says_text("SECRET-ANSWER"),
        says(&json!({"content": "SECRET-ANSWER", "summary": 1})),
        refuses(400, "bad"),
    ])
    .await;
    let error = ask(&server, Agent::Researcher).await.unwrap_err();
    assert_eq!(server.requests().len(), 6);
    let log = log.text();
    assert!(log.contains("model answer does not fit"), "{log}");
    for secret in [KEY, "SECRET-ANSWER", "tides", "own words"] {
        assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
    }
    let settings = config(&server);
    let agents = Agents::new(settings.clone()).unwrap();
    let debug = format!("{error:?} {settings:?} {agents:?}");
    assert!(!debug.contains(KEY), "{debug}");
}

/// What was logged.
#[derive(Clone, Default)]
struct Log(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
