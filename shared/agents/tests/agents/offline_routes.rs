//! The offline engine as a copilot's control, and as an agent that is told what the user says about
//! its step.

use agents::{Agent, Content, RouteAnswer, TaskAgent};
use session::{PlanStep, RouteKind};
use workflow::Brief;

use crate::offline::{LISTED, PROSE, ask, brief};

async fn route(brief: Brief) -> RouteAnswer {
    match ask(Agent::CopilotControl, brief).await.content {
        Content::Route(route) => route,
        other => panic!("no route: {other:?}"),
    }
}

#[tokio::test]
async fn it_chooses_a_way_by_what_the_task_says() {
    use RouteKind::{Clarify, OneShot, Planned, Propose};
    use TaskAgent::{Engineer, Researcher};
    for (task, way, agent) in [
        ("How do tides work?", OneShot, Researcher),
        ("潮汐はなぜ起こるのか。", OneShot, Researcher),
        ("Откуда приливы?", OneShot, Researcher),
        (PROSE, OneShot, Researcher),
        (
            "Write a program that prints tide heights.",
            OneShot,
            Engineer,
        ),
        (LISTED, Planned, Engineer),
        (
            "Explain the tides. Compare spring and neap tides.",
            OneShot,
            Researcher,
        ),
        ("Do it for me", Clarify, Researcher),
        ("Help!", Clarify, Researcher),
        ("?", Clarify, Researcher),
        (
            "Repair the harbour wall, but show me a proposal.",
            Propose,
            Researcher,
        ),
        (
            "Compute tide tables. Make a proposal first.",
            Propose,
            Engineer,
        ),
    ] {
        let route = route(brief(task)).await;
        assert_eq!((route.route, route.agent), (way, agent), "{task}");
    }
}

#[tokio::test]
async fn it_asks_nothing_where_it_may_not() {
    for (task, way) in [
        ("Help!", RouteKind::OneShot),
        ("Propose a repair of the harbour wall.", RouteKind::OneShot),
        (
            "Propose:\n- a repair of the wall\n- a date for it",
            RouteKind::Planned,
        ),
    ] {
        let brief = Brief {
            may_ask: false,
            ..brief(task)
        };
        assert_eq!(route(brief).await.route, way, "{task}");
    }
}

#[tokio::test]
async fn its_question_and_its_proposal_name_what_they_are_about() {
    let question = route(brief("Do it for me")).await.message;
    assert!(question.contains("“Do it for me”") && question.ends_with('?'));
    let task = format!("{LISTED}\n\nMake a proposal first.");
    let proposal = route(brief(&task)).await.message;
    assert!(proposal.contains("\n- Compare spring tides and neap tides."));
}

#[tokio::test]
async fn its_workers_heed_what_the_user_says_about_their_step() {
    let step = PlanStep {
        sub_task: "Describe the wall".to_owned(),
        sub_task_agent: "researcher".to_owned(),
        bullet_points: vec![],
    };
    for agent in [Agent::Researcher, Agent::Engineer, Agent::IdeaHater] {
        let brief = Brief {
            step: Some(step.clone()),
            remarks: vec!["Say more about ships".to_owned()],
            ..brief(PROSE)
        };
        let told = ask(agent, brief.clone()).await.content.message();
        assert!(told.contains("Say more about ships"), "{agent}: {told}");
        let untold = Brief {
            remarks: vec![],
            ..brief
        };
        let untold = ask(agent, untold).await.content.message();
        assert!(!untold.contains("the user says"), "{agent}: {untold}");
    }
}
