//! The figures of the README with their limits: the cost of storage, the overhead of a function,
//! and the cost of reading a document.
//!
//! `make bench` builds everything in one profile, starts DynamoDB Local with the template's table,
//! and runs this program. A figure above its limit is printed as such. Only a failed measurement
//! makes the exit code 1.
#![allow(clippy::print_stdout, reason = "the figures are its output")]

mod aws;
mod billing;
mod cold_start;
mod commits;
mod empty_steps;
mod function;
mod instant_model;
mod lists;
mod planned_load;
mod planned_run;
mod price;
mod print;
mod reading;
mod round_trips;
mod runtime_api;
mod server;
mod sizes;
mod spy;
mod stand_in;
mod stopwatch;
mod warm;
mod worker;
mod world;

use std::error::Error;
use std::process::ExitCode;

use function::Binaries;
use tokio::runtime::Builder;
use world::World;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// The argument that measures empty steps alone, for the comparison with other systems.
const EMPTY_STEPS: &str = "empty-steps";
/// The argument that measures planned sessions alone.
const PLANNED: &str = "planned";

fn main() -> ExitCode {
    let result = match std::env::args().any(|argument| argument == EMPTY_STEPS) {
        // One thread, like a worker.
        true => on(&mut Builder::new_current_thread(), empty_steps::print()),
        // The servers for the functions run on their own threads, so that they do not delay the
        // measurements.
        false => on(Builder::new_multi_thread().worker_threads(2), measure()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("\nNot everything could be measured: {error}");
            ExitCode::FAILURE
        }
    }
}

fn on(builder: &mut Builder, measurement: impl Future<Output = Result<()>>) -> Result<()> {
    builder.enable_all().build()?.block_on(measurement)
}

async fn measure() -> Result<()> {
    let world = World::new().await?;
    let binaries = Binaries::find()?;
    println!("Storage: DynamoDB Local; functions: {}", binaries.build());
    let plain = commits::print(&world).await?;
    let units = planned_run::print(&world, plain).await?;
    planned_load::print(&world, &binaries, units).await?;
    if std::env::args().any(|argument| argument == PLANNED) {
        return Ok(());
    }
    round_trips::print(&world).await?;
    lists::print(&world).await?;
    sizes::print(&binaries)?;
    cold_start::print(&world, &binaries).await?;
    warm::print(&world, &binaries).await?;
    reading::print(&binaries).await?;
    match binaries.missing.as_slice() {
        [] => Ok(()),
        missing => Err(format!("not built: {}", missing.join(", ")).into()),
    }
}
