//! A person selects the idea to develop.

use serde_json::json;

use super::walk::{Walk, go};

pub fn walks() -> Vec<Walk> {
    let choosing = |name| {
        let config = json!({"checkpoints": "after_ideas", "nPlanReviews": 0});
        let task = "What could a lighthouse do by day? [[steps=2]] [[ideas=3]]";
        Walk::of(name, "idea-generation", config, task).has("step_complete", 2)
    };
    vec![
        choosing("the first idea")
            .at("after_ideas", "option_1")
            .tells("step_2", "The user chose this idea: Idea 1: Thought 1."),
        choosing("the second idea")
            .at("after_ideas", "option_2")
            .saying("With a garden.")
            .tells("step_2", "The user chose this idea: Idea 2: Thought 2.")
            .tells("step_2", "With a garden."),
        choosing("the third idea")
            .at("after_ideas", "option_3")
            .tells("step_2", "The user chose this idea: Idea 3: Thought 3."),
        choosing("an idea of one's own")
            .at("after_ideas", "custom")
            .saying("A school for gulls.")
            .tells("step_2", "The user chose this idea: A school for gulls."),
    ]
}

#[tokio::test]
#[ignore = "needs the local stack: make test"]
async fn each_idea_can_be_selected_or_replaced_by_a_custom_one() {
    go(walks()).await;
}
