//! Approvals: their rows from the request to the answer, concurrent answers, and lists.

use std::collections::HashSet;
use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::join_all;
use serde_json::{Value, json};
use session::{
    ApprovalAnswer, ApprovalId, ApprovalRequest, ApprovalRow, ApprovalStatus, Command, Mode, Next,
    Refusal, SessionId, State,
};
use session_manager::{Actor, ApprovalPage, ChangeError, ReadError};
use uuid::Uuid;

use crate::world::{CANCEL, World, at, commit, run_of, take_lease};

/// The second at which the approvals of these tests expire.
const LAPSES: u64 = 1_000;

/// A session without a worker whose approval is open until second [`LAPSES`].
async fn asked(world: &World) -> (State, ApprovalId) {
    ask(world, world.running(Mode::HitlInteractive).await, 2).await
}

async fn ask(world: &World, state: State, second: u64) -> (State, ApprovalId) {
    let approval_id = ApprovalId::new(Uuid::now_v7());
    let request = ApprovalRequest {
        approval_id,
        step_id: Some("step_1".into()),
        action: "continue".into(),
        checkpoint_type: "after_step".into(),
        description: "A step is done.".into(),
        message: "Go on?".into(),
        options: ["continue", "abort", "redo"].map(Into::into).into(),
        context: json!({"summary": "all is well"}),
        expires_at: at(LAPSES),
    };
    let command = commit(&state, "done", Next::Ask(Box::new(request)));
    let committed = world.manager.commit_on(state, &command, at(second)).await;
    (committed.unwrap().state, approval_id)
}

fn answer(approval: ApprovalId, resolution: &str, by: &str) -> Command {
    Command::Answer(ApprovalAnswer {
        approval,
        resolution: resolution.into(),
        feedback: Some("Well done.".into()),
        modifications: Some(json!({"plan": [{"deep": [[1]]}]})),
        by: by.into(),
    })
}

async fn row(world: &World, session: SessionId, id: ApprovalId) -> ApprovalRow {
    loop {
        match world.manager.approval(session, &world.ada(), id).await {
            Ok((_, row)) => return row,
            // A small machine cannot answer a hundred requests in time.
            Err(ReadError::Unavailable(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

async fn page(
    world: &World,
    session: SessionId,
    status: Option<ApprovalStatus>,
    limit: usize,
    cursor: Option<&str>,
) -> Result<ApprovalPage, ReadError> {
    let ada = world.ada();
    let page = world
        .manager
        .approvals(session, &ada, status, limit, cursor);
    page.await
}

/// The ids of all pages.
async fn walk(
    world: &World,
    session: SessionId,
    status: Option<ApprovalStatus>,
    limit: usize,
) -> Vec<ApprovalId> {
    let (mut all, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let page = page(world, session, status, limit, cursor.as_deref()).await;
        let page = page.unwrap();
        assert!(page.approvals.len() <= limit);
        all.extend(page.approvals.iter().map(|row| row.approval_id));
        cursor = page.next_cursor;
        if cursor.is_none() {
            return all;
        }
    }
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn an_approval_is_a_row_that_its_answer_closes() {
    let world = World::new().await;
    let (state, id) = asked(&world).await;
    let session = state.session_id;
    let open = row(&world, session, id).await;
    assert_eq!(open.status, ApprovalStatus::Pending);
    assert_eq!((open.run_id, open.created_at), (run_of(&state).id, at(2)));
    assert_eq!(open.options, ["continue", "abort", "redo"]);
    assert_eq!(open.context, json!({"summary": "all is well"}));
    assert_eq!((open.resolution, open.resolved_by), (None, None));

    let given = answer(id, "continue", "ada@example.org");
    world.does(session, given, at(3)).await.unwrap();
    let closed = row(&world, session, id).await;
    assert_eq!(closed.status, ApprovalStatus::Resolved);
    assert_eq!(closed.resolution.as_deref(), Some("continue"));
    assert_eq!(closed.feedback.as_deref(), Some("Well done."));
    assert_eq!(
        closed.modifications,
        Some(json!({"plan": [{"deep": [[1]]}]}))
    );
    assert_eq!(closed.resolved_by.as_deref(), Some("ada@example.org"));
    assert_eq!(closed.resolved_at, Some(at(3)));
    assert_eq!(closed.expires_at, at(LAPSES));
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn expiry_cancel_and_rejection_close_an_approval() {
    let world = World::new().await;
    let (state, id) = asked(&world).await;
    let expired = Command::Recover;
    let done = world
        .manager
        .change(state.session_id, &Actor::System, &expired, at(LAPSES));
    done.await.unwrap();
    let closed = row(&world, state.session_id, id).await;
    assert_eq!(closed.status, ApprovalStatus::Expired);
    assert_eq!(
        (closed.resolution, closed.resolved_at),
        (None, Some(at(LAPSES)))
    );

    let (state, id) = asked(&world).await;
    world.does(state.session_id, CANCEL, at(4)).await.unwrap();
    let closed = row(&world, state.session_id, id).await;
    assert_eq!(closed.status, ApprovalStatus::Cancelled);
    assert_eq!(closed.resolved_by, None);

    let (state, id) = asked(&world).await;
    let ended = world.does(state.session_id, answer(id, "abort", "ada"), at(5));
    assert!(run_of(&ended.await.unwrap().state).status.is_final());
    let closed = row(&world, state.session_id, id).await;
    assert_eq!(
        closed.status,
        ApprovalStatus::Resolved,
        "the approval must not be cancelled"
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs DynamoDB Local: make test"]
async fn one_of_a_hundred_concurrent_answers_wins() {
    let world = Arc::new(World::new().await);
    let (state, id) = asked(&world).await;
    let session = state.session_id;
    let answers = (0..100).map(|n| {
        let world = world.clone();
        tokio::spawn(async move {
            let by = format!("person {n}");
            let given = answer(id, ["continue", "redo", "abort"][n % 3], &by);
            let won = loop {
                match world.does(session, given.clone(), at(3)).await {
                    Ok(_) => break true,
                    Err(ChangeError::Refused(Refusal::NoSuchApproval, _)) => break false,
                    Err(error) => assert!(error.is_temporary(), "{error}"),
                }
            };
            let winner = row(&world, session, id).await.resolved_by.unwrap();
            assert!(!won || winner == by);
            (won, winner)
        })
    });
    let told: Vec<_> = join_all(answers)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    let winners: HashSet<_> = told.iter().map(|(_, winner)| winner).collect();
    assert_eq!(
        winners.len(),
        1,
        "all refusals must name the same winner: {winners:?}"
    );
    // If the reply to a won append is late, the writer finds its own answer.
    assert!(told.iter().filter(|(won, _)| *won).count() <= 1);
    world.assert_whole(session).await;
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_stranger_gets_no_session_at_the_cost_of_a_missing_approval() {
    let world = World::new().await;
    let (state, id) = asked(&world).await;
    let session = state.session_id;
    let other = ApprovalId::new(Uuid::now_v7());
    let mut calls = Vec::new();
    for (actor, id) in [
        (world.ada(), id),
        (world.ada(), other),
        (world.bob(), id),
        (world.bob(), other),
    ] {
        world.proxy.seen();
        let found = world.manager.approval(session, &actor, id).await;
        let mut seen = world.proxy.seen();
        seen.sort();
        calls.push(seen);
        match found {
            Ok(_) => assert!(actor == world.ada() && id != other),
            Err(ReadError::NoSuchApproval) => assert!(actor == world.ada()),
            Err(ReadError::NoSuchSession) => assert!(actor == world.bob()),
            Err(error) => panic!("{error}"),
        }
    }
    assert!(calls.iter().all(|seen| *seen == ["GetItem", "Query"]));
    let list = world
        .manager
        .approvals(session, &world.bob(), None, 9, None)
        .await;
    assert!(matches!(list, Err(ReadError::NoSuchSession)));
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn approvals_are_listed_newest_first_by_page_and_by_status() {
    let world = World::new().await;
    let (state, id) = asked(&world).await;
    let session = state.session_id;
    let mut ids = vec![id];
    for n in 1..6 {
        let given = answer(ids[0], "continue", "ada");
        let state = world.does(session, given, at(10 * n)).await.unwrap().state;
        let lease = take_lease(&state, at(900));
        let taken = world.manager.commit_on(state, &lease, at(10 * n + 1)).await;
        let (_, id) = ask(&world, taken.unwrap().state, 10 * n + 2).await;
        ids.insert(0, id);
    }
    let resolved = Some(ApprovalStatus::Resolved);
    for limit in [1, 2, 5, 6, 200] {
        assert_eq!(walk(&world, session, None, limit).await, ids, "{limit}");
        assert_eq!(walk(&world, session, resolved, limit).await, ids[1..]);
    }
    let expired = Some(ApprovalStatus::Expired);
    assert!(walk(&world, session, expired, 3).await.is_empty());

    world.proxy.seen();
    let pending = walk(&world, session, Some(ApprovalStatus::Pending), 1).await;
    assert_eq!(pending, ids[..1]);
    assert_eq!(world.proxy.seen(), ["Query", "GetItem"]);
    world.does(session, CANCEL, at(99)).await.unwrap();
    world.proxy.seen();
    let pending = walk(&world, session, Some(ApprovalStatus::Pending), 1).await;
    assert!(pending.is_empty());
    assert_eq!(
        world.proxy.seen(),
        ["Query"],
        "the state has no open approval"
    );

    let first = page(&world, session, None, 1, None).await.unwrap();
    let cursor = first.next_cursor.as_deref();
    for (status, cursor) in [(resolved, cursor), (None, Some("nonsense"))] {
        let refused = page(&world, session, status, 1, cursor).await;
        assert!(matches!(refused, Err(ReadError::BadCursor)));
    }
}

#[tokio::test]
#[ignore = "needs DynamoDB Local: make test"]
async fn a_page_reads_at_most_one_mebibyte_with_any_filter() {
    let world = World::new().await;
    let (state, id) = asked(&world).await;
    let session = state.session_id;
    let oldest = world
        .item(session, &format!("APPROVAL#{id}"))
        .await
        .unwrap();
    for _ in 0..75 {
        let id = Uuid::now_v7().to_string();
        let context = Value::from("x".repeat(20_000)).to_string();
        let mut item = oldest.clone();
        for (name, value) in [
            ("SK", format!("APPROVAL#{id}")),
            ("approval_id", id),
            ("context", context),
            ("status", "expired".into()),
        ] {
            item.insert(name.into(), AttributeValue::S(value));
        }
        let put = world.client.put_item().table_name(&world.table);
        put.set_item(Some(item)).send().await.unwrap();
    }
    let first = page(&world, session, None, 200, None).await.unwrap();
    let bytes = serde_json::to_string(&first.approvals).unwrap().len();
    assert!((900_000..1_100_000).contains(&bytes), "{bytes}");
    assert_eq!(walk(&world, session, None, 200).await.len(), 76);

    let cancelled = Some(ApprovalStatus::Cancelled);
    let none = page(&world, session, cancelled, 200, None).await.unwrap();
    assert!(none.approvals.is_empty() && none.next_cursor.is_some());
    assert!(walk(&world, session, cancelled, 200).await.is_empty());
    let expired = Some(ApprovalStatus::Expired);
    assert_eq!(walk(&world, session, expired, 7).await.len(), 75);
}
