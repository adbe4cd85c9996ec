//! Approval prompts: message, options and context of each checkpoint.
//!
//! A prompt follows from the position of the run; the worker gives its id and its expiry.

use serde_json::{Value, json};
use session::{ApprovalId, ApprovalRequest, ApprovalRow, Next, Progress, Stage, Timestamp};

use super::{Engine, goal, progress_builder::ProgressBuilder, step};
use crate::{clip::clip_chars, modes::Checkpoint};

/// How often a step may be done again by `redo`.
const MAX_REDOS: u32 = 2;

/// The most characters of a text that a prompt shows; the record holds the whole.
const SHOWN_CHARS: usize = 2_000;

/// A prompt for an approval.
#[derive(Debug, Clone, PartialEq)]
pub struct ApprovalPrompt {
    /// Its checkpoint.
    pub checkpoint: Checkpoint,
    /// The resolutions that are offered.
    pub options: Vec<String>,
    step_id: Option<String>,
    action: &'static str,
    message: String,
    context: Value,
}

impl Engine<'_> {
    /// The prompt as an approval with this id and expiry, for `Command::Commit`.
    pub fn ask(&self, prompt: ApprovalPrompt, id: ApprovalId, expires_at: Timestamp) -> Progress {
        let request = ApprovalRequest {
            approval_id: id,
            step_id: prompt.step_id,
            action: prompt.action.into(),
            checkpoint_type: prompt.checkpoint.as_str().into(),
            description: prompt.message.clone(),
            message: prompt.message,
            options: prompt.options,
            context: prompt.context,
            expires_at,
        };
        ProgressBuilder::on(self).build(Next::Ask(Box::new(request)))
    }

    /// The prompt of a checkpoint at the current position.
    pub(crate) fn prompt(&self, checkpoint: Checkpoint) -> ApprovalPrompt {
        let at = self.run.position;
        let about_a_step = matches!(
            at.stage,
            Stage::BeforeStep | Stage::AfterStep | Stage::OnError | Stage::ChooseIdea
        );
        ApprovalPrompt {
            checkpoint,
            options: self.options(checkpoint),
            step_id: (about_a_step || checkpoint == Checkpoint::Budget).then(|| at.node()),
            action: action(checkpoint),
            message: self.message(checkpoint),
            context: self.context(checkpoint),
        }
    }

    fn options(&self, checkpoint: Checkpoint) -> Vec<String> {
        let checkpoints = &self.settings.checkpoints;
        let redos = self.history.redos(self.run.position.step);
        let words: Vec<(&str, bool)> = match checkpoint {
            Checkpoint::DuringPlanning => vec![
                ("approve", true),
                ("reject", true),
                ("revise", self.history.revisions < checkpoints.max_revisions),
                ("modify", checkpoints.may_modify),
            ],
            Checkpoint::BeforeStep => {
                vec![
                    ("approve", true),
                    ("reject", true),
                    ("skip", checkpoints.may_skip),
                ]
            }
            Checkpoint::AfterStep => vec![
                ("continue", true),
                ("abort", true),
                ("redo", checkpoints.may_retry && redos < MAX_REDOS),
            ],
            Checkpoint::OnError => vec![
                ("retry", checkpoints.may_retry),
                ("skip", checkpoints.may_skip),
                ("abort", true),
            ],
            Checkpoint::AfterIdeas => {
                let ideas = (1..=self.history.ideas.len()).map(|number| format!("option_{number}"));
                return ideas.chain(["custom".into()]).collect();
            }
            Checkpoint::Clarification => vec![("submit", true), ("abort", true)],
            Checkpoint::Proposal => vec![("approve", true), ("revise", true), ("reject", true)],
            Checkpoint::CopilotTurn => vec![
                ("submit", true),
                ("continue", true),
                ("done", true),
                ("exit", true),
            ],
            Checkpoint::Budget => vec![("continue", true), ("abort", true)],
        };
        let offered = words.into_iter().filter(|(_, offered)| *offered);
        offered.map(|(word, _)| word.to_owned()).collect()
    }

    fn message(&self, checkpoint: Checkpoint) -> String {
        let (at, history) = (self.run.position, self.history);
        let shown = |text: &str| clip_chars(text, SHOWN_CHARS).to_owned();
        let goal = goal(&history.plan, at);
        let step_by = || {
            let agent = step(&history.plan, at).map_or("an agent", |step| &step.sub_task_agent);
            format!("Step {} of {}, by {agent},", at.step, at.steps)
        };
        match checkpoint {
            Checkpoint::DuringPlanning => {
                format!(
                    "The plan has {} step(s). Shall it be followed?",
                    history.draft.len()
                )
            }
            Checkpoint::BeforeStep => shown(&format!("{} is next: {goal}", step_by())),
            Checkpoint::AfterStep => shown(&format!("{} is done: {goal}", step_by())),
            Checkpoint::OnError => shown(&format!("{} failed: {}", step_by(), history.error)),
            Checkpoint::AfterIdeas => "Which idea shall be worked out?".into(),
            Checkpoint::Clarification | Checkpoint::Proposal => shown(&history.routing),
            Checkpoint::CopilotTurn => "The turn is over. What is next?".into(),
            Checkpoint::Budget => format!(
                "The run has cost {:.4} of {:.4} US dollars. Shall it go on for as much again?",
                self.run.cost_usd,
                self.limit().unwrap_or_default()
            ),
        }
    }

    fn context(&self, checkpoint: Checkpoint) -> Value {
        let (at, history) = (self.run.position, self.history);
        let shown = |text: &str| clip_chars(text, SHOWN_CHARS).to_owned();
        match checkpoint {
            Checkpoint::DuringPlanning => json!({"plan": history.draft}),
            Checkpoint::BeforeStep => {
                json!({"step_number": at.step, "step": step(&history.plan, at)})
            }
            Checkpoint::AfterStep => {
                let done = history.done.get(&at.step);
                let summary = done.map_or_else(String::new, |done| shown(&done.summary));
                json!({"step_number": at.step, "summary": summary})
            }
            Checkpoint::OnError => {
                json!({"step_number": at.step, "step": step(&history.plan, at), "error": history.error})
            }
            Checkpoint::AfterIdeas => {
                let ideas = (1..).zip(&history.ideas).map(|(number, idea)| {
                    json!({"option": format!("option_{number}"), "idea": shown(idea)})
                });
                json!({"ideas": ideas.collect::<Vec<_>>()})
            }
            Checkpoint::CopilotTurn => {
                json!({"answer": shown(history.last_answer()), "requires_text_input": true})
            }
            Checkpoint::Clarification => json!({"requires_text_input": true}),
            Checkpoint::Proposal => json!({}),
            Checkpoint::Budget => {
                json!({"cost_usd": self.run.cost_usd, "max_cost_usd": self.limit()})
            }
        }
    }
}

/// The request of a stored approval.
pub fn asked_again(row: ApprovalRow) -> ApprovalRequest {
    ApprovalRequest {
        action: Checkpoint::of(&row.checkpoint_type)
            .map_or("decide", action)
            .into(),
        approval_id: row.approval_id,
        step_id: row.step_id,
        checkpoint_type: row.checkpoint_type,
        description: row.message.clone(),
        message: row.message,
        options: row.options,
        context: row.context,
        expires_at: row.expires_at,
    }
}

/// The action that an answer decides on.
const fn action(checkpoint: Checkpoint) -> &'static str {
    match checkpoint {
        Checkpoint::DuringPlanning => "approve_plan",
        Checkpoint::BeforeStep => "begin_step",
        Checkpoint::AfterStep => "accept_step",
        Checkpoint::OnError => "recover_step",
        Checkpoint::AfterIdeas => "choose_idea",
        Checkpoint::Clarification => "clarify",
        Checkpoint::Proposal => "approve_proposal",
        Checkpoint::CopilotTurn => "next_turn",
        Checkpoint::Budget => "raise_budget",
    }
}
