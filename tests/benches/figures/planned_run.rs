//! The cost of the steps of planned runs, compared with LangGraph's `DynamoDBSaver`, and of a whole
//! session from its creation.
//!
//! The engine is the real one. Its agents return scripted answers of 500 bytes. A plan has at most
//! 50 steps, so 200 steps are four consecutive tasks of one session, whose history grows like that
//! of one long run.

use session::{Command, Mode, OwnerId, PlanStep, SessionId, SessionStatus, Stage, State};
use uuid::Uuid;
use workflow::{
    AgentAnswer, AgentRequest, AnswerContent, Engine, Outcome, RunHistory, RunSettings, Usage,
    Work, agent,
};

use crate::Result;
use crate::billing::Units;
use crate::print;
use crate::world::{Cost, LEASE, World, new_run, run_of};

const MODEL: &str = "offline/extract-1";
const STEPS_OF_A_PLAN: usize = 50;
const TASKS: usize = 4;
const SHOWN_STEPS: [usize; 3] = [1, 10, 50];
const CHANGED_PHASE_BAR: f64 = 16.0;

/// `DynamoDBSaver` of langgraph-checkpoint-aws 1.2.6 with all answers in the state, measured by
/// `make bench PEERS=1`: the number of steps, and the average write units per step.
const LANGGRAPH: [(usize, f64); 4] = [(10, 8.8), (50, 18.6), (100, 30.8), (200, 55.2)];
/// The limit is a fifth of LangGraph's cost at 100 steps.
const COMPARED_AT: usize = 100;
const SHARE_BAR: f64 = 0.2;

/// The length of the session whose price is computed in infra/OPERATIONS.md, and the number of
/// commits after which its second slice begins: the lease, the plan, the review and three steps.
pub const STEPS_OF_THE_PRICED: usize = 10;
const COMMITS_OF_A_SLICE: usize = 6;

/// The deletes of a connection's two items.
const ENDED_CONNECTION: usize = 2;

/// A worker's commit.
pub struct Commit {
    /// Whether it contains the result of a step.
    pub is_step: bool,
    events_before: u64,
    pub cost: Cost,
}

/// Prints the costs; `plain` are the units of a commit without a change of phase, at any length of
/// the history. Returns the units of the whole session.
pub async fn print(world: &World, plain: usize) -> Result<usize> {
    let steps = steps(world).await?;
    let mut table = print::Table::new(
        "Write units of a step of a planned run, phase changed",
        &[
            "entry, bytes",
            "AWS: table",
            "indexes",
            "all",
            "DynamoDB Local",
            "bar",
        ],
    );
    for number in SHOWN_STEPS {
        let Commit {
            events_before,
            cost,
            ..
        } = steps.get(number - 1).ok_or("the plan was shorter")?;
        let bar = print::at_most(cost.aws.total() as f64, CHANGED_PHASE_BAR);
        let label = format!("step {number}, {events_before} events before");
        table.row(&label, cost.cells().into_iter().chain([bar]));
    }
    table.print();
    let mut table = print::Table::new(
        "Write units a step, beside LangGraph's DynamoDBSaver",
        &[
            "LangGraph",
            "without a change of phase",
            "share",
            "planned run",
            "share",
        ],
    );
    for (number, langgraph) in LANGGRAPH {
        let so_far = steps.get(..number).ok_or("there were fewer steps")?;
        let sum: usize = so_far.iter().map(|step| step.cost.aws.total()).sum();
        let (plain, planned) = (plain as f64, sum as f64 / number as f64);
        let share = |units: f64| match number {
            COMPARED_AT => format!(
                "{:.2}, {}",
                units / langgraph,
                print::at_most(units / langgraph, SHARE_BAR)
            ),
            _ => format!("{:.2}", units / langgraph),
        };
        let units = |units: f64| format!("{units:.1}");
        table.row(
            &format!("{number} steps"),
            [
                units(langgraph),
                units(plain),
                share(plain),
                units(planned),
                share(planned),
            ],
        );
    }
    table.print();
    print::remark(
        "LangGraph makes 6 calls a step. A planned run is an average, and its phase changes at each step.",
    );
    print_session(world).await
}

/// A whole session with one planned run and one review, in two slices, followed by one connection.
async fn print_session(world: &World) -> Result<usize> {
    let (settings, config) = planned_settings(STEPS_OF_THE_PRICED)?;
    let owner = OwnerId::of("figures", "a priced session");
    let id = SessionId::new(Uuid::now_v7());
    let creation = world.create(id, &owner, Mode::PlanningControl, &config);
    let (state, creation) = world.cost(id, creation).await?;
    let (_, follower) = world.cost(id, world.follower(&state)).await?;
    let mut commits = Vec::new();
    let slice = Some(COMMITS_OF_A_SLICE);
    work_off(world, &settings, state, slice, &mut commits).await?;
    let sum = |is_step: bool| {
        let meant = commits.iter().filter(|commit| commit.is_step == is_step);
        meant.fold(Units::default(), |mut sum, commit| {
            sum += commit.cost.aws;
            sum
        })
    };
    let (steps, others) = (sum(true).total(), sum(false).total());
    let mut table = print::Table::new(
        "Write units of a session with a planned run of ten steps",
        &["units"],
    );
    table.row(
        "the creation, with its run",
        [creation.aws.total().to_string()],
    );
    let connection = follower.aws.total() + ENDED_CONNECTION;
    table.row("its connection", [connection.to_string()]);
    table.row("two leases, plan, review, end", [others.to_string()]);
    table.row("ten steps", [steps.to_string()]);
    let all = creation.aws.total() + connection + others + steps;
    table.row("the session", [all.to_string()]);
    table.print();
    Ok(all)
}

/// Settings of a planned run, and the configuration that has them.
pub fn planned_settings(steps: usize) -> Result<(RunSettings, String)> {
    let config = serde_json::json!({"maxPlanSteps": steps});
    let settings = RunSettings::parse(Mode::PlanningControl, &config)?;
    Ok((settings, config.to_string()))
}

async fn steps(world: &World) -> Result<Vec<Commit>> {
    let owner = OwnerId::of("figures", "planned runs");
    let (settings, config) = planned_settings(STEPS_OF_A_PLAN)?;
    let mut state = world.queued(&owner, Mode::PlanningControl, &config).await?;
    let mut commits = Vec::new();
    for task in 0..TASKS {
        if task > 0 {
            let run = new_run();
            let started = world
                .sessions
                .start_run(state, &run, None, None, lambda_kit::now());
            state = started.await?.state;
        }
        state = work_off(world, &settings, state, None, &mut commits).await?;
    }
    commits.retain(|commit| commit.is_step);
    Ok(commits)
}

/// Executes a run from its beginning to its end, as a worker does. The first slice ends after
/// `slice` commits.
pub async fn work_off(
    world: &World,
    settings: &RunSettings,
    mut state: State,
    slice: Option<usize>,
    commits: &mut Vec<Commit>,
) -> Result<State> {
    let from = run_of(&state)?.history_from;
    let mut memory = RunHistory::of(
        &world
            .sessions
            .record(state.session_id, from, state.last_seq)
            .await?,
    );
    let mut command = lease(&state, settings, &memory)?;
    loop {
        let (session, events_before) = (state.session_id, state.last_seq.0);
        let is_step = matches!(&command, Command::Commit { progress, .. } if progress.at.stage == Stage::Step);
        let change = async {
            Ok(world
                .sessions
                .commit_on(state, &command, lambda_kit::now())
                .await?)
        };
        let (committed, cost) = world.cost(session, change).await?;
        commits.push(Commit {
            is_step,
            events_before,
            cost,
        });
        memory.apply(&committed.envelopes);
        state = committed.state;
        if matches!(command, Command::YieldLease { .. }) {
            command = lease(&state, settings, &memory)?;
            continue;
        }
        if slice == Some(commits.len()) {
            let (run, epoch) = (run_of(&state)?.id, state.lease.epoch);
            command = Command::YieldLease { run, epoch };
            continue;
        }
        let Some(engine) = Engine::on(&state, settings, &memory) else {
            break;
        };
        let progress = match engine.work(lambda_kit::now()) {
            Work::Commit(progress) => *progress,
            Work::Ask(request) => engine.advance(&answer(&request, settings), lambda_kit::now()),
            Work::AskPerson(_) | Work::DocumentTask(_) => {
                return Err("the planned run needs nobody but agents".into());
            }
        };
        command = Command::Commit {
            run: run_of(&state)?.id,
            epoch: state.lease.epoch,
            progress,
            yield_lease: false,
        };
    }
    match state.status {
        SessionStatus::Completed => Ok(state),
        other => Err(format!("the planned run ended as {other}").into()),
    }
}

fn lease(state: &State, settings: &RunSettings, memory: &RunHistory) -> Result<Command> {
    let run = run_of(state)?;
    let engine = Engine::on(state, settings, memory).ok_or("nothing to open")?;
    Ok(Command::TakeLease {
        run: run.id,
        until: lambda_kit::now().plus(LEASE),
        at: run.position,
        opening: engine.open(MODEL),
    })
}

/// An answer of 500 bytes. A plan has the maximum number of steps.
fn answer(request: &AgentRequest, settings: &RunSettings) -> Outcome {
    let content = match request.agent.as_str() {
        agent::PLANNER => AnswerContent::Plan((1..=settings.max_plan_steps).map(planned).collect()),
        agent::PLAN_REVIEWER => AnswerContent::Review(Vec::new()),
        _ => AnswerContent::Report,
    };
    Outcome::Answer(AgentAnswer {
        content,
        message: "x".repeat(500),
        summary: "The sea rises twice a day, and the moon is the reason.".into(),
        artifact: None,
        usages: vec![Usage {
            model: MODEL.into(),
            input_tokens: 500,
            output_tokens: 120,
            cost_usd: Some(0.0125),
            estimated: false,
        }],
    })
}

fn planned(number: u32) -> PlanStep {
    PlanStep {
        sub_task: format!("Look into part {number} of the task"),
        sub_task_agent: agent::RESEARCHER.into(),
        bullet_points: vec!["name the sources".into()],
    }
}
