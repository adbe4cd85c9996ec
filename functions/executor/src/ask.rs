//! One call of an agent. A program, and an answer too long for a message, is stored in the bucket
//! before the engine gets the answer; the event then names the artifact.

use std::time::Duration;

use agents::Content;
use documents::{ArtifactKey, ArtifactName};
use session::State;
use workflow::{AgentAnswer, AgentRequest, EarlierMessage, Outcome, StageFailure, Usage, is_long};

use crate::{Deadline, DocumentTasks, Executor};

/// What became of a request.
pub(crate) enum WorkResult {
    /// The outcome, and how long the service asked callers to wait.
    Came(Outcome, Option<Duration>),
    /// It belongs to another invocation, after this pause.
    NotYet(Duration),
}

impl<T: DocumentTasks> Executor<T> {
    pub(crate) async fn ask(
        &self,
        state: &State,
        request: &AgentRequest,
        conversation: &[EarlierMessage],
        deadline: Deadline,
    ) -> WorkResult {
        let mut call = request.clone();
        call.brief.history = conversation.to_vec();
        match self.agents.call(&call, deadline.instant()).await {
            Ok(answer) => WorkResult::Came(self.keep(state, request, answer).await, None),
            Err(error) if error.code() == "out_of_time" && error.usages.is_empty() => {
                WorkResult::NotYet(Duration::ZERO)
            }
            Err(error) => {
                tracing::warn!(session = %state.session_id, node = %request.node, failure = %error.failure, causes = lambda_kit::causes(&error.failure), "step failed");
                let retry_after = error.retry_after();
                WorkResult::Came(Outcome::Failure(error.into()), retry_after)
            }
        }
    }

    /// The answer for the engine, its long parts stored.
    async fn keep(
        &self,
        state: &State,
        request: &AgentRequest,
        answer: agents::ModelAnswer,
    ) -> Outcome {
        let (calls, usages) = (answer.calls, answer.usages);
        let (message, summary) = (answer.content.message(), answer.content.summary());
        let to_store = match &answer.content {
            Content::Program(program) => Some((
                artifact_name(&request.node, &program.filename),
                program.code.as_str(),
            )),
            _ if is_long(&message) => Some((
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
                return Outcome::Failure(not_stored(calls, usages));
            }
            artifact = Some(name.into());
        }
        Outcome::Answer(AgentAnswer {
            content: answer.content.into(),
            message,
            summary,
            artifact,
            usages,
        })
    }
}

fn not_stored(calls: u32, usages: Vec<Usage>) -> StageFailure {
    StageFailure {
        error: "The answer could not be stored.".into(),
        code: "storage_unavailable".into(),
        error_type: "StorageError".into(),
        retryable: true,
        calls,
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
