//! The newest messages of a session for the agents, read at a cost that does not depend on the
//! length of the history.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use session::{Command, Event, EventBody, Message, Mode, Seq, SessionId, State};

use crate::world::{World, at, note, said};

/// The maximum number of items in a write batch.
const BATCH: usize = 25;

/// The length of each message of the long histories, in bytes.
const BYTES: usize = 500;

/// Puts entries of one event each behind the newest one, without the manager. An entry of an older
/// version has no place of the newest message in its state.
struct Writer<'a> {
    world: &'a World,
    template: HashMap<String, AttributeValue>,
    state: State,
    is_old: bool,
    puts: Vec<WriteRequest>,
}

impl<'a> Writer<'a> {
    /// Behind the start of a run, which has one message.
    async fn new(world: &'a World, is_old: bool) -> Self {
        let state = world.running(Mode::PlanningControl).await;
        let sk = world.sort_keys(state.session_id).await;
        let newest = sk.iter().filter(|sk| sk.starts_with("LOG#")).max().unwrap();
        let template = world.item(state.session_id, newest).await.unwrap();
        Self {
            world,
            template,
            state,
            is_old,
            puts: Vec::new(),
        }
    }

    fn put(&mut self, body: EventBody) {
        let state = &mut self.state;
        state.last_seq = state.last_seq.plus(1);
        match &body {
            EventBody::PlanningComplete { .. } => state.plan = Some(state.last_seq),
            EventBody::AgentMessage { .. } => {
                state.messages += 1;
                state.last_message = Some(state.last_seq);
            }
            _ => {}
        }
        let mut stored: serde_json::Value =
            serde_json::from_str(&state.to_json().unwrap()).unwrap();
        if self.is_old {
            stored.as_object_mut().unwrap().remove("last_message");
        }
        let event = Event {
            run_id: None,
            body: body.into(),
        };
        let mut item = self.template.clone();
        for (name, value) in [
            ("SK", format!("LOG#{:012}", state.last_seq.0)),
            ("events", serde_json::to_string(&[event]).unwrap()),
            ("state", stored.to_string()),
        ] {
            item.insert(name.into(), AttributeValue::S(value));
        }
        let last = AttributeValue::N(state.last_seq.0.to_string());
        item.insert("last".into(), last);
        let put = PutRequest::builder().set_item(Some(item)).build().unwrap();
        self.puts
            .push(WriteRequest::builder().put_request(put).build());
    }

    /// This many messages, each in its own entry.
    fn says(&mut self, messages: u64) {
        for n in 0..messages {
            self.put(said(&format!("{n:0>BYTES$}")));
        }
    }

    /// This many entries that are no messages.
    fn works(&mut self, entries: u64) {
        for _ in 0..entries {
            self.put(EventBody::Output {
                message: "x".repeat(BYTES),
            });
        }
    }

    async fn done(self) -> State {
        for batch in self.puts.chunks(BATCH) {
            let write = self.world.client.batch_write_item();
            let written = write.request_items(&self.world.table, batch.to_vec());
            let left = written.send().await.unwrap().unprocessed_items;
            assert!(left.is_none_or(|left| left.is_empty()));
        }
        self.state
    }
}

/// A session with this many messages, and the place behind them.
async fn with_history(world: &World, messages: u64) -> (SessionId, Seq) {
    let mut writer = Writer::new(world, false).await;
    writer.says(messages);
    let state = writer.done().await;
    (state.session_id, state.last_seq.plus(1))
}

/// A plan, and two stretches of silent work between and behind some messages.
async fn with_silence(world: &World, silent: u64, is_old: bool) -> State {
    let mut writer = Writer::new(world, is_old).await;
    writer.put(EventBody::PlanningComplete {
        num_steps: 0,
        steps: Vec::new(),
    });
    writer.says(3);
    writer.works(silent);
    writer.says(2);
    writer.works(silent);
    writer.done().await
}

/// The details and three pages of the conversation, each with requests and read units.
async fn conversation(world: &World, state: &State) -> (Vec<Vec<String>>, Vec<(usize, f64)>) {
    let (id, ada, manager) = (state.session_id, world.ada(), &world.manager);
    let (mut texts, mut prices) = (Vec::new(), Vec::new());
    let mut note = |messages: Vec<Message>| {
        let said = messages.into_iter().map(|message| message.content);
        texts.push(said.collect());
        prices.push((world.proxy.seen().len(), world.proxy.units()));
    };
    world.proxy.seen();
    world.proxy.units();
    let detail = manager.session(id, &ada).await.unwrap();
    assert!(detail.plan.is_some());
    note(detail.messages);
    let whole = manager.history(id, &ada, 100, None).await.unwrap();
    assert_eq!((whole.total, whole.next_before), (6, None));
    note(whole.messages);
    let newest = manager.history(id, &ada, 2, None).await.unwrap();
    note(newest.messages);
    let before = newest.next_before;
    let oldest = manager.history(id, &ada, 4, before).await.unwrap();
    assert_eq!(oldest.next_before, None);
    note(oldest.messages);
    (texts, prices)
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_conversation_costs_the_same_behind_ten_thousand_entries_without_messages() {
    let world = World::new().await;
    let mut seen = Vec::new();
    for silent in [10, 1_000, 10_000] {
        let state = with_silence(&world, silent, false).await;
        seen.push(conversation(&world, &state).await);
    }
    let (texts, prices) = &seen[0];
    let lengths: Vec<_> = texts.iter().map(Vec::len).collect();
    assert_eq!(lengths, [6, 6, 2, 4]);
    assert_eq!(
        (&texts[0], &texts[1]),
        (&texts[1], &[&texts[3][..], &texts[2][..]].concat())
    );
    println!("requests and read units of details and pages: {prices:?}");
    assert_eq!(seen[2], seen[1], "10,000 entries beside 1,000");
    // A short stretch is read along.
    assert_eq!(texts, &seen[1].0);
    let (_, prices) = &seen[1];
    println!("the same behind a long record: {prices:?}");
    // 10,000 entries have about 3,500 units.
    assert!(
        prices
            .iter()
            .all(|(requests, units)| *requests <= 8 && *units <= 25.0)
    );
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_conversation_of_an_older_version_is_searched_and_complete() {
    let world = World::new().await;
    for silent in [10, 10_000] {
        let new = conversation(&world, &with_silence(&world, silent, false).await).await;
        let state = with_silence(&world, silent, true).await;
        let (texts, prices) = conversation(&world, &state).await;
        assert_eq!(texts, new.0);
        println!("an older version, {silent} entries twice: {prices:?}");
        assert!(prices.iter().all(|(_, units)| *units <= 60.0));

        // A new message goes on from there.
        let newest = world.manager.state(state.session_id, &world.ada()).await;
        let newest = newest.unwrap();
        assert_eq!((newest.messages, newest.last_message), (6, None));
        let command = note(&newest, "new");
        let committed = world.manager.commit_on(newest, &command, at(2)).await;
        assert_eq!(committed.unwrap().state.messages, 7);
        let (id, ada) = (state.session_id, world.ada());
        let whole = world.manager.history(id, &ada, 100, None).await.unwrap();
        assert_eq!((whole.messages.len(), whole.next_before), (7, None));
        let recent = world.manager.recent_messages(id, Seq(u64::MAX), 7..=7, 0);
        assert_eq!(recent.await.unwrap(), whole.messages);
    }
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_page_of_the_conversation_reads_no_more_than_four_mebibytes_of_the_record() {
    let world = World::new().await;
    let mut state = world.running(Mode::PlanningControl).await;
    for n in 0..60 {
        let mut command = note(&state, &n.to_string());
        if let Command::Commit { progress, .. } = &mut command {
            let output = EventBody::Output {
                message: "x".repeat(30_000),
            };
            progress
                .work
                .extend([output.clone(), output.clone(), output]);
        }
        let done = world.manager.commit_on(state, &command, at(2)).await;
        state = done.unwrap().state;
    }
    let (id, ada) = (state.session_id, world.ada());
    let (mut all, mut before) = (Vec::new(), None);
    loop {
        world.proxy.units();
        let page = world
            .manager
            .history(id, &ada, 1_000, before)
            .await
            .unwrap();
        // A request reads 1 MiB at most, so that a page may end a little behind its limit.
        assert!(world.proxy.units() < 5.0 * 256.0 + 64.0);
        all.splice(0..0, page.messages);
        before = page.next_before;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(all.len(), 61);
    assert!(all.is_sorted_by_key(|message| message.seq));
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
