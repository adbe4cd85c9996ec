//! The cost of reading a page of a list, with few and with many sessions.
//!
//! The few sessions are created as by a client. The many are copies of such a session's summary
//! under other ids. A page without a status filter merges one query per status, so its cost is
//! highest when each status fills a page.

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, ReturnConsumedCapacity, WriteRequest};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use session::{Mode, OwnerId, SessionId, SessionStatus, Timestamp};
use session_manager::Filter;
use uuid::Uuid;

use crate::Result;
use crate::print;
use crate::spy::{Item, Key, units};
use crate::world::{World, partition};

const PAGE: usize = 50;
const FEW: usize = 100;
const MANY: usize = 100_000;
/// The limit, relative to one page: one query for each of four statuses.
const BAR: f64 = 4.0;

const AT_ONCE: usize = 8;
/// The maximum of one `BatchWriteItem`.
const BATCH: usize = 25;

const MODE: Mode = Mode::PlanningControl;
const ACTIVE: [SessionStatus; 1] = [SessionStatus::Active];

pub async fn print(world: &World) -> Result<()> {
    let owner = |name| OwnerId::of("figures", name);
    let (few, many, mixed) = (owner("few"), owner("many"), owner("mixed"));
    let template = create(world, &few).await?;
    copy(world, &template, &many, &ACTIVE).await?;
    copy(world, &template, &mixed, SessionStatus::ALL).await?;
    let page = page_alone(world, &many).await?;
    let mut table = print::Table::new(
        "Read units of a page of 50 sessions",
        &[
            "among 100",
            "among 100,000",
            "of each status 25,000",
            "× the page itself",
            "bar",
        ],
    );
    for (status, mode, name) in [
        (None, None, "no filter"),
        (Some(SessionStatus::Active), None, "status"),
        (None, Some(MODE), "mode"),
        (Some(SessionStatus::Active), Some(MODE), "status and mode"),
    ] {
        let filter = Filter { status, mode };
        let [few, many, mixed] = [
            read(world, &few, filter).await?,
            read(world, &many, filter).await?,
            read(world, &mixed, filter).await?,
        ];
        let times = many.max(mixed) / page;
        let is_reached = (few - many).abs() < f64::EPSILON && times <= BAR;
        table.row(
            name,
            [
                format!("{few:.1}"),
                format!("{many:.1}"),
                format!("{mixed:.1}"),
                format!("{times:.1}"),
                print::bar(is_reached, &format!("same, ≤ {BAR}")),
            ],
        );
    }
    table.print();
    print::remark(&format!(
        "The page itself: {page:.1}. In the first two columns all sessions are active."
    ));
    Ok(())
}

/// Creates the few sessions and returns the summary of one.
async fn create(world: &World, owner: &OwnerId) -> Result<Item> {
    let one = || async { world.queued(owner, MODE, "{}").await };
    let states: Vec<_> = stream::iter(0..FEW)
        .map(|_| one())
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    let state = states.first().ok_or("no session was created")?;
    let key = Key {
        pk: partition(state.session_id),
        sk: "SUMMARY".into(),
    };
    Ok(world
        .item(&key)
        .await?
        .ok_or("the session has no summary")?)
}

/// Writes the many sessions with alternating statuses.
async fn copy(
    world: &World,
    template: &Item,
    owner: &OwnerId,
    statuses: &[SessionStatus],
) -> Result<()> {
    let numbers: Vec<usize> = (0..MANY).collect();
    stream::iter(numbers.chunks(BATCH))
        .map(|batch| async move {
            let puts = batch.iter().map(|number| {
                let status = statuses[number % statuses.len()];
                let put = PutRequest::builder().set_item(Some(copied(template, owner, status)));
                Ok(WriteRequest::builder().put_request(put.build()?).build())
            });
            write(world, puts.collect::<Result<_>>()?).await
        })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await
}

async fn write(world: &World, mut left: Vec<WriteRequest>) -> Result<()> {
    while !left.is_empty() {
        let request = world
            .client
            .batch_write_item()
            .request_items(&world.table, left);
        let unprocessed = request.send().await?.unprocessed_items.unwrap_or_default();
        left = unprocessed.into_values().flatten().collect();
    }
    Ok(())
}

/// The summary of another session without a due action.
fn copied(template: &Item, owner: &OwnerId, status: SessionStatus) -> Item {
    let (id, at): (SessionId, Timestamp) = (SessionId::new(Uuid::now_v7()), lambda_kit::now());
    let mut item = template.clone();
    item.retain(|name, _| !matches!(name.as_str(), "due" | "due_shard"));
    item.extend(
        [
            ("PK", partition(id)),
            ("session_id", id.to_string()),
            ("status", status.to_string()),
            ("updated_at", at.to_string()),
            ("owner_status", format!("{owner}#{status}")),
            ("updated_key", format!("{at}#{id}")),
            ("owner_mode", format!("{owner}#{MODE}")),
            ("status_updated_key", format!("{status}#{at}#{id}")),
        ]
        .map(|(name, value)| (name.to_owned(), AttributeValue::S(value))),
    );
    item
}

/// The read units of 50 sessions in one query without other items.
async fn page_alone(world: &World, owner: &OwnerId) -> Result<f64> {
    let request = world
        .client
        .query()
        .table_name(&world.table)
        .index_name("by-owner-status");
    let owner_status = format!("{owner}#{}", SessionStatus::Active);
    let page = request
        .key_condition_expression("owner_status = :owner")
        .expression_attribute_values(":owner", AttributeValue::S(owner_status))
        .limit(PAGE.try_into()?)
        .return_consumed_capacity(ReturnConsumedCapacity::Total)
        .send()
        .await?;
    Ok(units(page.consumed_capacity()))
}

async fn read(world: &World, owner: &OwnerId, filter: Filter) -> Result<f64> {
    world.spy.take();
    let page = world.sessions.list(owner, filter, PAGE, None).await?;
    match page.sessions.len() {
        PAGE => Ok(world.spy.take().units),
        other => Err(format!("the page has {other} sessions instead of {PAGE}").into()),
    }
}
