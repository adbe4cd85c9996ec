//! One call of an agent, and what of its answer is stored before the engine hears of it.
//!
//! What is too long for a message, and every program, goes to the bucket first; the event then points to it.

use std::time::Duration;

use agents::{Content, Turn};
use documents::{ArtifactKey, ArtifactName};
use session::State;
use workflow::{AgentAnswer, AgentRequest, MAX_MESSAGE_BYTES, Outcome, StageFailure};

use crate::{Deadline, Executor, translate};

/// What became of a request.
pub(crate) enum WorkResult {
    /// This came of it; and so long the service asked to be left alone.
    Came(Outcome, Option<Duration>),
    /// There was no time to ask at all.
    NoTime,
}

impl Executor {
    pub(crate) async fn ask(
        &self,
        state: &State,
        request: &AgentRequest,
        history: &[Turn],
        deadline: Deadline,
    ) -> WorkResult {
        let call = match translate::call(request, history) {
            Ok(call) => call,
            Err(unknown) => {
                let failure = Outcome::Failure(translate::unknown_agent(&unknown));
                return WorkResult::Came(failure, None);
            }
        };
        let asked = self
            .agents
            .call(&call, deadline.instant(), request.max_attempts);
        match asked.await {
            Ok(answer) => WorkResult::Came(self.keep(state, request, answer).await, None),
            Err(error) if error.code() == "out_of_time" && error.usages.is_empty() => {
                WorkResult::NoTime
            }
            Err(error) => {
                tracing::warn!(session = %state.session_id, node = %request.node, failure = %error.failure, causes = lambda_kit::causes(&error.failure), "step failed");
                let retry_after = error.retry_after();
                WorkResult::Came(Outcome::Failure(translate::failed(error)), retry_after)
            }
        }
    }

    /// The answer for the engine, its long parts stored.
    async fn keep(&self, state: &State, request: &AgentRequest, answer: agents::Answer) -> Outcome {
        let usages: Vec<workflow::Usage> =
            answer.usages.into_iter().map(translate::usage).collect();
        let (message, summary) = (answer.content.message(), answer.content.summary());
        let to_store = match &answer.content {
            Content::Program(program) => Some((
                artifact_name(&request.node, &program.filename),
                program.code.as_str(),
            )),
            _ if message.len() > MAX_MESSAGE_BYTES => Some((
                artifact_name(&request.node, &format!("{}.md", request.agent)),
                message.as_str(),
            )),
            _ => None,
        };
        let mut artifact = None;
        if let (Some((name, text)), Some(run)) = (to_store, state.unfinished_run()) {
            let files = self.artifacts.of(&state.owner, state.session_id);
            let place = ArtifactKey::Run(run.id, name.clone());
            if let Err(error) = files.put(&place, text.to_owned()).await {
                tracing::error!(session = %state.session_id, causes = lambda_kit::causes(&error), "artifact not stored");
                return Outcome::Failure(not_stored(usages));
            }
            artifact = Some(name.into());
        }
        let content = translate::content(answer.content);
        Outcome::Answer(AgentAnswer {
            content,
            message,
            summary,
            artifact,
            usages,
        })
    }
}

fn not_stored(usages: Vec<workflow::Usage>) -> StageFailure {
    StageFailure {
        error: "The answer could not be stored.".into(),
        code: "storage_unavailable".into(),
        error_type: "StorageError".into(),
        retryable: true,
        usages,
    }
}

/// A model's file name, made safe, and told apart from the same name in another step.
fn artifact_name(node: &str, wanted: &str) -> ArtifactName {
    let safe = |c: char| {
        if c.is_ascii_alphanumeric() || "._-".contains(c) {
            c
        } else {
            '_'
        }
    };
    let name: String = wanted.chars().take(100).map(safe).collect();
    let name = name.trim_start_matches('.');
    let name = if name.is_empty() { "answer" } else { name };
    let name = format!("{node}_{name}").parse();
    name.expect("few characters, all of them safe, behind a node's name")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_models_file_name_cannot_escape_or_collide() {
        let name = |node, wanted| artifact_name(node, wanted).to_string();
        assert_eq!(name("step_2", "count.py"), "step_2_count.py");
        assert_eq!(
            name("execute", "../../etc/passwd"),
            "execute_/../etc/passwd".replace('/', "_")
        );
        assert_eq!(name("execute", "..."), "execute_answer");
        assert!(name("execute", &"x".repeat(1_000)).len() < 120);
    }
}
