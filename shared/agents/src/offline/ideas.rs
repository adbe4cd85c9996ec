//! The idea maker's ideas.

use super::{goal, text};
use crate::{Brief, Idea, Ideas};

pub(super) fn make(brief: &Brief) -> Ideas {
    let mut goal = text::clip(&goal(brief), 200);
    if goal.is_empty() {
        goal = "The task itself".to_owned();
    }
    Ideas {
        ideas: vec![Idea {
            title: goal.clone(),
            description: goal.clone(),
        }],
        content: goal.clone(),
        summary: goal,
    }
}
