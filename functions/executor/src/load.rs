//! What a worker must know of a run before it begins: its configuration and its record, read once
//! per slice.

use std::ops::RangeInclusive;

use agents::recent;
use documents::{ArtifactError, ArtifactKey};
use lambda_kit::{Problem, now};
use session::{
    Envelope, EventBody, Message, Mode, Role, Run, RunFailure, Seq, State, StoredEventBody,
    plus_usd,
};
use session_manager::ReadError;
use workflow::{EarlierMessage, RunHistory, RunSettings, RunSettingsError};

use crate::{DocumentTasks, Executor};

/// How much of a session's earlier messages an agent is told, in tokens; newest first, so that it
/// is the old ones that are left out.
const WINDOW_TOKENS: u64 = 4_000;

/// What is read for it: as many bytes as fit, of at most 100 messages, but never fewer than the 20
/// that a result shows.
const WINDOW_BYTES: usize = 16 * 1024;
const WINDOW_MESSAGES: RangeInclusive<usize> = 20..=100;

/// As much as a task may have.
const MAX_TASK_BYTES: u64 = 64 * 1024;

pub(crate) struct LoadedRun {
    pub settings: RunSettings,
    /// Why what is stored cannot be used, now and at any later time; the run then fails with it.
    pub unusable: Option<RunFailure>,
    pub history: RunHistory,
    pub conversation: Vec<EarlierMessage>,
}

impl<T: DocumentTasks> Executor<T> {
    pub(crate) async fn load(&self, state: &State, run: &Run) -> Result<LoadedRun, Problem> {
        let id = state.session_id;
        let (config, record, earlier, left) = tokio::try_join!(
            self.sessions.run_config(id, run.id),
            self.sessions.record(id, run.history_from, state.last_seq),
            self.earlier(state, run.history_from),
            self.sessions.left_today(&state.owner, now()),
        )?;
        let mut unusable = None;
        let mut settings = settings(state.mode, &config).unwrap_or_else(|failure| {
            unusable = Some(failure);
            RunSettings::defaults(state.mode)
        });
        if record.iter().any(is_unreadable) {
            unusable = Some(unreadable_record());
        }
        settings.caps.per_run = self.max_cost_usd_per_run;
        settings.caps.today = left.map(|left| plus_usd(run.cost_usd, left));
        let mut history = RunHistory::of(&record);
        match self.long_task(state, &record).await {
            Ok(Some(task)) => history.complete_task(task),
            Ok(None) => {}
            Err(ArtifactError::Storage(error)) => return Err(Problem::unavailable(error)),
            Err(error) => unusable = Some(lost_task(&error)),
        }
        // In a run with earlier turns, a new turn counts them as conversation.
        let earlier = match history.turn_from() {
            turn if turn > run.history_from.plus(1) => self.earlier(state, turn).await?,
            _ => earlier,
        };
        let conversation = recent(earlier.iter().rev().map(earlier_message), WINDOW_TOKENS);
        history.add_earlier(earlier.into_iter());
        Ok(LoadedRun {
            settings,
            unusable,
            history,
            conversation,
        })
    }

    /// The newest of the session's messages before an event, oldest first, as far as the agents'
    /// window reaches.
    async fn earlier(&self, state: &State, before: Seq) -> Result<Vec<Message>, ReadError> {
        let (id, sessions) = (state.session_id, &self.sessions);
        sessions
            .recent_messages(id, before, WINDOW_MESSAGES, WINDOW_BYTES)
            .await
    }

    /// A task above 32 KiB, from the bucket.
    async fn long_task(
        &self,
        state: &State,
        record: &[Envelope],
    ) -> Result<Option<String>, ArtifactError> {
        for envelope in record {
            let StoredEventBody::Known(EventBody::UserMessage {
                artifact: Some(name),
                ..
            }) = &envelope.body
            else {
                continue;
            };
            let Some(run) = envelope.run_id else { continue };
            let name = name.parse().map_err(|_| ArtifactError::NotFound)?;
            let files = self.artifacts.of(&state.owner, state.session_id);
            let text = files
                .get_text(&ArtifactKey::Run(run, name), MAX_TASK_BYTES)
                .await;
            return text.map(Some);
        }
        Ok(None)
    }
}

fn settings(mode: Mode, config: &str) -> Result<RunSettings, RunFailure> {
    let config =
        serde_json::from_str(config).map_err(|_| RunSettingsError::WholeConfig.as_failure())?;
    RunSettings::parse(mode, &config).map_err(|error| error.as_failure())
}

fn is_unreadable(envelope: &Envelope) -> bool {
    matches!(
        envelope.body,
        StoredEventBody::Known(EventBody::Unreadable { .. })
    )
}

/// What the run has done so far is not known, so it cannot go on.
fn unreadable_record() -> RunFailure {
    RunFailure {
        error: "A part of the run's record cannot be read.".into(),
        code: "record_unreadable".into(),
        error_type: "StorageError".into(),
    }
}

fn lost_task(error: &ArtifactError) -> RunFailure {
    RunFailure {
        error: format!("The whole of the task cannot be read: {error}."),
        code: "task_lost".into(),
        error_type: "StorageError".into(),
    }
}

fn earlier_message(message: &Message) -> EarlierMessage {
    let other = match message.role {
        Role::System => "system",
        Role::User | Role::Assistant => "user",
    };
    let speaker = message.agent.clone().unwrap_or_else(|| other.into());
    EarlierMessage {
        speaker,
        text: message.content.clone(),
    }
}
