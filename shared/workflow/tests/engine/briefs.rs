//! The feedback of people reaches exactly the agents that it concerns.

use serde_json::{Value, json};
use session::{Mode, RouteKind};
use workflow::{AgentRequest, Brief};

use crate::path::Path;

fn path(mode: Mode, config: &Value) -> Path {
    let mut path = Path::new("", mode, config);
    path.take();
    path
}

/// The next request after an answer at a checkpoint.
fn after(path: &mut Path, checkpoint: &str, resolution: &str, words: Option<&str>) -> AgentRequest {
    path.until_asked(checkpoint);
    path.says(resolution, words, None);
    path.take();
    path.request()
}

fn plain(max_rounds: u32) -> Path {
    path(
        Mode::Copilot,
        &json!({"nPlanReviews": 0, "maxRounds": max_rounds}),
    )
}

#[test]
fn a_revision_receives_the_feedback_or_a_default_remark() {
    let mut hitl = path(Mode::HitlInteractive, &json!({"nPlanReviews": 0}));
    for (words, remark) in [
        (Some("Leave out the slow ones."), "Leave out the slow ones."),
        (None, "The user wants another plan."),
    ] {
        let revision = after(&mut hitl, "during_planning", "revise", words);
        assert_eq!(
            (revision.agent.as_str(), &revision.brief.remarks[..]),
            ("planner", &[remark.to_owned()][..])
        );
        assert_eq!(revision.brief.plan.len(), 2);
    }
}

#[test]
fn feedback_applies_to_its_step_or_to_the_whole_task() {
    let mut hitl = path(Mode::HitlInteractive, &json!({"nPlanReviews": 0}));
    let first = after(&mut hitl, "before_step", "approve", Some("Briefly."));
    assert_eq!(first.brief.remarks, ["Briefly."]);
    let again = after(&mut hitl, "after_step", "redo", Some("With sources."));
    assert_eq!(again.brief.remarks, ["With sources."]);
    assert!(
        again.brief.done.is_empty(),
        "a redone step must not receive its own result"
    );
    hitl.until_asked("after_step");
    hitl.says("continue", Some("Mind the audience."), None);
    let second = after(&mut hitl, "before_step", "approve", None);
    assert!(second.brief.remarks.is_empty());
    assert!(second.brief.task.ends_with("Mind the audience."));
    assert_eq!(second.brief.done.len(), 1);
}

#[test]
fn the_last_step_receives_the_chosen_idea() {
    let config = json!({"checkpoints": "after_ideas", "nPlanReviews": 0});
    for (option, words, remark) in [
        ("option_2", None, "The user chose this idea: A kite"),
        ("custom", Some("A boat"), "The user chose this idea: A boat"),
    ] {
        let mut ideas = path(Mode::IdeaGeneration, &config);
        let planner = ideas.request();
        assert_eq!(planner.brief.team, ["idea_maker", "idea_hater"]);
        assert!(planner.brief.instructions.contains("five ideas"));
        let last = after(&mut ideas, "after_ideas", option, words);
        assert_eq!(
            (last.node.as_str(), &last.brief.remarks[..]),
            ("step_2", &[remark.to_owned()][..])
        );
    }
}

#[test]
fn copilot_decides_again_with_the_answer_to_its_question() {
    let mut copilot = plain(2);
    assert!(copilot.request().brief.may_ask);
    copilot.routed(RouteKind::Clarify);
    let words = Some("The small one.");
    let AgentRequest { agent, brief, .. } = after(&mut copilot, "clarification", "submit", words);
    assert_eq!(agent, "copilot_control");
    assert!(
        brief
            .task
            .contains("Asked: copilot_control on routing\nAnswered: The small one.")
    );
    assert!(!brief.may_ask, "copilot has one round left");
}

#[test]
fn an_approved_proposal_is_planned() {
    let mut copilot = plain(25);
    copilot.routed(RouteKind::Propose);
    let AgentRequest { agent, brief, .. } = after(&mut copilot, "proposal", "approve", None);
    assert_eq!(agent, "planner");
    assert!(brief.instructions.contains("copilot_control on routing"));
}

#[test]
fn a_continued_turn_keeps_its_results_and_a_new_one_does_not() {
    let conversation = json!({"conversational": true});
    let mut copilot = path(Mode::Copilot, &conversation);
    let Brief { task, done, .. } = after(&mut copilot, "copilot_turn", "continue", None).brief;
    assert!(task.starts_with("Compare three") && task.ends_with("Go on from there."));
    assert_eq!(done[0].summary, "researcher on execute");
    let said = Some("Now something else.");
    let Brief { task, done, .. } = after(&mut copilot, "copilot_turn", "submit", said).brief;
    assert_eq!((task.as_str(), done.len()), ("Now something else.", 0));
}
