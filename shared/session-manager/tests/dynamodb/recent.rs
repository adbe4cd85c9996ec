//! The newest messages of a session for the agents, read at a cost that does not depend on the
//! length of the history.

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use session::{Command, Event, Mode, Seq, SessionId, State};

use crate::world::{World, at, note, said};

/// The maximum number of items in a write batch.
const BATCH: usize = 25;

/// The length of each message of the long histories, in bytes.
const BYTES: usize = 500;

/// A session with this many messages, each in its own entry, written without the manager.
async fn with_history(world: &World, messages: u64) -> (SessionId, Seq) {
    let state = world.running(Mode::PlanningControl).await;
    let id = state.session_id;
    let first = state.last_seq.plus(1);
    let committed = world
        .manager
        .commit_on(state.clone(), &note(&state, ""), at(2))
        .await
        .unwrap()
        .state;
    let sk = |seq: Seq| format!("LOG#{:012}", seq.0);
    let entry = world.item(id, &sk(first)).await.unwrap();
    let puts: Vec<_> = (0..messages)
        .map(|n| {
            let seq = first.plus(n);
            let event = Event {
                run_id: None,
                body: said(&format!("{n:0>BYTES$}")).into(),
            };
            let state = State {
                last_seq: seq,
                ..committed.clone()
            };
            let mut item = entry.clone();
            for (name, value) in [
                ("SK", sk(seq)),
                ("events", serde_json::to_string(&[event]).unwrap()),
                ("state", state.to_json().unwrap()),
            ] {
                item.insert(name.into(), AttributeValue::S(value));
            }
            item.insert("last".into(), AttributeValue::N(seq.0.to_string()));
            let put = PutRequest::builder().set_item(Some(item)).build().unwrap();
            WriteRequest::builder().put_request(put).build()
        })
        .collect();
    for batch in puts.chunks(BATCH) {
        let write = world.client.batch_write_item();
        let written = write.request_items(&world.table, batch.to_vec()).send();
        let left = written.await.unwrap().unprocessed_items;
        assert!(left.is_none_or(|left| left.is_empty()));
    }
    (id, first.plus(messages))
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn reading_costs_the_same_with_ten_thousand_messages() {
    let world = World::new().await;
    let mut prices = Vec::new();
    for messages in [200, 10_000] {
        let (id, before) = with_history(&world, messages).await;
        for (limit, bytes, found) in [(100, 16_000, 32), (10, 16_000, 10), (100, 1_000_000, 100)] {
            world.proxy.seen();
            world.proxy.units();
            let recent = world.manager.recent_messages(id, before, 0..=limit, bytes);
            let recent = recent.await.unwrap();
            assert_eq!(recent.len(), found);
            let newest: Vec<u64> = recent
                .iter()
                .map(|message| message.content.parse().unwrap())
                .collect();
            let from = messages - found as u64;
            assert_eq!(newest, (from..messages).collect::<Vec<_>>());
            prices.push((world.proxy.seen().len(), world.proxy.units()));
        }
    }
    let (short, long) = prices.split_at(3);
    assert_eq!(short, long, "requests and read units");
    println!("requests and read units of three windows: {long:?}");
    // 60 entries of about 1.4 KB are read. The whole history would cost more than 1,750 units.
    assert!(long[0].0 <= 4 && long[0].1 <= 30.0, "{long:?}");
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn the_read_stops_once_the_budget_is_filled() {
    let world = World::new().await;
    let mut state = world.running(Mode::PlanningControl).await;
    let id = state.session_id;
    for n in 0..6 {
        let mut command = note(&state, "");
        if let Command::Commit { progress, .. } = &mut command {
            progress.work = (0..3).map(|m| said(&format!("{n}{m}"))).collect();
        }
        let done = world.manager.commit_on(state, &command, at(2)).await;
        state = done.unwrap().state;
    }
    let end = state.last_seq.plus(1);
    let texts = async |before: Seq, limit: usize, bytes: usize| -> Vec<String> {
        let recent = world.manager.recent_messages(id, before, 0..=limit, bytes);
        let recent = recent.await.unwrap().into_iter();
        recent.map(|message| message.content).collect()
    };
    assert_eq!(texts(end, 100, 1).await, ["52"]);
    assert_eq!(texts(end, 100, 7).await, ["42", "50", "51", "52"]);
    assert_eq!(texts(end, 2, 1_000).await, ["51", "52"]);
    assert_eq!(texts(Seq(end.0 - 1), 1, 1).await, ["51"]);
    let all = texts(end, 100, 1_000).await;
    assert_eq!((all.len(), all[0].as_str()), (19, "Say something."));
    let recent = world.manager.recent_messages(id, end, 3..=9, 1);
    let recent = recent.await.unwrap();
    assert_eq!(recent.len(), 3, "the minimum count applies at any length");
    for (before, limit, bytes) in [(Seq(1), 9, 9), (Seq(0), 9, 9), (end, 0, 9), (end, 9, 0)] {
        assert!(texts(before, limit, bytes).await.is_empty());
    }
}
