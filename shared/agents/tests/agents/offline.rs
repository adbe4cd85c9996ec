//! The offline engine: that it really works with the text it is given, and stays within the forms
//! of the answers.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use agents::{
    Agent, Agents, Content, ModelAnswer, ModelConfig, OFFLINE_MODEL, Program, Report, recent,
};
use session::PlanStep;
use workflow::{AgentRequest, Brief, DoneStep, EarlierMessage};

use crate::asking::request;
use crate::offline_plans::plan;

pub const LISTED: &str =
    "Write a short guide to tides for sailors. Sailors need to know when harbours can be entered.

- Explain how the moon and the sun cause tides.
- Compare spring tides and neap tides.
- Write a program that prints a table of tide heights.

Currents near headlands run faster than the tidal stream offshore and surprise many crews.";

pub const PROSE: &str = "The old harbour wall leaks. Engineers measured the leak in March, and Dr. Low found that the wall \
moves by 3 mm with each spring tide. Repairs of the wall cost less in summer than in winter. The harbour office wants \
to know which repair method lasts longest. Ships must be able to enter the harbour during the repair.";

pub fn brief(task: &str) -> Brief {
    Brief {
        task: task.to_owned(),
        ..Brief::default()
    }
}

/// A request with one attempt, for a model that the engine does not have.
pub fn once(agent: Agent, brief: Brief) -> AgentRequest {
    AgentRequest {
        model: Some("gpt-5".to_owned()),
        max_attempts: 1,
        ..request(agent, brief)
    }
}

pub async fn ask(agent: Agent, brief: Brief) -> ModelAnswer {
    let agents = Agents::new(ModelConfig::default()).unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    agents.call(&once(agent, brief), deadline).await.unwrap()
}

async fn report(brief: Brief) -> Report {
    match ask(Agent::Researcher, brief).await.content {
        Content::Report(report) => report,
        other => panic!("no report: {other:?}"),
    }
}

async fn program(brief: Brief) -> Program {
    match ask(Agent::Engineer, brief).await.content {
        Content::Program(program) => program,
        other => panic!("no program: {other:?}"),
    }
}

#[tokio::test]
async fn it_says_what_it_is_and_costs_nothing() {
    let answer = ask(Agent::Researcher, brief(PROSE)).await;
    assert_eq!(answer.model, OFFLINE_MODEL, "whatever model was asked for");
    let usage = &answer.usages[0];
    assert_eq!(
        (usage.model.as_str(), usage.cost_usd),
        (OFFLINE_MODEL, Some(0.0))
    );
    assert!(usage.input_tokens > 0 && usage.output_tokens > 0);
    assert!(
        answer
            .content
            .message()
            .contains("No language model was asked.")
    );
}

#[tokio::test]
async fn it_gives_the_same_answer_twice() {
    for agent in Agent::ALL {
        let first = ask(agent, brief(LISTED)).await;
        assert_eq!(first, ask(agent, brief(LISTED)).await);
    }
}

#[tokio::test(start_paused = true)]
async fn it_waits_for_the_latency_it_is_given() {
    let latency = Duration::from_millis(1500);
    let agents = Agents::new(ModelConfig {
        offline_latency: latency,
        ..ModelConfig::default()
    })
    .unwrap();
    let start = tokio::time::Instant::now();
    let call = request(Agent::Researcher, brief(PROSE));
    agents
        .call(&call, Instant::now() + Duration::from_secs(60))
        .await
        .unwrap();
    assert!(start.elapsed() >= latency);
}

#[tokio::test]
async fn its_report_quotes_what_belongs_to_the_step_and_what_was_found_before() {
    let step = PlanStep {
        sub_task: "Find out which repair lasts longest".to_owned(),
        sub_task_agent: "researcher".to_owned(),
        bullet_points: vec![],
    };
    let done = vec![DoneStep {
        sub_task: "Measure".to_owned(),
        summary: "3 mm".to_owned(),
    }];
    let report = report(Brief {
        step: Some(step),
        done,
        ..brief(PROSE)
    })
    .await;
    assert!(
        report
            .content
            .starts_with("# Find out which repair lasts longest")
    );
    assert!(
        report
            .content
            .contains("- Ships must be able to enter the harbour during the repair.")
    );
    assert!(
        !report.content.contains("The old harbour wall leaks"),
        "it has nothing to do with the step"
    );
    assert!(report.content.contains("- **Measure** 3 mm"));
    assert!(report.content.contains("repair method lasts longest"));
    assert!(report.summary.contains("repair"));
}

#[tokio::test]
async fn it_quotes_word_for_word_also_from_a_text_without_spaces() {
    for (text, last) in [
        (PROSE, "during the repair."),
        (
            "潮は一日に二度満ちる。月が海を引く。太陽も引く。",
            "太陽も引く。",
        ),
    ] {
        let content = report(brief(text)).await.content;
        let (_, quotes) = content.split_once("## What the text says").unwrap();
        let quotes: Vec<&str> = quotes
            .lines()
            .filter_map(|l| l.strip_prefix("- "))
            .collect();
        assert!(
            quotes.iter().all(|quote| text.contains(quote)),
            "{quotes:?}"
        );
        let steps = plan(brief(text)).await.steps;
        assert!(steps[2].sub_task.ends_with(last), "{steps:?}");
    }
}

#[tokio::test]
async fn its_program_is_python_that_runs_whatever_the_task_holds() {
    let nasty = "Count words. \"\"\" + __import__('os').abort() \\ \u{2028} {{terms}} [\"{{terms}}\"] \"{{text}}\" 'é' 潮汐\u{0}\r\n";
    for task in [LISTED, nasty] {
        let program = program(brief(task)).await;
        let output = Command::new("python3").args(["-c", &program.code]).output();
        let output = output.expect("python3, which the local stack needs too");
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(printed.contains("words, "), "{printed}");
        assert!(program.filename.ends_with(".py"));
    }
}

#[tokio::test]
async fn every_agent_answers_every_text_in_its_form() {
    let long = "Tides rise and fall. ".repeat(3000);
    let one_line = "x".repeat(64 * 1024);
    let texts = [
        "?",
        "…",
        "潮汐はなぜ起こるのか。月の引力による。",
        "#\n-\n1. ",
        "- a\n- b",
        "# Tides",
        "# One\n# Two",
        &long,
        &one_line,
    ];
    for text in texts {
        for agent in Agent::ALL {
            let draft = plan(brief(text)).await.steps;
            let to_revise = Brief {
                plan: draft.clone(),
                remarks: vec!["More".to_owned()],
                ..brief(text)
            };
            assert_eq!(ask(agent, to_revise).await.attempts, 1);
            let to_do = Brief {
                step: draft.first().cloned(),
                plan: draft,
                remarks: vec![text.to_owned()],
                ..brief(text)
            };
            assert_eq!(ask(agent, to_do).await.attempts, 1);
        }
    }
}

#[tokio::test]
async fn idea_makers_and_critics_read_whatever_stands_in_instructions_and_summaries() {
    let texts = [
        "",
        "- — \n1. —",
        "The ideas that stand:",
        "The ideas that stand:\n1. — —\n2. tide — \n3. a — tide",
        "Their weaknesses:\n1. tide — It leaves out this part of the task: ",
    ];
    for text in texts {
        let to_plan = Brief {
            instructions: text.to_owned(),
            team: ["idea_hater", "idea_maker"].map(str::to_owned).to_vec(),
            ..brief(LISTED)
        };
        let step = plan(to_plan.clone()).await.steps.swap_remove(0);
        let done = DoneStep {
            sub_task: text.to_owned(),
            summary: text.to_owned(),
        };
        for agent in [Agent::IdeaMaker, Agent::IdeaHater] {
            let to_do = Brief {
                step: Some(step.clone()),
                done: vec![done.clone(); 12],
                remarks: vec![text.to_owned()],
                ..to_plan.clone()
            };
            assert_eq!(ask(agent, to_do).await.attempts, 1, "{agent}: {text}");
        }
    }
}

#[test]
fn recent_turns_fit_their_budget_and_stand_in_order() {
    let turn = |text: &str| EarlierMessage {
        speaker: "user".to_owned(),
        text: text.to_owned(),
    };
    let long = "long ".repeat(100);
    let said = [turn("newest"), turn("older"), turn(&long), turn("old")];
    let cut = turn("long long…");
    for (budget, expected) in [
        (1_000, vec![&said[3], &said[2], &said[1], &said[0]]),
        (7, vec![&cut, &said[1], &said[0]]),
        (4, vec![&said[1], &said[0]]),
        (0, vec![]),
    ] {
        let turns = recent(said.clone(), budget);
        assert_eq!(turns.iter().collect::<Vec<_>>(), expected, "{budget}");
    }
}

#[test]
fn an_answer_above_the_whole_budget_is_remembered_by_its_beginning() {
    let answer = EarlierMessage {
        speaker: "researcher".to_owned(),
        text: format!("a{}", "é".repeat(8_000)),
    };
    let turns = recent([answer], 4_000);
    assert_eq!(turns.len(), 1);
    assert_eq!(turns[0].speaker, "researcher");
    assert!(turns[0].text.ends_with("é…"));
    assert!((15_990..=16_000).contains(&turns[0].text.len()));
}
