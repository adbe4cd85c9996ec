//! Planned sessions at the same time, by the real worker: the time from a message to its work, and
//! what a session costs.
//!
//! All times of the model and of the timings in infra/template.yaml are a tenth: an answer takes
//! a second instead of ten, a slice ends after 6 seconds instead of 60, and the pollers grow ten
//! times as fast. What the worker needs besides the model is measured as it is and so counts ten
//! times as much as in a deployment.

use std::time::Duration;

use serde_json::json;
use session::{EventBody, Mode, OwnerId, Seq, SessionId, SessionStatus, State, StoredEventBody};
use session_manager::Actor;
use tests::model;
use uuid::Uuid;

use crate::Result;
use crate::aws::{Mapping, Services, Work};
use crate::function::Binaries;
use crate::planned_run::STEPS_OF_THE_PRICED;
use crate::price::{self, Session};
use crate::print::{self, milliseconds, quantile};
use crate::world::{World, new_run};

/// How much shorter the times are.
pub const TENTH: f64 = 10.0;
const ANSWER: Duration = Duration::from_secs(1);
/// `FunctionTimeoutSeconds`.
const TIMEOUT: Duration = Duration::from_secs(18);
/// Lambda adds up to 300 invocations a minute.
const GROWTH: f64 = 300.0 / 60.0 * TENTH;

const AT_ONCE: [usize; 3] = [1, 10, 100];
/// The reference, and the one of infra/template.yaml.
const BATCH_SIZES: [usize; 2] = [1, 10];

/// What sessions at the same time took.
struct Load {
    at_once: usize,
    batch_size: usize,
    /// From the message to the lease of its run.
    waits: Vec<Duration>,
    work: Work,
}

/// Prints times and costs; `units` are the write units of a session.
pub async fn print(world: &World, binaries: &Binaries, units: usize) -> Result<()> {
    model::model();
    let mut loads = Vec::new();
    for at_once in AT_ONCE {
        for batch_size in BATCH_SIZES {
            loads.push(load(world, binaries, at_once, batch_size).await?);
        }
    }
    let mut table = print::Table::new(
        "Planned sessions at once; times of the model a tenth",
        &[
            "invocations",
            "billed, s a session",
            "message to work, p50, ms",
            "p99",
            "computed, ms a session",
            "peak memory, MB",
        ],
    );
    for load in &loads {
        let sessions = load.at_once as f64;
        let cells = [
            load.work.invocations.to_string(),
            format!("{:.2}", load.work.billed.as_secs_f64() / sessions),
            milliseconds(quantile(load.waits.clone(), 0.5)),
            milliseconds(quantile(load.waits.clone(), 0.99)),
            format!("{:.0}", load.work.computed.as_secs_f64() * 1e3 / sessions),
            format!("{:.1}", load.work.peak_memory),
        ];
        table.row(
            &format!("{}, batches of {}", load.at_once, load.batch_size),
            cells,
        );
    }
    table.print();
    let answers = 2 + STEPS_OF_THE_PRICED;
    print::remark(&format!(
        "A session: {answers} answers of {} s, in two slices. Without TLS. Here on two processors.",
        ANSWER.as_secs()
    ));
    let sessions: Vec<Session> = loads.iter().map(|load| load.session(units)).collect();
    price::print(&sessions);
    Ok(())
}

impl Load {
    /// One of the sessions, with the times of a deployment.
    fn session(&self, units: usize) -> Session {
        let sessions = self.at_once as f64;
        Session {
            at_once: self.at_once,
            batch_size: self.batch_size,
            units,
            invocations: self.work.invocations as f64 / sessions,
            billed: self.work.billed.as_secs_f64() * TENTH / sessions,
            pushes: self.work.pushed as f64 / sessions,
        }
    }
}

async fn load(
    world: &World,
    binaries: &Binaries,
    at_once: usize,
    batch_size: usize,
) -> Result<Load> {
    let dynamodb = std::env::var("AWS_ENDPOINT_URL_DYNAMODB")?;
    let model = format!("http://127.0.0.1:{}/v1", model::PORT);
    let services = Services::start().await?;
    let variables = [
        ("QUEUE_URL", services.endpoint.as_str()),
        ("DOCUMENT_QUEUE_URL", services.endpoint.as_str()),
        ("PURGE_QUEUE_URL", services.endpoint.as_str()),
        ("WS_CALLBACK_URL", services.endpoint.as_str()),
        // The SDK sends to the service's endpoint, whatever the queue's URL is.
        ("AWS_ENDPOINT_URL", services.endpoint.as_str()),
        ("MODEL_PROVIDER", "openai"),
        ("MODEL_ID", "scripted"),
        ("OPENAI_BASE_URL", model.as_str()),
        ("OPENAI_API_KEY", "none"),
        ("FUNCTION_TIMEOUT_SECONDS", "18"),
        ("MODEL_TIMEOUT_SECONDS", "9"),
        ("STEP_MARGIN_SECONDS", "3"),
    ];
    let binary = binaries.path("executor")?;
    let mut sessions = Vec::new();
    for _ in 0..at_once {
        let state = session(world).await?;
        world.follower(&state).await?;
        sessions.push(state);
    }
    let sent = lambda_kit::now();
    for state in &sessions {
        let wake = state.wake(sent).ok_or("the run wakes nobody")?;
        services.send(serde_json::to_string(&wake)?);
    }
    let mapping = Mapping {
        binary: &binary,
        dynamodb: &dynamodb,
        variables: &variables,
        timeout: TIMEOUT,
        batch_size,
        growth: GROWTH,
    };
    let work = services.work_off(world, &mapping).await?;
    let mut waits = Vec::new();
    for state in &sessions {
        let id = state.session_id;
        let ended = world.sessions.state(id, &Actor::System).await?;
        if ended.status != SessionStatus::Completed {
            return Err(format!("a session was left {}", ended.status).into());
        }
        let record = world.sessions.record(id, Seq(0), ended.last_seq).await?;
        let started = record.iter().find(|envelope| {
            matches!(
                envelope.body,
                StoredEventBody::Known(EventBody::WorkflowStarted { .. })
            )
        });
        waits.push(started.ok_or("a run did not start")?.timestamp.since(sent));
    }
    Ok(Load {
        at_once,
        batch_size,
        waits,
        work,
    })
}

/// A session whose run waits for a worker.
async fn session(world: &World) -> Result<State> {
    let owner = OwnerId::of("figures", "planned sessions");
    let config = json!({"maxPlanSteps": STEPS_OF_THE_PRICED}).to_string();
    let run = session::NewRun {
        task: format!(
            "Describe the tides. [[steps={STEPS_OF_THE_PRICED}]] [[approve]] [[long=450]] [[slow={}]]",
            ANSWER.as_millis()
        ),
        model: "scripted".into(),
        ..new_run()
    };
    let id = SessionId::new(Uuid::now_v7());
    world
        .create_with(id, &owner, Mode::PlanningControl, &config, run)
        .await
}
