//! The time from the start of a function's process to its first request for an event, compared with
//! an empty function.

use std::time::Duration;

use crate::Result;
use crate::function::{Binaries, EMPTY, Function};
use crate::print::{self, median, milliseconds};
use crate::world::World;

const ROUNDS: usize = 21;
/// The limit, relative to the empty function.
const BAR: f64 = 1.5;

pub async fn print(world: &World, binaries: &Binaries) -> Result<()> {
    let mut names = vec![EMPTY];
    for name in &binaries.names {
        if binaries.is_http(name)? {
            names.push(name);
        }
    }
    let mut times = vec![Vec::new(); names.len()];
    // The functions alternate, so that other load affects all of them equally.
    for _ in 0..ROUNDS {
        for (name, times) in names.iter().zip(&mut times) {
            times.push(cold_start(world, binaries, name).await?);
        }
    }
    let medians: Vec<_> = times.into_iter().map(median).collect();
    let empty = medians.first().copied().unwrap_or_default();
    let mut table = print::Table::new("Cold start of an HTTP function", &["ms", "× empty", "bar"]);
    for (name, time) in names.iter().zip(medians) {
        let times = time.as_secs_f64() / empty.as_secs_f64();
        let bar = match *name {
            EMPTY => String::new(),
            _ => print::at_most(times, BAR),
        };
        table.row(name, [milliseconds(time), format!("{times:.2}"), bar]);
    }
    table.print();
    print::remark(&format!(
        "Process start to the first `next`, median of {ROUNDS}, in turn. Empty: lambda_http with a DynamoDB client."
    ));
    Ok(())
}

async fn cold_start(world: &World, binaries: &Binaries, name: &str) -> Result<Duration> {
    let function = Function::start(&binaries.path(name)?, world, "http://127.0.0.1:9").await?;
    Ok(function.cold_start)
}
