//! Invalid and oversized values: answers of another kind, plans that are too long or too large,
//! texts that are too long for an entry or a frame.

use serde_json::{Value, json};
use session::{EventBody, FRAME_BYTES, Mode, Next, Progress, RunFailure, RunStatus};
use workflow::{
    AgentRequest, AnswerContent, CostCaps, MAX_CALLS, MAX_MESSAGE_BYTES, Outcome, RunHistory, Work,
};

use crate::{script, world::World};

type Asked<'a> = &'a dyn Fn(&AgentRequest) -> Outcome;

/// A worker's turn up to the progress, with any answer of the agent.
fn turn(world: &World, answer: impl FnOnce(&AgentRequest) -> Outcome) -> Progress {
    let memory = world.memory();
    match world.work(&memory).unwrap() {
        Work::Commit(progress) => *progress,
        Work::Ask(request) => world.advance(&memory, &answer(&request)).unwrap(),
        work => panic!("an agent is asked: {work:?}"),
    }
}

fn failure(progress: &Progress) -> &RunFailure {
    match &progress.next {
        Next::Fail(failure) => failure,
        next => panic!("it should have failed: {next:?}"),
    }
}

fn with(
    request: &AgentRequest,
    steps: usize,
    change: impl FnOnce(&mut workflow::AgentAnswer),
) -> Outcome {
    let Outcome::Answer(mut answer) = script::good(request, steps) else {
        panic!("a good outcome is an answer");
    };
    change(&mut answer);
    Outcome::Answer(answer)
}

#[test]
fn an_unusable_answer_is_billed_and_fails_its_stage() {
    let mut world = World::new(Mode::PlanningControl, &json!({"maxPlanSteps": 2}));
    world.take_lease().unwrap();
    let large = |request: &AgentRequest| {
        with(request, 2, |answer| {
            let mut plan = script::plan(2);
            plan[0].bullet_points = vec!["a long remark".repeat(1_000); 10];
            answer.content = AnswerContent::Plan(plan);
        })
    };
    let answers: [(Asked, &str); 4] = [
        (
            &|request| script::good(request, 3),
            "The plan has 3 steps instead of 1 to 2.",
        ),
        (
            &|request| script::good(request, 0),
            "The plan has 0 steps instead of 1 to 2.",
        ),
        (&large, "The plan has 130180 bytes; at most 65536 fit."),
        (
            &|_| script::approval(),
            "The agent gave an answer of another kind than was asked for.",
        ),
    ];
    for (answer, problem) in answers {
        let progress = turn(&world, answer);
        assert_eq!(failure(&progress).error, problem);
        assert!(matches!(progress.work[..], [EventBody::CostUpdate { .. }]));
        assert!((progress.cost_usd - 0.25).abs() < 1e-9);
    }
}

#[test]
fn a_stage_has_ten_provider_calls_over_all_its_tries() {
    let mut world = World::new(Mode::OneShot, &json!({"maxAttempts": 10}));
    let mut earlier = Vec::new();
    for calls in [4, 3, 3] {
        let (epoch, _) = world.take_lease().unwrap();
        let progress = turn(&world, |request| {
            earlier.push(request.earlier_calls);
            let Outcome::Failure(mut failed) = script::transient() else {
                panic!("a provider that fails");
            };
            failed.calls = calls;
            failed.retryable = request.earlier_calls + calls < MAX_CALLS;
            Outcome::Failure(failed)
        });
        world
            .commit(world.run().id, epoch, progress, false)
            .unwrap();
    }
    assert_eq!(earlier, [0, 4, 7]);
    assert_eq!(world.run().status, RunStatus::Failed);
}

#[test]
fn a_limit_of_the_deployment_ends_a_run_that_no_answer_can_raise() {
    let per_run = |usd| CostCaps {
        per_run: Some(usd),
        today: None,
    };
    let today = |usd| CostCaps {
        per_run: Some(9.0),
        today: Some(usd),
    };
    for (mode, caps, code) in [
        // The first answer costs a quarter of a dollar; this mode could ask a person.
        (Mode::PlanningControl, per_run(0.25), "budget_exceeded"),
        (Mode::PlanningControl, today(0.25), "budget_spent"),
        // A day that was spent by other runs before this one began.
        (Mode::OneShot, today(-0.5), "budget_spent"),
    ] {
        let mut world = World::new(mode, &json!({"maxCostUsd": 7}));
        world.settings.caps = caps;
        let (epoch, _) = world.take_lease().unwrap();
        let mut calls = 0;
        let failed = loop {
            let progress = turn(&world, |request| {
                calls += 1;
                assert!(request.max_cost_usd.unwrap() <= 0.25, "{request:?}");
                script::good(request, 2)
            });
            if matches!(progress.next, Next::Fail(_)) {
                break failure(&progress).clone();
            }
            let run = world.run().id;
            world.commit(run, epoch, progress, false).unwrap();
        };
        assert_eq!(failed.code, code);
        assert_eq!(calls, usize::from(mode == Mode::PlanningControl), "{code}");
    }
}

#[test]
fn a_clients_own_budget_can_only_be_lower_than_the_deployments() {
    for (own, most) in [(0.1, 0.1), (7.0, 0.5)] {
        let mut world = World::new(Mode::OneShot, &json!({"maxCostUsd": own}));
        world.settings.caps.per_run = Some(0.5);
        world.take_lease().unwrap();
        let Some(Work::Ask(request)) = world.work(&world.memory()) else {
            panic!("the researcher is asked");
        };
        assert_eq!(request.max_cost_usd, Some(most));
    }
}

#[test]
fn a_too_long_message_is_cut_between_characters() {
    let mut world = World::new(Mode::OneShot, &Value::Null);
    world.take_lease().unwrap();
    let progress = turn(&world, |request| {
        with(request, 0, |answer| {
            answer.message = format!("a{}", "é".repeat(MAX_MESSAGE_BYTES))
        })
    });
    let EventBody::AgentMessage { message, .. } = &progress.work[0] else {
        panic!("the message comes first");
    };
    assert_eq!(message.len(), MAX_MESSAGE_BYTES - 1);
}

#[test]
fn every_result_fits_a_frame_and_every_entry_has_under_32_events() {
    let config = json!({"maxPlanSteps": 50, "maxAttempts": 10});
    let mut world = World::new(Mode::PlanningControl, &config);
    let (epoch, _) = world.take_lease().unwrap();
    while world.run().status == RunStatus::Running {
        let progress = turn(&world, |request| {
            with(request, 50, |answer| {
                answer.message = "𒀀".repeat(MAX_MESSAGE_BYTES / 4);
                answer.summary = "𒀀".repeat(2_000);
                answer.usages = vec![answer.usages[0].clone(); 10];
            })
        });
        let told = world
            .commit(world.run().id, epoch, progress, false)
            .unwrap();
        assert!(told.len() <= 32);
        for envelope in &told {
            assert!(serde_json::to_string(envelope).unwrap().len() <= FRAME_BYTES);
        }
    }
    assert_eq!(world.run().status, RunStatus::Completed);
}

#[test]
fn a_worker_can_add_a_long_task_and_earlier_messages() {
    let mut world = World::new(Mode::OneShot, &Value::Null);
    world.take_lease().unwrap();
    let mut memory: RunHistory = world.memory();
    memory.complete_task("the whole of it".into());
    let said = world.log.iter().filter_map(session::Envelope::as_message);
    memory.add_earlier(said.collect::<Vec<_>>().into_iter());
    let Some(Work::Ask(request)) = world.work(&memory) else {
        panic!("the researcher is asked");
    };
    assert_eq!(request.brief.task, "the whole of it");
    assert_eq!(memory.seen(), world.state.last_seq);
    let before = memory.clone();
    memory.apply(&world.log);
    assert_eq!(memory, before, "each event must be folded in once");
}

#[test]
fn each_agent_receives_only_what_it_needs() {
    let config = json!({"planInstructions": "be brief", "reviewerModel": "x", "planReviewerModel": "strict"});
    let mut world = World::new(Mode::PlanningControl, &config);
    let (epoch, _) = world.take_lease().unwrap();
    let mut told = Vec::new();
    while world.run().status == RunStatus::Running {
        let progress = turn(&world, |request| {
            told.push(request.clone());
            with(request, 2, |answer| {
                if request.agent == "plan_reviewer" {
                    answer.message = "1. Name the sources.\n2. Be exact.".into();
                }
            })
        });
        world
            .commit(world.run().id, epoch, progress, false)
            .unwrap();
    }
    let [plan, review, revise, first, second] = &told[..] else {
        panic!("five requests");
    };
    assert!(plan.brief.plan.is_empty() && plan.brief.remarks.is_empty());
    assert_eq!(plan.brief.instructions, "be brief");
    assert_eq!(
        (review.model.as_deref(), plan.model.as_deref()),
        (Some("strict"), None)
    );
    assert_eq!(review.brief.plan, script::plan(2));
    assert_eq!(revise.brief.plan, script::plan(2));
    assert_eq!(revise.brief.remarks, ["Name the sources.", "Be exact."]);
    assert_eq!(first.brief.step, Some(script::plan(2)[0].clone()));
    assert!(first.brief.done.is_empty() && first.brief.instructions.is_empty());
    assert_eq!(
        (second.agent.as_str(), second.node.as_str()),
        ("engineer", "step_2")
    );
    assert_eq!(second.brief.done[0].summary, "what came of step_1");
    assert_eq!(second.brief.plan, script::plan(2));
}
