//! What a worker must know of a run before it begins: its configuration and its record, read once per slice.

use agents::{Turn, recent};
use lambda_kit::Problem;
use serde_json::Value;
use session::{Envelope, EventBody, Message, Recorded, Run, Seq, State};
use session_manager::Actor;
use workflow::{Memory, Settings, SettingsError};

use crate::Executor;

/// How much of a session's earlier messages an agent is told, in tokens; newest first, so that it is the old ones that
/// are left out.
const WINDOW_TOKENS: u64 = 4_000;

/// How many of them are read: more would not fit.
const WINDOW_MESSAGES: usize = 100;

pub(crate) struct Loaded {
    pub settings: Settings,
    /// Why the stored configuration cannot be used; the run then fails with it.
    pub unusable: Option<SettingsError>,
    pub memory: Memory,
    pub history: Vec<Turn>,
}

impl Executor {
    pub(crate) async fn load(&self, state: &State, run: &Run) -> Result<Loaded, Problem> {
        let id = state.session_id;
        let (config, record, earlier) = tokio::try_join!(
            async { Ok::<_, Problem>(self.sessions.run_config(id, run.id).await?) },
            async {
                Ok(self
                    .sessions
                    .record(id, run.memory_from, state.last_seq)
                    .await?)
            },
            self.earlier(state, run),
        )?;
        let config: Value = serde_json::from_str(&config).map_err(Problem::internal)?;
        let (settings, unusable) = match Settings::parse(state.mode, &config) {
            Ok(settings) => (settings, None),
            Err(error) => (Settings::defaults(state.mode), Some(error)),
        };
        let mut memory = Memory::of(&record);
        if let Some(task) = self.long_task(state, &record).await? {
            memory.complete_task(task);
        }
        let history = recent(earlier.iter().rev().map(turn), WINDOW_TOKENS);
        memory.add_earlier(earlier.into_iter());
        Ok(Loaded {
            settings,
            unusable,
            memory,
            history,
        })
    }

    /// The session's messages before this run, oldest first.
    async fn earlier(&self, state: &State, run: &Run) -> Result<Vec<Message>, Problem> {
        if run.memory_from == Seq(1) {
            return Ok(Vec::new());
        }
        let page = self
            .sessions
            .history(
                state.session_id,
                &Actor::Engine,
                WINDOW_MESSAGES,
                Some(run.memory_from),
            )
            .await?;
        Ok(page.messages)
    }

    /// A task above 32 KiB, from the bucket.
    async fn long_task(
        &self,
        state: &State,
        record: &[Envelope],
    ) -> Result<Option<String>, Problem> {
        for envelope in record {
            let Recorded::Known(EventBody::UserMessage {
                artifact: Some(name),
                ..
            }) = &envelope.body
            else {
                continue;
            };
            let Some(run) = envelope.run_id else { continue };
            let text = self
                .artifacts
                .get(&state.owner, state.session_id, run, name)
                .await;
            return text.map(Some).map_err(Problem::unavailable);
        }
        Ok(None)
    }
}

fn turn(message: &Message) -> Turn {
    let speaker = message.agent.clone().unwrap_or_else(|| "user".into());
    Turn {
        speaker,
        text: message.content.clone(),
    }
}
