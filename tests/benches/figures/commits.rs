//! The cost of a commit, which must not grow with the history.

use session::{
    Command, EventBody, Mode, Next, NodeStatus, OwnerId, Phase, Position, Progress, Role, Run,
    Stage, StageStart, State,
};

use crate::Result;
use crate::print;
use crate::world::{Cost, LEASE, World, run_of};

const HISTORIES: [u64; 3] = [10, 1_000, 10_000];
const STEPS: u32 = 9;
const SAME_PHASE_BAR: usize = 4;
const CHANGED_PHASE_BAR: usize = 16;

/// A worker's commit: one message of 500 bytes and three further events.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    SamePhase,
    ChangedPhase,
}

/// A session with a leased run and at least this many events.
pub async fn session_with(world: &World, owner: &OwnerId, events: u64) -> Result<State> {
    let state = world.queued(owner, Mode::PlanningControl, "{}").await?;
    let command = take_lease(&state)?;
    let state = commit(world, state, command).await?;
    grow(world, state, events).await
}

async fn grow(world: &World, mut state: State, events: u64) -> Result<State> {
    while state.last_seq.0 < events {
        let command = step(&state, Kind::SamePhase)?;
        state = commit(world, state, command).await?;
    }
    Ok(state)
}

/// Prints the costs and returns that of a commit without a change of phase.
pub async fn print(world: &World) -> Result<usize> {
    let costs = measure(world).await?;
    let mut table = print::Table::new(
        "Write units of a commit: a message of 500 bytes, three events",
        &[
            "entry, bytes",
            "AWS: table",
            "indexes",
            "all",
            "DynamoDB Local",
            "bar",
        ],
    );
    for (kind, name, bar) in [
        (Kind::SamePhase, "without a change of phase", SAME_PHASE_BAR),
        (
            Kind::ChangedPhase,
            "with a change of phase",
            CHANGED_PHASE_BAR,
        ),
    ] {
        let costs: Vec<_> = costs.iter().filter(|(_, of, _)| *of == kind).collect();
        for (history, _, cost) in &costs {
            let is_same = costs.iter().all(|(_, _, other)| other.aws == cost.aws);
            let is_reached = cost.aws.total() <= bar && is_same;
            let bar = print::bar(is_reached, &format!("≤ {bar}, the same"));
            let label = format!("{name}, {history} events before");
            table.row(&label, cost.cells().into_iter().chain([bar]));
        }
    }
    table.print();
    let plain = costs.iter().find(|(_, kind, _)| *kind == Kind::SamePhase);
    Ok(plain.map(|(.., cost)| cost.aws.total()).unwrap_or_default())
}

async fn measure(world: &World) -> Result<Vec<(u64, Kind, Cost)>> {
    let mut state = session_with(world, &OwnerId::of("figures", "commits"), 0).await?;
    let mut costs = Vec::new();
    for history in HISTORIES {
        state = grow(world, state, history).await?;
        for kind in [Kind::SamePhase, Kind::ChangedPhase] {
            let (session, command) = (state.session_id, step(&state, kind)?);
            let change = commit(world, state, command);
            let (after, cost) = world.cost(session, change).await?;
            state = after;
            costs.push((history, kind, cost));
        }
    }
    Ok(costs)
}

async fn commit(world: &World, state: State, command: Command) -> Result<State> {
    let committed = world.sessions.commit_on(state, &command, lambda_kit::now());
    Ok(committed.await?.state)
}

fn position(step: u32) -> Position {
    Position {
        stage: Stage::Step,
        step,
        steps: STEPS,
        round: 0,
        tries: 0,
        calls: 0,
        begun: true,
    }
}

fn begin(step: u32, events: Vec<EventBody>) -> StageStart {
    StageStart {
        position: position(step),
        phase: Phase::Control,
        step: Some(step),
        events,
        history_from: None,
    }
}

fn take_lease(state: &State) -> Result<Command> {
    let run = run_of(state)?;
    Ok(Command::TakeLease {
        run: run.id,
        until: lambda_kit::now().plus(LEASE),
        at: run.position,
        opening: begin(1, vec![phase(1)]),
    })
}

const fn phase(step: u32) -> EventBody {
    EventBody::PhaseChange {
        phase: Phase::Control,
        step_number: Some(step),
    }
}

/// The commit of a worker at a step: four events, with or without the start of the next step.
fn step(state: &State, kind: Kind) -> Result<Command> {
    let run = run_of(state)?;
    let at = run.position;
    let (next, work, begun) = match kind {
        Kind::SamePhase => {
            let done = node(at, NodeStatus::Running, NodeStatus::Completed);
            (at.step, vec![said(), paid(run), done, output()], Vec::new())
        }
        Kind::ChangedPhase => {
            let next = at.step % STEPS + 1;
            let running = node(position(next), NodeStatus::Pending, NodeStatus::Running);
            let begun = vec![phase(next), running];
            (next, vec![said(), step_complete(at)], begun)
        }
    };
    Ok(Command::Commit {
        run: run.id,
        epoch: state.lease.epoch,
        progress: Progress {
            at,
            work,
            cost_usd: 0.0,
            tokens: 0,
            next: Next::Advance(begin(next, begun)),
        },
        yield_lease: false,
    })
}

fn said() -> EventBody {
    EventBody::AgentMessage {
        agent: "researcher".into(),
        role: Role::Assistant,
        message: "x".repeat(500),
        artifact: None,
        structured_output: None,
    }
}

fn paid(run: &Run) -> EventBody {
    EventBody::CostUpdate {
        run_id: run.id,
        agent: "researcher".into(),
        step_id: Some(run.position.node()),
        model: "offline/extract-1".into(),
        tokens: 620,
        input_tokens: 500,
        output_tokens: 120,
        cost: Some(0.0125).into(),
        total_cost_usd: 0.25,
        estimated: false,
    }
}

fn output() -> EventBody {
    EventBody::Output {
        message: "The sources agree about the moon. Two of them differ about the sun; the newer one is followed.".into(),
    }
}

fn step_complete(at: Position) -> EventBody {
    EventBody::StepComplete {
        step_number: at.step,
        goal: "Look into one part of the task".into(),
        summary: "The sea rises twice a day, and the moon is the reason.".into(),
        execution_time: 12.5,
    }
}

fn node(at: Position, old_status: NodeStatus, new_status: NodeStatus) -> EventBody {
    EventBody::DagNodeStatusChanged {
        node_id: at.node(),
        old_status,
        new_status,
    }
}
