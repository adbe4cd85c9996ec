//! Data that must not appear in the log.

use std::time::Duration;

use crate::asking::{ask_within, call, config};
use crate::server::{ModelServer, Reply, answers, says};
use crate::wires::{KEY, Wire};
use agents::{Agent, Agents};
use serde_json::json;
use workflow::AgentRequest;

#[tokio::test]
async fn it_logs_neither_key_nor_question_nor_answer() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        // The SDK logs whole requests below `info`. A deployment logs from `info` on.
        .with_env_filter("trace,aws=info,hyper=info,h2=info")
        .with_writer(move || writer.clone());
    let _guard = tracing::subscriber::set_default(subscriber.finish());
    for wire in Wire::ALL {
        let garbage = Reply::Http(200, vec![], "SECRET-ANSWER".to_owned());
        let other = json!({"choices": "SECRET-ANSWER", "content": {"a": "SECRET-ANSWER"}, "output": "SECRET-ANSWER"});
        let script = [
            Reply::Fails(500, "SECRET-ANSWER is no code"),
            garbage,
            Reply::Http(200, vec![], other.to_string()),
            says("SECRET-ANSWER"),
            answers(&json!({"content": "SECRET-ANSWER", "summary": 1})),
            Reply::Fails(400, "bad"),
        ];
        let server = ModelServer::start(wire, script).await;
        let call = AgentRequest {
            model: Some("SECRET-MODEL".to_owned()),
            ..call(Agent::Researcher)
        };
        let time = Duration::from_secs(20);
        let error = ask_within(time, &server, &call).await.unwrap_err();
        assert_eq!(server.requests().len(), 6, "{wire:?}: {error:?}");
        let settings = config(&server);
        let agents = Agents::new(settings.clone()).unwrap();
        let debug = format!("{error:?} {settings:?} {agents:?}");
        assert!(!debug.contains(KEY), "{debug}");
    }
    let log = log.text();
    assert!(log.contains("model answer does not fit"), "{log}");
    for secret in [KEY, "SECRET-ANSWER", "SECRET-MODEL", "tides", "own words"] {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret} is in the log");
    }
}

/// The captured log.
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
