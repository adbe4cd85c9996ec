//! The number of requests per step of a run: the real executor in this process with an observed
//! DynamoDB client.
//!
//! A step is one commit and one push. The agents are the offline engine with some latency, so that
//! a step's push ends before the next step commits, as with any model.

use std::time::Duration;

use agents::ModelConfig;
use executor::Deadline;
use lambda_kit::{QueueMessage, now};
use session::{Mode, OwnerId, SessionStatus};
use session_manager::Actor;

use crate::Result;
use crate::print;
use crate::spy::{Request, Seen};
use crate::worker::executor;
use crate::world::{LEASE, World};

const LATENCY: Duration = Duration::from_millis(100);
const ALL_BAR: f64 = 2.0;
const CRITICAL_BAR: f64 = 1.0;

pub async fn print(world: &World) -> Result<()> {
    let owner = OwnerId::of("figures", "round trips");
    let state = world.queued(&owner, Mode::PlanningControl, "{}").await?;
    let models = ModelConfig {
        offline_latency: LATENCY,
        ..ModelConfig::default()
    };
    let executor = executor(&world.sessions, models).await?;
    let wake = state.wake(now()).ok_or("the run wakes nobody")?;
    world.spy.take();
    executor
        .handle(Ok(QueueMessage::Wake(wake)), Deadline::after(LEASE))
        .await?;
    let seen = world.spy.take();
    let state = world
        .sessions
        .state(state.session_id, &Actor::System)
        .await?;
    if state.status != SessionStatus::Completed {
        return Err(format!("the executor left its session {}", state.status).into());
    }
    print_steps(&seen);
    Ok(())
}

fn print_steps(seen: &Seen) {
    let is_commit =
        |request: &Request| matches!(request, Request::Put(_) | Request::Transaction(_));
    let count = |is_meant: &dyn Fn(&Request) -> bool| {
        seen.requests
            .iter()
            .filter(|request| is_meant(request))
            .count()
    };
    let reads = count(&|request| *request == Request::Other);
    // The first commit takes the lease and the first push announces it. Both belong to the start of
    // the slice.
    let steps = count(&is_commit).saturating_sub(1);
    let pushes = count(&|request| *request == Request::Followers).saturating_sub(1);
    // Requests that the SDK repeated.
    let again = seen.sent.saturating_sub(seen.requests.len());
    let a_step = |requests: usize| requests as f64 / steps.max(1) as f64;
    let (all, critical) = (a_step(steps + pushes + again), a_step(steps + again));
    let mut table = print::Table::new("DynamoDB round trips of the executor", &["requests", "bar"]);
    table.row(
        &format!("a step, average of {steps}"),
        [format!("{all:.2}"), print::at_most(all, ALL_BAR)],
    );
    table.row(
        "of these on the critical path",
        [
            format!("{critical:.2}"),
            print::at_most(critical, CRITICAL_BAR),
        ],
    );
    table.row(
        "the start of a slice: reads, lease, push",
        [(reads + 2).to_string(), String::new()],
    );
    table.row(
        &format!("read units of the whole run, {steps} commits in one slice"),
        [format!("{:.1}", seen.read), String::new()],
    );
    table.print();
    print::remark(
        "Not on the critical path: who follows the session, asked by the push that runs beside the next step.",
    );
}
