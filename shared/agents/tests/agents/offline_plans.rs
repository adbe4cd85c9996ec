//! The offline engine as planner and reviewer.

use agents::{Agent, Content, Plan, Review};
use workflow::Brief;

use crate::offline::{LISTED, PROSE, ask, brief};

pub async fn plan(brief: Brief) -> Plan {
    match ask(Agent::Planner, brief).await.content {
        Content::Plan(plan) => plan,
        other => panic!("no plan: {other:?}"),
    }
}

pub async fn review(brief: Brief) -> Review {
    match ask(Agent::PlanReviewer, brief).await.content {
        Content::Review(review) => review,
        other => panic!("no review: {other:?}"),
    }
}

#[tokio::test]
async fn it_makes_a_step_of_each_item_and_one_that_concludes() {
    let plan = plan(brief(LISTED)).await;
    let steps: Vec<_> = plan
        .steps
        .iter()
        .map(|step| (step.sub_task.as_str(), step.sub_task_agent.as_str()))
        .collect();
    assert_eq!(
        steps,
        [
            (
                "Explain how the moon and the sun cause tides.",
                "researcher"
            ),
            ("Compare spring tides and neap tides.", "researcher"),
            (
                "Write a program that prints a table of tide heights.",
                "engineer"
            ),
            (
                "Bring the results of the steps before together into one answer to the task.",
                "researcher"
            ),
        ]
    );
}

#[tokio::test]
async fn it_makes_steps_of_prose_at_even_distances() {
    let steps = plan(brief(PROSE)).await.steps;
    assert_eq!(steps.len(), 4, "three sentences and a conclusion");
    assert_eq!(steps[0].sub_task, "The old harbour wall leaks.");
    assert!(steps[1].sub_task.starts_with("Repairs of the wall"));
    assert!(steps[2].sub_task.starts_with("Ships must be able"));
}

#[tokio::test]
async fn its_longest_plan_fits_its_form() {
    let items = (10..60).map(|i| format!("- {i}{}\n", "潮".repeat(600)));
    let brief = Brief {
        max_steps: 50,
        instructions: items.clone().take(20).collect(),
        ..brief(&items.collect::<String>())
    };
    let draft = plan(brief.clone()).await.steps;
    assert_eq!(draft.len(), 50);
    let remarks = vec!["潮".repeat(600); 20];
    let revised = Brief {
        plan: draft,
        remarks,
        ..brief
    };
    assert_eq!(plan(revised).await.steps.len(), 50);
}

#[tokio::test]
async fn it_keeps_to_the_number_of_steps() {
    let many: String = (0..40)
        .map(|i| format!("- Describe harbour number{i} and its lights\n"))
        .collect();
    for max_steps in [1, 2, 3, 50] {
        let brief = Brief {
            max_steps,
            instructions: "No lists".to_owned(),
            ..brief(&many)
        };
        let draft = plan(brief.clone()).await.steps;
        let remarks = (0..20).map(|i| format!("Wish number {i}")).collect();
        let revised = plan(Brief {
            plan: draft.clone(),
            remarks,
            ..brief
        })
        .await
        .steps;
        for steps in [draft, revised] {
            assert!(
                (1..=max_steps as usize).contains(&steps.len()),
                "{max_steps}: {}",
                steps.len()
            );
            assert!(
                steps
                    .last()
                    .unwrap()
                    .bullet_points
                    .last()
                    .unwrap()
                    .starts_with("Heed: ")
            );
        }
    }
}

#[tokio::test]
async fn its_reviewer_finds_what_no_step_covers_and_its_planner_mends_it() {
    let draft = plan(brief(LISTED)).await.steps;
    let found = review(Brief {
        plan: draft.clone(),
        ..brief(LISTED)
    })
    .await;
    assert!(!found.approved);
    assert!(
        found
            .recommendations
            .iter()
            .any(|r| r.contains("Currents near headlands")),
        "{found:?}"
    );
    let mended = plan(Brief {
        plan: draft,
        remarks: found.recommendations,
        ..brief(LISTED)
    })
    .await
    .steps;
    let again = review(Brief {
        plan: mended,
        ..brief(LISTED)
    })
    .await;
    assert_eq!(
        again,
        Review {
            approved: true,
            recommendations: vec![]
        }
    );
}

#[tokio::test]
async fn its_planner_heeds_instructions_and_what_a_human_says() {
    let draft = plan(Brief {
        instructions: "No tables".to_owned(),
        ..brief(LISTED)
    })
    .await
    .steps;
    assert!(
        draft
            .last()
            .unwrap()
            .bullet_points
            .contains(&"Heed: No tables".to_owned())
    );
    let remarks = vec!["Think of beginners".to_owned()];
    let revised = plan(Brief {
        plan: draft,
        remarks,
        ..brief(LISTED)
    })
    .await
    .steps;
    assert!(
        revised
            .last()
            .unwrap()
            .bullet_points
            .contains(&"Heed: Think of beginners".to_owned())
    );
}
