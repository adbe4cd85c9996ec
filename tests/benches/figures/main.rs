//! The figures of the README, each beside its bar: what the storage costs, what a function costs beside it, and what
//! reading a document takes.
//!
//! `make bench` builds everything in one profile, starts DynamoDB Local with the template's table, and runs this. Nothing
//! here judges: a figure over its bar is printed as such, and only what could not be measured makes the exit code 1.
#![allow(clippy::print_stdout, reason = "the figures are its output")]

mod billing;
mod cold_start;
mod commits;
mod function;
mod lists;
mod planned_run;
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

/// The servers that functions speak to run on threads of their own, so that nothing measured here waits for another.
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

async fn measure() -> Result<()> {
    let world = World::new().await?;
    let binaries = Binaries::find()?;
    println!("Storage: DynamoDB Local; functions: {}", binaries.build());
    let plain = commits::print(&world).await?;
    planned_run::print(&world, plain).await?;
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
