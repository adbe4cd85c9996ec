//! Copilot asks for clarification, makes proposals, and leaves the turns of a conversation to the
//! user.

use serde_json::{Value, json};

use super::walk::{Walk, go};

const UNCLEAR: &str = "Draw the boat. [[route=clarify times=1 at=copilot_control id={id}]]";
const LARGE: &str =
    "Build the boat. [[steps=1]] [[route=propose times=1 at=copilot_control id={id}]]";

fn copilot(name: &'static str, task: &'static str) -> Walk {
    Walk::of(name, "copilot", json!({}), task)
}

fn conversation(name: &'static str) -> Walk {
    let config: Value = json!({"conversational": true});
    Walk::of(name, "copilot", config, "Draw the boat.")
}

pub fn walks() -> Vec<Walk> {
    vec![
        copilot("a question is answered", UNCLEAR)
            .at("clarification", "submit")
            .saying("The blue one.")
            .tells("copilot_control", "The blue one.")
            .tells("researcher", "The blue one."),
        copilot("a question is not answered", UNCLEAR)
            .at("clarification", "abort")
            .cancels(),
        Walk::of(
            "nobody is asked for ever",
            "copilot",
            json!({"maxRounds": 3}),
            "Draw the boat. [[route=clarify]]",
        )
        .at("clarification", "submit")
        .saying("The blue one.")
        .at("clarification", "submit")
        .saying("The one at the pier.")
        .tells("researcher", "The blue one.")
        .tells("researcher", "The one at the pier."),
        copilot("a proposal is followed", LARGE)
            .at("proposal", "approve")
            .tells("planner", "A scripted propose.")
            .has("planning_complete", 1)
            .has("step_complete", 1),
        copilot("a proposal is made anew", LARGE)
            .at("proposal", "revise")
            .saying("A smaller one.")
            .tells("copilot_control", "A smaller one."),
        copilot("a proposal is rejected", LARGE)
            .at("proposal", "reject")
            .cancels(),
        conversation("a conversation of three turns")
            .at("copilot_turn", "submit")
            .saying("And its sail.")
            .at("copilot_turn", "continue")
            .saying("In red.")
            .at("copilot_turn", "done")
            .tells("researcher", "In red.")
            .has("approval_requested", 3),
        conversation("a conversation that is left")
            .at("copilot_turn", "exit")
            .has("approval_requested", 1),
    ]
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn copilot_clarifies_proposes_and_takes_turns() {
    go(walks()).await;
}
