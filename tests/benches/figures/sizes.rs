//! The size of each function's binary.

use crate::Result;
use crate::function::Binaries;
use crate::print;

/// The limit in megabytes for a function that answers HTTP, built without LTO.
const BAR: f64 = 17.0;

pub fn print(binaries: &Binaries) -> Result<()> {
    let mut table = print::Table::new("Size of a function's binary", &["MB", "bar"]);
    for name in &binaries.names {
        let megabytes = std::fs::metadata(binaries.path(name)?)?.len() as f64 / 1e6;
        let bar = match binaries.is_http(name)? {
            true => print::at_most(megabytes, BAR),
            false => String::new(),
        };
        table.row(name, [format!("{megabytes:.1}"), bar]);
    }
    table.print();
    Ok(())
}
