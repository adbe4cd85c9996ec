//! The binaries of the functions, and a running function with a Runtime API of its own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::Result;
use crate::runtime_api::{Answer, RuntimeApi};
use crate::world::World;

/// The time-out of a function that answers requests.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The clock ticks of a second in `/proc` (`sysconf(_SC_CLK_TCK)`, 100 on every Linux).
const TICKS: f64 = 100.0;

/// The baseline of cold starts: `tests/examples/empty.rs`.
pub const EMPTY: &str = "empty";

/// The folder of the functions' binaries, which are built together with this program.
pub struct Binaries {
    folder: PathBuf,
    /// All built functions, in alphabetical order.
    pub names: Vec<String>,
    /// The functions that are not built.
    pub missing: Vec<String>,
}

impl Binaries {
    pub fn find() -> Result<Self> {
        let program = std::env::current_exe()?;
        let folder = program
            .ancestors()
            .nth(2)
            .ok_or("this program stands nowhere")?;
        let mut names = Vec::new();
        for entry in std::fs::read_dir(tests::stack::root().join("functions"))? {
            let entry = entry?;
            if entry.path().join("Cargo.toml").is_file() {
                names.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
        names.sort();
        let (names, missing) = names
            .into_iter()
            .partition(|name| folder.join(name).is_file());
        Ok(Self {
            folder: folder.to_owned(),
            names,
            missing,
        })
    }

    /// The build profile: `debug`, `release`.
    pub fn build(&self) -> String {
        let name = self.folder.file_name().unwrap_or_default();
        format!("{} build", name.to_string_lossy())
    }

    /// The path of a function's binary or of the empty one.
    pub fn path(&self, name: &str) -> Result<PathBuf> {
        let path = match name {
            EMPTY => self.folder.join("examples").join(EMPTY),
            _ => self.folder.join(name),
        };
        match path.is_file() {
            true => Ok(path),
            false => Err(format!("{name} is not built").into()),
        }
    }

    /// Whether the function answers HTTP requests, according to its sample event.
    pub fn is_http(&self, name: &str) -> Result<bool> {
        Ok(sample(name)?.get("rawPath").is_some())
    }
}

/// A function's sample event.
pub fn sample(name: &str) -> Result<Value> {
    let path = tests::stack::root()
        .join("events")
        .join(format!("{name}.json"));
    Ok(serde_json::from_slice(&std::fs::read(path)?)?)
}

/// A running function, which is killed when this value is dropped.
pub struct Function {
    process: Child,
    api: RuntimeApi,
    /// The time from the start of the process to its first request for an event.
    pub cold_start: Duration,
}

impl Function {
    /// Starts a binary and waits until it requests an event.
    pub async fn start(binary: &Path, world: &World, dynamodb: &str) -> Result<Self> {
        Self::start_with(binary, world, dynamodb, TIMEOUT, &[]).await
    }

    /// The same with a time-out and further variables.
    pub async fn start_with(
        binary: &Path,
        world: &World,
        dynamodb: &str,
        timeout: Duration,
        variables: &[(&str, &str)],
    ) -> Result<Self> {
        let api = RuntimeApi::start(timeout).await?;
        let nowhere = "http://127.0.0.1:9";
        let mut command = Command::new(binary);
        command.env_clear().envs([
            ("AWS_LAMBDA_RUNTIME_API", api.address.as_str()),
            ("AWS_LAMBDA_FUNCTION_NAME", "figures"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
            ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "local"),
            ("AWS_SECRET_ACCESS_KEY", "local"),
            ("AWS_ENDPOINT_URL", nowhere),
            ("AWS_ENDPOINT_URL_DYNAMODB", dynamodb),
            ("TABLE_NAME", world.table.as_str()),
            ("QUEUE_URL", nowhere),
            ("DOCUMENT_QUEUE_URL", nowhere),
            ("PURGE_QUEUE_URL", nowhere),
            ("BUCKET_NAME", "none"),
            ("WS_CALLBACK_URL", nowhere),
        ]);
        command.envs(variables.iter().copied());
        let started = Instant::now();
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?;
        let mut function = Self {
            process,
            cold_start: Duration::ZERO,
            api,
        };
        function.cold_start = function.api.first_next().await?.duration_since(started);
        Ok(function)
    }

    /// Sends an event and waits for the answer.
    pub async fn invoke(&mut self, event: &str) -> Result<Answer> {
        self.api.invoke(event).await
    }

    /// The time that it has computed (Linux only).
    pub fn computed(&self) -> Result<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id()))?;
        // Behind the name in parentheses; `utime` and `stime` are the fields 14 and 15.
        let (_, fields) = stat.rsplit_once(')').ok_or("no fields of a process")?;
        let ticks = fields.split_whitespace().skip(11).take(2);
        let ticks: Vec<f64> = ticks
            .map(str::parse)
            .collect::<std::result::Result<_, _>>()?;
        Ok(Duration::from_secs_f64(ticks.iter().sum::<f64>() / TICKS))
    }

    /// The peak resident memory in MB (Linux only).
    pub fn peak_memory(&self) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.split_whitespace().next());
        Ok(kib
            .ok_or("the system does not tell the peak of its memory")?
            .parse::<f64>()?
            * 1024.0
            / 1e6)
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        // Fails only if the process has already exited.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
