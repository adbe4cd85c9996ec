//! The offline engine where ideas are made: it follows the instructions' list, and its makers and
//! critics build on each other.

use agents::{Agent, Content, Idea, Ideas, Report};
use session::PlanStep;
use workflow::{Brief, DoneStep};

use crate::offline::{LISTED, PROSE, ask, brief};
use crate::offline_plans::{plan, review};

const INSTRUCTIONS: &str = "Follow this order; everybody keeps to it:
1. Propose five ideas for the task, each with a title and a description.
2. Criticise the five ideas: what is weak, unclear or done before.
3. Choose the two best ideas and improve them by the critique.
4. Criticise the two improved ideas.
5. Choose the better idea, and improve it by the critique.
6. Write a title and a report on the chosen idea.

Think of small harbours.";

use workflow::agent::{IDEA_HATER, IDEA_MAKER};

fn to_plan(task: &str) -> Brief {
    Brief {
        instructions: INSTRUCTIONS.to_owned(),
        team: [IDEA_MAKER, IDEA_HATER].map(str::to_owned).to_vec(),
        ..brief(task)
    }
}

fn to_do(sub_task: &str, done: &[DoneStep]) -> Brief {
    let step = PlanStep {
        sub_task: sub_task.to_owned(),
        sub_task_agent: IDEA_MAKER.to_owned(),
        bullet_points: vec![],
    };
    Brief {
        step: Some(step),
        done: done.to_vec(),
        ..brief(PROSE)
    }
}

async fn ideas(brief: Brief) -> Ideas {
    match ask(Agent::IdeaMaker, brief).await.content {
        Content::Ideas(ideas) => ideas,
        other => panic!("no ideas: {other:?}"),
    }
}

async fn critique(brief: Brief) -> Report {
    match ask(Agent::IdeaHater, brief).await.content {
        Content::Report(report) => report,
        other => panic!("no report: {other:?}"),
    }
}

fn done(sub_task: &str, summary: &str) -> DoneStep {
    DoneStep {
        sub_task: sub_task.to_owned(),
        summary: summary.to_owned(),
    }
}

/// Five ideas, as a later step sees them.
async fn five() -> (Ideas, DoneStep) {
    let sub_task = "Propose five ideas for the task.";
    let ideas = ideas(to_do(sub_task, &[])).await;
    let done = done(sub_task, &ideas.summary);
    (ideas, done)
}

fn titles(ideas: &[Idea]) -> Vec<&str> {
    ideas.iter().map(|idea| idea.title.as_str()).collect()
}

#[tokio::test]
async fn its_planner_follows_the_list_of_the_instructions() {
    let steps = plan(to_plan(PROSE)).await.steps;
    let agents: Vec<_> = steps
        .iter()
        .map(|step| step.sub_task_agent.as_str())
        .collect();
    assert_eq!(
        agents,
        [
            IDEA_MAKER, IDEA_HATER, IDEA_MAKER, IDEA_HATER, IDEA_MAKER, IDEA_MAKER
        ]
    );
    assert!(steps[0].sub_task.starts_with("Propose five ideas"));
    assert!(steps[0].bullet_points.concat().contains("harbour wall"));
    assert_eq!(
        steps[5].bullet_points,
        ["Heed: Think of small harbours."],
        "not the words that lead to the list"
    );
}

#[tokio::test]
async fn its_planner_joins_what_does_not_fit_and_never_leaves_making_to_the_critic() {
    for max_steps in 2..=6 {
        let brief = Brief {
            max_steps,
            ..to_plan(LISTED)
        };
        let steps = plan(brief).await.steps;
        assert!(steps.len() <= max_steps as usize);
        let all: String = steps.iter().map(|step| step.sub_task.as_str()).collect();
        assert!(all.contains("Write a title and a report"), "{max_steps}");
        for step in &steps {
            let only_criticises = step.sub_task.starts_with("Criticise")
                && !["Choose", "Write"]
                    .iter()
                    .any(|w| step.sub_task.contains(w));
            assert_eq!(step.sub_task_agent == IDEA_HATER, only_criticises);
        }
    }
}

#[tokio::test]
async fn its_reviewer_accepts_rounds_of_ideas_and_a_revision_keeps_them() {
    for task in [PROSE, LISTED] {
        let drafted = plan(to_plan(task)).await.steps;
        let to_review = Brief {
            plan: drafted.clone(),
            ..to_plan(task)
        };
        assert!(review(to_review.clone()).await.approved);
        let revised = plan(Brief {
            remarks: vec!["More ships".to_owned()],
            ..to_review
        })
        .await
        .steps;
        let sub_tasks = |steps: &[PlanStep]| -> Vec<String> {
            steps.iter().map(|step| step.sub_task.clone()).collect()
        };
        assert_eq!(sub_tasks(&revised), sub_tasks(&drafted));
        let wish = "Heed: More ships".to_owned();
        assert!(revised[5].bullet_points.contains(&wish));
    }
}

#[tokio::test]
async fn its_maker_makes_as_many_different_ideas_as_the_step_asks_for() {
    for (sub_task, expected) in [
        ("Propose five ideas for the task.", 5),
        ("Propose eight ideas.", 8),
        ("Propose two ideas.", 2),
        ("Propose ideas.", 5),
    ] {
        for task in [PROSE, "How do tides work?", "?"] {
            let brief = Brief {
                task: task.to_owned(),
                ..to_do(sub_task, &[])
            };
            let ideas = ideas(brief).await.ideas;
            assert_eq!(ideas.len(), expected, "{sub_task} {task}");
            let mut titles = titles(&ideas);
            titles.sort_unstable();
            titles.dedup();
            assert_eq!(titles.len(), expected);
        }
    }
}

#[tokio::test]
async fn its_ideas_come_from_the_task_and_from_what_was_said_before() {
    let (five, _) = five().await;
    assert!(five.content.contains("harbour wall") && five.content.contains("Dr. Low found"));
    assert!(five.content.contains("No language model was asked."));
    let mut brief = to_do("Propose eight ideas.", &[]);
    brief.task = "Think about lights.".to_owned();
    brief.history = vec![workflow::EarlierMessage {
        speaker: "user".to_owned(),
        text: "Lighthouses guide the herring fleet home.".to_owned(),
    }];
    assert!(ideas(brief).await.content.contains("herring"));
}

#[tokio::test]
async fn its_critic_names_a_weakness_of_each_idea_and_its_maker_chooses() {
    let (five, made) = five().await;
    let second = "Criticise the five ideas.";
    let report = critique(to_do(second, std::slice::from_ref(&made))).await;
    for title in titles(&five.ideas) {
        assert!(report.content.contains(title) && report.summary.contains(title));
    }
    assert!(report.content.contains("It leaves out this part"));
    let third = "Choose the two best ideas and improve them by the critique.";
    let so_far = [made, done(second, &report.summary)];
    let two = ideas(to_do(third, &so_far)).await;
    assert_eq!(two.ideas.len(), 2);
    for title in titles(&two.ideas) {
        assert!(titles(&five.ideas).contains(&title));
    }
}

#[tokio::test]
async fn its_last_step_is_a_report_on_one_idea() {
    let mut so_far: Vec<DoneStep> = Vec::new();
    let steps = plan(to_plan(PROSE)).await.steps;
    let mut last = None;
    for step in steps {
        let agent = step.sub_task_agent.parse().unwrap();
        let brief = Brief {
            step: Some(step.clone()),
            done: so_far.clone(),
            ..brief(PROSE)
        };
        let content = ask(agent, brief).await.content;
        assert!(content.summary().chars().count() <= 2_000);
        so_far.push(done(&step.sub_task, &content.summary()));
        last = Some(content);
    }
    let Some(Content::Ideas(last)) = last else {
        panic!("no ideas at the end: {last:?}")
    };
    assert_eq!(last.ideas.len(), 1);
    let Idea { title, description } = &last.ideas[0];
    assert!(last.content.starts_with(&format!("# {title}\n")));
    assert!(last.content.contains(description));
    assert!(last.content.contains("## What the steps before found"));
    assert!(so_far[4].summary.contains(title), "the one that was chosen");
}

#[tokio::test]
async fn its_maker_follows_what_the_user_chooses() {
    let (five, made) = five().await;
    let write = "Write a title and a report on the chosen idea.";
    let third = &five.ideas[2];
    let by_text = format!("Take this one: {} — {}", third.title, third.description);
    for remark in [third.title.as_str(), &by_text] {
        let brief = Brief {
            remarks: vec![remark.to_owned()],
            ..to_do(write, std::slice::from_ref(&made))
        };
        let chosen = ideas(brief).await;
        assert_eq!(titles(&chosen.ideas), [third.title.as_str()], "{remark}");
        assert!(chosen.content.contains(remark), "{remark}");
    }
}

#[tokio::test]
async fn its_maker_takes_up_an_idea_of_the_users_own() {
    let (_, made) = five().await;
    let own = "Paint every lighthouse — in green";
    let brief = Brief {
        remarks: vec![own.to_owned()],
        ..to_do("Write a title and a report on the chosen idea.", &[made])
    };
    let chosen = ideas(brief).await;
    assert_eq!(
        titles(&chosen.ideas),
        ["Paint every lighthouse, in green"],
        "a title has no dash of the list's"
    );
    assert!(chosen.content.contains(own));
    let write_again = Brief {
        remarks: vec!["Shorter, please".to_owned()],
        ..to_do(
            "Write a title and a report on the chosen idea.",
            &[done("Choose the better idea.", &chosen.summary)],
        )
    };
    let again = ideas(write_again).await;
    assert_eq!(again.ideas, chosen.ideas, "nothing was left to choose");
}

#[tokio::test]
async fn its_maker_heeds_why_a_step_is_to_be_done_again() {
    let brief = Brief {
        remarks: vec!["More about ships, please".to_owned()],
        ..to_do("Propose two ideas.", &[])
    };
    let redone = ideas(brief).await;
    assert!(redone.ideas[0].description.contains("Ships must be able"));
    assert!(redone.content.contains("- More about ships, please"));
}

#[tokio::test]
async fn its_critic_criticises_what_there_is() {
    let nothing = critique(to_do("Criticise it.", &[])).await;
    assert!(nothing.content.contains("- The task as it stands — "));
    assert!(nothing.summary.starts_with("Their weaknesses:"));
}
