//! The overhead of a handler besides its DynamoDB calls, and the memory of a function.
//!
//! DynamoDB is a stand-in with constant answers. A handler's time runs from sending the event to
//! receiving the whole answer, so it includes the runtime's own work and two hops over the loopback
//! interface. The time of the same read by `SessionManager` alone is subtracted. That read uses a
//! client on a single thread, like a function's, and alternates with the handler.

use std::time::{Duration, Instant};

use aws_sdk_dynamodb::Client;
use session::{Mode, OwnerId, Rules, Seq, SessionId};
use session_manager::{Actor, Filter, SessionManager};

use crate::Result;
use crate::commits;
use crate::function::{Binaries, Function, sample};
use crate::print::{self, median, milliseconds};
use crate::stand_in::StandIn;
use crate::world::World;

const REQUESTS: usize = 1_000;
const MILLISECONDS_BAR: f64 = 0.5;
const MEGABYTES_BAR: f64 = 48.0;
/// The number of events of the session.
const EVENTS: u64 = 40;

/// The functions that only read.
const READERS: [(&str, Read); 4] = [
    ("get-session", Read::Session),
    ("get-history", Read::History),
    ("list-events", Read::Events),
    ("list-sessions", Read::List),
];

/// A function's request to `SessionManager`.
#[derive(Clone, Copy)]
enum Read {
    Session,
    History,
    Events,
    List,
}

/// `SessionManager` without a function.
#[derive(Clone)]
struct Reader {
    sessions: SessionManager,
    owner: OwnerId,
    session: SessionId,
}

/// A reader on a thread of its own.
struct Alone {
    asked: std::sync::mpsc::Sender<Read>,
    took: tokio::sync::mpsc::UnboundedReceiver<Result<Duration>>,
}

#[derive(Default)]
struct Times {
    whole: Vec<Duration>,
    table: Vec<Duration>,
    above_table: Vec<Duration>,
    direct: Vec<Duration>,
    calls: usize,
}

pub async fn print(world: &World, binaries: &Binaries) -> Result<()> {
    let endpoint = std::env::var("AWS_ENDPOINT_URL_DYNAMODB")
        .map_err(|_| "AWS_ENDPOINT_URL_DYNAMODB is not set")?;
    let stand_in = StandIn::start(&endpoint).await?;
    let reader = reader(world, &stand_in).await?;
    let mut alone = Alone::start(reader.clone())?;
    let mut rows = Vec::new();
    for (name, read) in READERS {
        let mut function =
            Function::start(&binaries.path(name)?, world, &stand_in.endpoint).await?;
        let times = measure(
            &mut function,
            &event(name, reader.session)?,
            &mut alone,
            read,
            &stand_in,
        )
        .await?;
        rows.push((name, times, function.peak_memory()?));
    }
    let mut handlers = print::Table::new(
        "Warm handler, p50 of 1,000 requests, ms",
        &[
            "whole",
            "less DynamoDB",
            "the call alone",
            "above it",
            "bar",
            "DynamoDB",
            "calls",
        ],
    );
    let mut memory = print::Table::new("Peak memory after 1,000 requests", &["MB", "bar"]);
    for (name, times, peak) in rows {
        let whole = median(times.whole);
        let direct = median(times.direct);
        let above = (whole.as_secs_f64() - direct.as_secs_f64()) * 1e3;
        let cells = [
            milliseconds(whole),
            milliseconds(median(times.above_table)),
            milliseconds(direct),
            format!("{above:.2}"),
            print::at_most(above, MILLISECONDS_BAR),
            milliseconds(median(times.table)),
            times.calls.to_string(),
        ];
        handlers.row(name, cells);
        memory.row(
            name,
            [format!("{peak:.1}"), print::at_most(peak, MEGABYTES_BAR)],
        );
    }
    handlers.print();
    print::remark("The call alone: the same read by SessionManager, without a function around it.");
    print::remark("DynamoDB: a stand-in with constant answers; calls side by side count once.");
    memory.print();
    Ok(())
}

async fn measure(
    function: &mut Function,
    event: &str,
    alone: &mut Alone,
    read: Read,
    stand_in: &StandIn,
) -> Result<Times> {
    let mut times = Times::default();
    // The first requests fill the stand-in and open connections.
    expect_success(&function.invoke(event).await?.body)?;
    alone.read(read).await?;
    for _ in 1..REQUESTS {
        stand_in.take_busy();
        let answer = function.invoke(event).await?;
        let whole = answer.arrived.duration_since(answer.sent);
        let (calls, table) = stand_in.take_busy();
        times.direct.push(alone.read(read).await?);
        times.whole.push(whole);
        times.table.push(table);
        times.above_table.push(whole.saturating_sub(table));
        times.calls = calls;
    }
    Ok(times)
}

impl Alone {
    fn start(reader: Reader) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (asked, asks) = std::sync::mpsc::channel();
        let (tell, took) = tokio::sync::mpsc::unbounded_channel();
        std::thread::spawn(move || {
            for read in asks {
                let started = Instant::now();
                let came = runtime.block_on(reader.read(read));
                // Fails only if the measurement has ended.
                let _ = tell.send(came.map(|()| started.elapsed()));
            }
        });
        Ok(Self { asked, took })
    }

    /// The duration of a read.
    async fn read(&mut self, read: Read) -> Result<Duration> {
        self.asked.send(read)?;
        self.took.recv().await.ok_or("the reader has ended")?
    }
}

impl Reader {
    /// The read of the function with this name, with the limits of its sample event.
    async fn read(&self, read: Read) -> Result<()> {
        let actor = Actor::Client(self.owner.clone());
        match read {
            Read::Session => drop(self.sessions.session(self.session, &actor).await?),
            Read::History => drop(
                self.sessions
                    .history(self.session, &actor, 50, None)
                    .await?,
            ),
            Read::Events => drop(
                self.sessions
                    .events(self.session, &actor, Seq(12), 100)
                    .await?,
            ),
            Read::List => {
                let filter = Filter {
                    status: Some(session::SessionStatus::Active),
                    mode: Some(Mode::Copilot),
                };
                drop(self.sessions.list(&self.owner, filter, 20, None).await?);
            }
        }
        Ok(())
    }
}

/// The owner in the sample events, with a session that has events, and further sessions to list.
async fn reader(world: &World, stand_in: &StandIn) -> Result<Reader> {
    let claims = sample("get-session")?["requestContext"]["authorizer"]["jwt"]["claims"].take();
    let owner = OwnerId::of(
        claims["iss"].as_str().unwrap_or_default(),
        claims["sub"].as_str().unwrap_or_default(),
    );
    for _ in 0..20 {
        world.queued(&owner, Mode::Copilot, "{}").await?;
    }
    let session = commits::session_with(world, &owner, EVENTS)
        .await?
        .session_id;
    let aws = aws_config::from_env().load().await;
    let client = aws_sdk_dynamodb::config::Builder::from(&aws).endpoint_url(&stand_in.endpoint);
    Ok(Reader {
        sessions: SessionManager::new(
            Client::from_conf(client.build()),
            &world.table,
            Rules::default(),
        ),
        owner,
        session,
    })
}

/// A function's sample event, for this session.
fn event(name: &str, session: SessionId) -> Result<String> {
    let event = sample(name)?;
    let text = event.to_string();
    Ok(match event["pathParameters"]["session_id"].as_str() {
        Some(old) => text.replace(old, &session.to_string()),
        None => text,
    })
}

fn expect_success(body: &[u8]) -> Result<()> {
    let answer: serde_json::Value = serde_json::from_slice(body)?;
    match answer["statusCode"].as_u64() {
        Some(200) => Ok(()),
        _ => Err(format!("the function answered {answer}").into()),
    }
}
