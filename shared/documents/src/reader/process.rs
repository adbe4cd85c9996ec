//! The parent's side of a child: starts it without this process's environment, reads its lines, and
//! determines the cause of an early end.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{ChildStdout, Command};

use super::protocol::{FLAG, Job, ReaderReply, Request};
use super::{DocumentError, Limits, PageError};

/// The maximum length of a line. A page's text has at most 1 MiB, and JSON escapes some bytes as
/// six.
const MAX_LINE_BYTES: u64 = 8 << 20;
/// The number of bytes of standard error that are kept to determine the cause.
const MAX_LAST_WORDS: u64 = 4 << 10;

/// How much longer than its limit a child may take on a machine that is busy with other work.
const PATIENCE: u32 = 3;
/// The kernel counts processor time in hundredths of a second (proc(5), `USER_HZ`).
const TICK: Duration = Duration::from_millis(10);
/// The least time to wait for more of it.
const LEAST_WAIT: Duration = Duration::from_millis(50);

/// How long a process may take to exit after its last line.
const LAST_MOMENT: Duration = Duration::from_secs(5);

/// The messages of Rust, C++ and the dynamic loader when no memory is left.
const NO_MEMORY: [&str; 3] = ["memory allocation of", "bad_alloc", "failed to map segment"];

// Signal numbers on Linux.
const SIGKILL: i32 = 9;
const SIGXCPU: i32 = 24;

/// A running child. Dropping the value ends it.
#[derive(Debug)]
pub(super) struct Child {
    process: tokio::process::Child,
    output: BufReader<ChildStdout>,
    /// The time that its lines took, without the time in which other processes ran instead.
    spent: Duration,
}

/// Why no line came.
#[derive(Debug)]
pub(crate) enum Death {
    /// The parent's time limit passed.
    Time,
    /// It reached its limit of processor time.
    Processor,
    /// It exceeded its memory limit.
    Memory,
    /// The document crashed it, by too deep nesting or a defect of the reader.
    Document,
    /// The document is not the cause.
    Reader(DocumentError),
}

impl Child {
    /// Starts a reader.
    pub fn start(program: &Path, limits: Limits, job: Job) -> Result<Self, DocumentError> {
        let mut command = command(program, limits, job)?;
        command.stdin(Stdio::null());
        let mut process = command.spawn().map_err(DocumentError::reader)?;
        let output = process.stdout.take();
        let output = output.ok_or_else(|| DocumentError::reader("a child without output"))?;
        Ok(Self {
            process,
            output: BufReader::new(output),
            spent: Duration::ZERO,
        })
    }

    /// The time that its lines took.
    pub fn spent(&self) -> Duration {
        self.spent
    }

    /// The next line of the child, within `time` of its processor. On a busy machine that takes
    /// longer by the clock.
    pub async fn line(&mut self, time: Duration) -> Result<ReaderReply, Death> {
        let (began, process) = (Instant::now(), self.process.id());
        let before = process.and_then(processor_time);
        let spent = || match (before, process.and_then(processor_time)) {
            (Some(before), Some(now)) => now.saturating_sub(before),
            // Without a count, or after its end, the clock counts.
            _ => began.elapsed(),
        };
        let line = {
            let mut line = std::pin::pin!(self.next_line());
            let mut wait = time;
            loop {
                match tokio::time::timeout(wait, &mut line).await {
                    Ok(line) => break Some(line),
                    Err(_) if began.elapsed() >= time * PATIENCE => break None,
                    Err(_) => match time.checked_sub(spent()) {
                        Some(left) if !left.is_zero() => wait = left.max(LEAST_WAIT),
                        _ => break None,
                    },
                }
            }
        };
        self.spent += spent().min(began.elapsed());
        match line {
            Some(Ok(Some(line))) => Ok(line),
            Some(Ok(None)) => Err(self.cause_of_death().await),
            Some(Err(error)) => Err(Death::Reader(DocumentError::reader(error))),
            None => Err(Death::Time),
        }
    }

    /// The bytes after a line.
    pub fn output(&mut self) -> &mut BufReader<ChildStdout> {
        &mut self.output
    }

    async fn next_line(&mut self) -> io::Result<Option<ReaderReply>> {
        let mut line = Vec::new();
        let mut output = (&mut self.output).take(MAX_LINE_BYTES);
        output.read_until(b'\n', &mut line).await?;
        // A line without a line break is incomplete: the child died while writing it.
        if line.last() != Some(&b'\n') {
            return match line.len() as u64 {
                MAX_LINE_BYTES => Err(io::Error::other("a line is too long")),
                _ => Ok(None),
            };
        }
        Ok(Some(serde_json::from_slice(&line)?))
    }

    /// Waits for the exit, which is near because the output is closed.
    async fn cause_of_death(&mut self) -> Death {
        match tokio::time::timeout(LAST_MOMENT, self.end()).await {
            Ok(Ok((status, last_words))) => Death::of(status, &last_words),
            Ok(Err(error)) => Death::Reader(DocumentError::reader(error)),
            // A reader never closes its output before it exits.
            Err(_) => Death::Document,
        }
    }

    async fn end(&mut self) -> io::Result<(ExitStatus, String)> {
        let mut last_words = Vec::new();
        if let Some(errors) = self.process.stderr.take() {
            let mut errors = errors.take(MAX_LAST_WORDS);
            errors.read_to_end(&mut last_words).await?;
        }
        let status = self.process.wait().await?;
        Ok((status, String::from_utf8_lossy(&last_words).into_owned()))
    }
}

/// The processor time of a process until now; none where the system does not tell it.
fn processor_time(process: u32) -> Option<Duration> {
    let told = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name before may contain spaces. Fields 14 and 15 count from the first one.
    let (_, fields) = told.rsplit_once(')')?;
    let ticks = fields.split_ascii_whitespace().skip(11).take(2);
    let ticks = ticks.map(|ticks| ticks.parse::<u32>().ok());
    Some(TICK * ticks.sum::<Option<u32>>()?)
}

/// The command for a child. It passes no environment, because that may contain secrets.
pub(super) fn command(program: &Path, limits: Limits, job: Job) -> Result<Command, DocumentError> {
    let request = serde_json::to_string(&Request { limits, job }).map_err(DocumentError::reader)?;
    let mut command = Command::new(program);
    command.arg(FLAG).arg(request).env_clear();
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.kill_on_drop(true);
    Ok(command)
}

impl Death {
    /// Derives the cause from the exit status and the text on standard error.
    pub fn of(status: ExitStatus, last_words: &str) -> Self {
        match status.signal() {
            Some(SIGXCPU) => Self::Processor,
            // The kernel killed it for lack of memory; this process had not.
            Some(SIGKILL) => Self::Memory,
            _ if NO_MEMORY.iter().any(|words| last_words.contains(words)) => Self::Memory,
            Some(_) => Self::Document,
            None => Self::Reader(DocumentError::reader(format!("the child ended: {status}"))),
        }
    }

    /// The error for a document that was being opened.
    pub fn of_document(self, limits: &Limits) -> DocumentError {
        match self {
            Self::Time | Self::Processor => DocumentError::TookTooLong {
                limit: limits.page_time,
            },
            Self::Memory => DocumentError::TooMuchMemory {
                limit: limits.memory,
            },
            Self::Document => DocumentError::Broken,
            Self::Reader(error) => error,
        }
    }

    /// The error for the page that was being read.
    ///
    /// # Errors
    /// [`DocumentError::Reader`] if the page is not the cause.
    pub fn of_page(self, limits: &Limits) -> Result<PageError, DocumentError> {
        match self {
            Self::Time | Self::Processor => Ok(PageError::TookTooLong {
                limit: limits.page_time,
            }),
            Self::Memory => Ok(PageError::TooMuchMemory {
                limit: limits.memory,
            }),
            Self::Document => Ok(PageError::Broken),
            Self::Reader(error) => Err(error),
        }
    }
}
