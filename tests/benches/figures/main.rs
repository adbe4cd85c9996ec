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
mod function;
mod lists;
mod planned_load;
mod planned_run;
mod price;
mod print;
mod reading;
mod round_trips;
mod runtime_api;
mod sizes;
mod spy;
mod stand_in;
mod warm;
mod world;

use std::error::Error;
use std::process::ExitCode;

use function::Binaries;
use world::World;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// The servers for the functions run on their own threads, so that they do not delay the
/// measurements.
#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    match measure().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("\nNot everything could be measured: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The argument that measures planned sessions alone.
const PLANNED: &str = "planned";

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
