//! A table with sessions, an observed manager, and an unobserved client.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use session::{Mode, NewRun, NewSession, OwnerId, Rules, Run, RunId, SessionId, State};
use session_manager::{ConnectionId, NewSessionRows, SessionManager, item_size};
use uuid::Uuid;

use crate::Result;
use crate::billing::{Billing, Units};
use crate::spy::{Item, Key, Request, Spy};

/// The task of every run here. It is plain prose, so that the offline planner plans no program.
pub const TASK: &str = "Describe how tides rise and fall. Explain what the moon does to the sea. Tell what the sun adds. \
Say why some coasts have two tides a day and others one. Close with what a sailor should know.";

/// Longer than the whole benchmark.
pub const LEASE: Duration = Duration::from_secs(3600);

pub struct World {
    /// Not observed.
    pub client: Client,
    pub table: String,
    pub spy: Spy,
    /// Observed.
    pub sessions: SessionManager,
    billing: Billing,
}

/// The cost of one change of a session.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// The size of the log entry for billing.
    pub entry_bytes: usize,
    /// The size of all written items.
    pub bytes: usize,
    /// The units by AWS's rules.
    pub aws: Units,
    /// The units that DynamoDB Local reports.
    pub local: f64,
}

impl Cost {
    /// The cells of a table row: entry, table, indexes, both, DynamoDB Local.
    pub fn cells(&self) -> [String; 5] {
        let Units { table, indexes } = self.aws;
        let counts = [self.entry_bytes, table, indexes, self.aws.total()].map(|n| n.to_string());
        let [entry, table, indexes, all] = counts;
        [entry, table, indexes, all, format!("{:.1}", self.local)]
    }
}

impl World {
    /// Uses the table `TABLE_NAME` at the endpoint of the environment.
    pub async fn new() -> Result<Self> {
        let table = std::env::var("TABLE_NAME")
            .map_err(|_| "run it by `make bench`: TABLE_NAME is not set")?;
        let aws = aws_config::from_env().load().await;
        let client = Client::new(&aws);
        let spy = Spy::default();
        let watched = aws_sdk_dynamodb::config::Builder::from(&aws).interceptor(spy.clone());
        let watched = Client::from_conf(watched.build());
        Ok(Self {
            billing: Billing::of(&client, &table).await?,
            sessions: SessionManager::new(watched, &table, Rules::default()),
            client,
            table,
            spy,
        })
    }

    /// A session with a run that waits for a worker.
    pub async fn queued(&self, owner: &OwnerId, mode: Mode, config: &str) -> Result<State> {
        let id = SessionId::new(Uuid::now_v7());
        self.create(id, owner, mode, config).await
    }

    /// The same with a given id.
    pub async fn create(
        &self,
        id: SessionId,
        owner: &OwnerId,
        mode: Mode,
        config: &str,
    ) -> Result<State> {
        self.create_with(id, owner, mode, config, new_run()).await
    }

    /// The same with a given run.
    pub async fn create_with(
        &self,
        id: SessionId,
        owner: &OwnerId,
        mode: Mode,
        config: &str,
        run: NewRun,
    ) -> Result<State> {
        let new = NewSession {
            id,
            owner: owner.clone(),
            mode,
            run: Some(run),
        };
        let rows = NewSessionRows {
            name: "Tides".into(),
            config: config.into(),
            run_config: None,
        };
        let created = self.sessions.create(&new, &rows, None, lambda_kit::now());
        Ok(created.await?.state)
    }

    /// A connection that follows a session.
    pub async fn follower(&self, state: &State) -> Result<()> {
        let (session, now) = (state.session_id, lambda_kit::now());
        let connection = ConnectionId::new(session.to_string());
        let connecting = self
            .sessions
            .connect(&connection, &state.owner, "t-1", None, now);
        connecting.await?;
        match self
            .sessions
            .follow(&connection, session, None, now)
            .await?
        {
            true => Ok(()),
            false => Err("the connection follows nothing".into()),
        }
    }

    /// The cost of a change of this session, and its result.
    pub async fn cost<T>(
        &self,
        session: SessionId,
        change: impl Future<Output = Result<T>>,
    ) -> Result<(T, Cost)> {
        let before = self.rows(session).await?;
        self.spy.take();
        let came = change.await?;
        let seen = self.spy.take();
        let (mut aws, mut entry_bytes, mut bytes) = (Units::default(), 0, 0);
        for request in &seen.requests {
            let (keys, in_transaction) = match request {
                Request::Put(key) => (std::slice::from_ref(key), false),
                Request::Transaction(keys) => (keys.as_slice(), true),
                Request::Followers | Request::Other => continue,
            };
            for key in keys {
                let after = self.item(key).await?;
                bytes += after.as_ref().map_or(0, item_size);
                if let Some(entry) = after.as_ref().filter(|_| key.sk.starts_with("LOG#")) {
                    entry_bytes = item_size(entry);
                }
                aws += self
                    .billing
                    .write(before.get(key), after.as_ref(), in_transaction);
            }
        }
        let cost = Cost {
            entry_bytes,
            bytes,
            aws,
            local: seen.units,
        };
        Ok((came, cost))
    }

    /// The items of a session that are overwritten: all but its log.
    async fn rows(&self, session: SessionId) -> Result<HashMap<Key, Item>> {
        let mut rows = HashMap::new();
        for beside in ["SK < :log", "SK > :log"] {
            let end = if beside.contains('<') {
                "LOG#"
            } else {
                "LOG#~"
            };
            let pages = self
                .client
                .query()
                .table_name(&self.table)
                .key_condition_expression(format!("PK = :pk AND {beside}"))
                .expression_attribute_values(":pk", AttributeValue::S(partition(session)))
                .expression_attribute_values(":log", AttributeValue::S(end.into()))
                .consistent_read(true)
                .into_paginator();
            let items: std::result::Result<Vec<_>, _> = pages.items().send().collect().await;
            rows.extend(
                items?
                    .into_iter()
                    .filter_map(|item| Some((Key::of(&item)?, item))),
            );
        }
        Ok(rows)
    }

    /// An item by its key.
    pub async fn item(&self, key: &Key) -> Result<Option<Item>> {
        let request = self.client.get_item().table_name(&self.table);
        let request = request
            .key("PK", AttributeValue::S(key.pk.clone()))
            .key("SK", AttributeValue::S(key.sk.clone()))
            .consistent_read(true);
        Ok(request.send().await?.item)
    }
}

/// The partition of a session.
pub fn partition(session: SessionId) -> String {
    format!("SESSION#{session}")
}

pub fn new_run() -> NewRun {
    NewRun {
        id: RunId::new(Uuid::now_v7()),
        task: TASK.into(),
        artifact: None,
        task_id: None,
        agent: "planner".into(),
        model: "offline/extract-1".into(),
    }
}

/// The session's newest run.
pub fn run_of(state: &State) -> Result<&Run> {
    Ok(state.run.as_ref().ok_or("the session has no run")?)
}
