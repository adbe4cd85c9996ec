//! A child, seen from its parent: started without our environment, heard line by line, and, when it ends without having
//! said what it should, asked what it died of.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{ChildStdout, Command};

use super::protocol::{FLAG, Job, Line, Request};
use super::{DocumentError, Limits, PageError};

/// A page's text has 1 MiB at most, and JSON makes six bytes of some.
const MAX_LINE_BYTES: u64 = 8 << 20;
/// As much of the last words as tells a cause of death.
const MAX_LAST_WORDS: u64 = 4 << 10;

/// How long a process may take to end once it has said all.
const LAST_MOMENT: Duration = Duration::from_secs(5);

/// How Rust, C++ and the loader of programs say that there is no memory left.
const NO_MEMORY: [&str; 3] = ["memory allocation of", "bad_alloc", "failed to map segment"];

// Signals, by their numbers on Linux.
const SIGKILL: i32 = 9;
const SIGXCPU: i32 = 24;

/// A child that is at work. It ends with this value.
#[derive(Debug)]
pub(super) struct Child {
    process: tokio::process::Child,
    output: BufReader<ChildStdout>,
}

/// Why no line came.
#[derive(Debug)]
pub(crate) enum Death {
    /// We have waited long enough.
    Time,
    /// It has had of the processor what it may have.
    Processor,
    /// It asked for more than it may have.
    Memory,
    /// It fell over the document: too deeply nested, or a defect of the reader.
    Document,
    /// Nothing that the document can be blamed for.
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
        })
    }

    /// What the child says next, within `time`.
    pub async fn line(&mut self, time: Duration) -> Result<Line, Death> {
        match tokio::time::timeout(time, self.next_line()).await {
            Ok(Ok(Some(line))) => Ok(line),
            Ok(Ok(None)) => Err(self.cause_of_death().await),
            Ok(Err(error)) => Err(Death::Reader(DocumentError::reader(error))),
            Err(_) => Err(Death::Time),
        }
    }

    /// What stands behind a line.
    pub fn output(&mut self) -> &mut BufReader<ChildStdout> {
        &mut self.output
    }

    async fn next_line(&mut self) -> io::Result<Option<Line>> {
        let mut line = Vec::new();
        let mut output = (&mut self.output).take(MAX_LINE_BYTES);
        output.read_until(b'\n', &mut line).await?;
        // A line without its end is all that a child could say before it died.
        if line.last() != Some(&b'\n') {
            return match line.len() as u64 {
                MAX_LINE_BYTES => Err(io::Error::other("a line is too long")),
                _ => Ok(None),
            };
        }
        Ok(Some(serde_json::from_slice(&line)?))
    }

    /// Waits for the end, which has come: the output is closed.
    async fn cause_of_death(&mut self) -> Death {
        match tokio::time::timeout(LAST_MOMENT, self.end()).await {
            Ok(Ok((status, last_words))) => Death::of(status, &last_words),
            Ok(Err(error)) => Death::Reader(DocumentError::reader(error)),
            // No reader of ours closes its output and lives on.
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

/// A child that is to be started: it gets nothing of our environment, in which secrets may stand.
pub(super) fn command(program: &Path, limits: Limits, job: Job) -> Result<Command, DocumentError> {
    let request = serde_json::to_string(&Request { limits, job }).map_err(DocumentError::reader)?;
    let mut command = Command::new(program);
    command.arg(FLAG).arg(request).env_clear();
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.kill_on_drop(true);
    Ok(command)
}

impl Death {
    /// From how a process ended, and what it said last.
    pub fn of(status: ExitStatus, last_words: &str) -> Self {
        match status.signal() {
            Some(SIGXCPU) => Self::Processor,
            // By a kernel that has no memory left; we had not ended it.
            Some(SIGKILL) => Self::Memory,
            _ if NO_MEMORY.iter().any(|words| last_words.contains(words)) => Self::Memory,
            Some(_) => Self::Document,
            None => Self::Reader(DocumentError::reader(format!("the child ended: {status}"))),
        }
    }

    /// What it means for a document that was being opened.
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

    /// What it means for the page that was being read.
    ///
    /// # Errors
    /// [`DocumentError::Reader`], where the page can't be blamed.
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
