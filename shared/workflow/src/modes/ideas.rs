//! The instructions of `idea-generation` to its planner: the steps from five ideas to one report.

const MAKE: &str = "Propose five ideas for the task, each with a title and a description.";
const CRITICISE: &str = "Criticise the five ideas: what is weak, unclear or done before.";
const IMPROVE: &str = "Choose the two best ideas and improve them by the critique.";
const CRITICISE_AGAIN: &str = "Criticise the two improved ideas.";
const CHOOSE: &str = "Choose the better idea, and improve it by the critique.";
const WRITE: &str = "Write a title and a report on the chosen idea.";

/// The built-in instructions. With the checkpoint `after_ideas` no agent chooses.
pub(crate) fn instructions(person_chooses: bool) -> String {
    let steps = [MAKE, CRITICISE, IMPROVE, CRITICISE_AGAIN, CHOOSE, WRITE];
    let left = steps
        .into_iter()
        .filter(|step| !(person_chooses && *step == CHOOSE));
    let lines: Vec<String> = (1..)
        .zip(left)
        .map(|(number, step)| format!("{number}. {step}"))
        .collect();
    format!(
        "Follow this order; idea_maker makes, improves, chooses and writes, idea_hater criticises:\n{}",
        lines.join("\n")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_step_is_the_report_with_and_without_a_person() {
        assert!(instructions(false).contains("5. Choose the better"));
        assert!(instructions(true).contains("5. Write a title"));
        assert!(!instructions(true).contains("Choose the better"));
    }
}
