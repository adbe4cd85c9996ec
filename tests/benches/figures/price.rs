//! What a planned session costs, part by part, in us-east-1 and without any free tier: the table of
//! infra/OPERATIONS.md.

use crate::print;

/// US dollars: a gigabyte-second and a request of Lambda on arm64, a write and a read unit, a
/// WebSocket message and minute, a request of SQS, a gigabyte of logs.
const GB_SECOND: f64 = 0.000_013_333_4;
const REQUEST: f64 = 0.2e-6;
const WRITE_UNIT: f64 = 0.625e-6;
const READ_UNIT: f64 = 0.125e-6;
const SOCKET_MESSAGE: f64 = 1e-6;
const SOCKET_MINUTE: f64 = 0.25e-6;
const QUEUE_REQUEST: f64 = 0.4e-6;
const LOGS_GB: f64 = 0.5;

/// The executor's memory in MB.
const MEMORIES: [f64; 2] = [128.0, 256.0];

/// Not measured here. Reads: some 20 requests of mostly one unit, and 10 for a second slice.
const READ_UNITS: f64 = 30.0;
/// Authorizer, connect, one frame, disconnect: 50 ms each, at 256 MB.
const OTHER_FUNCTIONS: f64 = 4.0;
const OTHER_SECONDS: f64 = 0.05;
const OTHER_GB: f64 = 0.25;
/// The frame that starts the session, and the minutes of its connection.
const FRAMES: f64 = 1.0;
const MINUTES: f64 = 3.0;
/// Messages of a session: one for each slice.
const MESSAGES: f64 = 2.0;
/// Metrics included.
const LOG_GB: f64 = 20e-6;

/// The most that a session may cost: alone, and as one of a hundred.
const BARS: [(usize, f64); 2] = [(1, 0.0005), (100, 0.0003)];

/// The figures of a session, as one of several at once.
pub struct Session {
    pub at_once: usize,
    pub batch_size: usize,
    /// The write units.
    pub units: usize,
    /// Its share of the invocations and of their seconds.
    pub invocations: f64,
    pub billed: f64,
    /// Events that its client was sent.
    pub pushes: f64,
}

impl Session {
    fn executor(&self, megabytes: f64) -> f64 {
        self.billed * megabytes / 1024.0 * GB_SECOND + self.invocations * REQUEST
    }

    fn writes(&self) -> f64 {
        self.units as f64 * WRITE_UNIT
    }

    fn socket(&self) -> f64 {
        (self.pushes + FRAMES) * SOCKET_MESSAGE + MINUTES * SOCKET_MINUTE
    }

    /// A message is sent by itself, and received and deleted with its batch.
    fn queue(&self) -> f64 {
        (MESSAGES + 2.0 * self.invocations) * QUEUE_REQUEST
    }

    fn all(&self, megabytes: f64) -> f64 {
        let others = OTHER_FUNCTIONS * (OTHER_SECONDS * OTHER_GB * GB_SECOND + REQUEST);
        let rest = READ_UNITS * READ_UNIT + others + LOG_GB * LOGS_GB;
        self.writes() + self.executor(megabytes) + self.socket() + self.queue() + rest
    }
}

pub fn print(sessions: &[Session]) {
    let [small, large] = MEMORIES;
    let mut table = print::Table::new(
        "US dollars of a planned session, answers of 10 s",
        &[
            "writes",
            "pushes",
            "executor, 128 MB",
            "256 MB",
            "all, 128 MB",
            "256 MB",
            "bar",
        ],
    );
    let usd = |usd: f64| format!("{usd:.6}");
    for session in sessions {
        // Batches of one are the reference.
        let bar = BARS
            .iter()
            .find(|(at_once, _)| *at_once == session.at_once && session.batch_size > 1);
        let cells = [
            usd(session.writes()),
            usd(session.socket()),
            usd(session.executor(small)),
            usd(session.executor(large)),
            usd(session.all(small)),
            usd(session.all(large)),
            bar.map_or_else(String::new, |(_, bar)| {
                print::at_most(session.all(small), *bar)
            }),
        ];
        let label = format!(
            "{} at once, batches of {}",
            session.at_once, session.batch_size
        );
        table.row(&label, cells);
    }
    table.print();
    if let Some(session) = sessions.first() {
        print::remark(&format!(
            "{} write units, {:.0} events to one client. Model not included.",
            session.units, session.pushes
        ));
    }
}
