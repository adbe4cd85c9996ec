//! The stack that `make test` or `make up` has started, described by `.stack/env`.

use std::collections::{BTreeSet, HashMap};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use aws_config::BehaviorVersion;
use aws_sdk_dynamodb::types::AttributeValue;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

/// How long a test waits for an expected event. It is generous, because the machine may be busy.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// The access key of MiniStack's root account, whose signatures it does not verify.
const ROOT_KEY: &str = "test";

/// The `Authorization` header of a request to MiniStack without an SDK.
pub(crate) fn root_authorization(service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential={ROOT_KEY}/20260101/us-east-1/{service}/aws4_request, \
         SignedHeaders=host, Signature=0"
    )
}

/// Addresses and clients of the running stack.
pub struct Stack {
    env: HashMap<String, String>,
}

/// The stack, read once.
pub fn stack() -> &'static Stack {
    static STACK: OnceLock<Stack> = OnceLock::new();
    STACK.get_or_init(|| {
        let text = std::fs::read_to_string(env_file()).unwrap_or_else(|error| {
            panic!("no stack is running ({error}); `make test` starts one, or `make up QUICK=1`")
        });
        let pairs = text.lines().filter_map(|line| line.split_once('='));
        Stack {
            env: pairs
                .map(|(key, value)| (key.into(), value.into()))
                .collect(),
        }
    })
}

/// The root of the checkout.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn env_file() -> PathBuf {
    folder().join("env")
}

/// The folder of the logs of the stack's parts.
pub fn logs() -> PathBuf {
    folder().join("logs")
}

/// The stack's own folder.
pub fn folder() -> PathBuf {
    root().join(std::env::var("STACK_DIR").unwrap_or_else(|_| ".stack".into()))
}

impl Stack {
    /// A value of `.stack/env`.
    pub fn get(&self, key: &str) -> &str {
        self.find(key)
            .unwrap_or_else(|| panic!(".stack/env has no {key}"))
    }

    /// A value that only some stacks have.
    pub fn find(&self, key: &str) -> Option<&str> {
        self.env.get(key).map(String::as_str)
    }

    /// The port in an address of `.stack/env`.
    pub fn port(&self, key: &str) -> u16 {
        let port = self.get(key).rsplit(':').next().unwrap();
        port.parse().unwrap()
    }

    async fn aws(&self) -> aws_config::SdkConfig {
        let credentials =
            aws_sdk_sqs::config::Credentials::new(ROOT_KEY, ROOT_KEY, None, None, "tests");
        aws_config::defaults(BehaviorVersion::latest())
            .credentials_provider(credentials)
            .region(aws_config::Region::new(self.get("AWS_REGION").to_owned()))
            .endpoint_url(self.get("AWS_ENDPOINT_URL"))
            .load()
            .await
    }

    /// The table's client.
    pub async fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        self.dynamodb_at(self.get("AWS_ENDPOINT_URL_DYNAMODB"))
            .await
    }

    /// The table's client with another endpoint.
    pub async fn dynamodb_at(&self, endpoint: &str) -> aws_sdk_dynamodb::Client {
        let config = aws_sdk_dynamodb::config::Builder::from(&self.aws().await);
        aws_sdk_dynamodb::Client::from_conf(config.endpoint_url(endpoint).build())
    }

    /// The URL of a new queue that no function reads.
    pub async fn new_queue(&self) -> String {
        let name = format!("tests-{}", uuid::Uuid::new_v4());
        let created = self.sqs().await.create_queue().queue_name(name).send();
        created.await.unwrap().queue_url.unwrap()
    }

    /// Takes the next message out of a queue; none if there is none for a few seconds.
    pub async fn receive(&self, queue: &str) -> Option<String> {
        let sqs = self.sqs().await;
        let receive = sqs.receive_message().queue_url(queue).wait_time_seconds(20);
        let received = receive.send().await.unwrap().messages?;
        let message = received.into_iter().next()?;
        let delete = sqs.delete_message().queue_url(queue);
        let handle = message.receipt_handle.unwrap();
        delete.receipt_handle(handle).send().await.unwrap();
        message.body
    }

    async fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.aws().await)
    }

    /// Sends a message to the executor's queue `times` times.
    pub async fn send(&self, body: &str, times: usize) {
        for _ in 0..times {
            self.send_to(self.get("QUEUE_URL"), body).await;
        }
    }

    /// Sends a message to a queue.
    pub async fn send_to(&self, queue: &str, body: &str) {
        let message = self.sqs().await.send_message();
        let message = message.queue_url(queue).message_body(body);
        message.send().await.unwrap();
    }

    /// Receives a message from the executor's queue, if there is one.
    pub async fn take_message(&self) -> Option<String> {
        let (sqs, queue) = (self.sqs().await, self.get("QUEUE_URL"));
        let received = sqs.receive_message().queue_url(queue).send().await.unwrap();
        let message = received.messages.unwrap_or_default().pop()?;
        let handle = message.receipt_handle.unwrap();
        let delete = sqs.delete_message().queue_url(queue);
        delete.receipt_handle(handle).send().await.unwrap();
        message.body
    }

    /// Enables or disables the event source mapping from the queue to a function.
    pub async fn take_messages(&self, function: &str, enabled: bool) {
        let name = format!("{}{function}", self.get("FUNCTION_PREFIX"));
        let path = "2015-03-31/event-source-mappings";
        let listed = self
            .lambda(
                Method::GET,
                &format!("{path}/?FunctionName={name}"),
                &Value::Null,
            )
            .await;
        let mappings = listed["EventSourceMappings"].as_array().unwrap();
        assert_eq!(mappings.len(), 1, "{listed}");
        let id = mappings[0]["UUID"].as_str().unwrap();
        let body = json!({"Enabled": enabled});
        self.lambda(Method::PUT, &format!("{path}/{id}"), &body)
            .await;
    }

    /// Invokes a function of the stack and returns its answer.
    pub async fn invoke(&self, function: &str, event: &Value) -> Value {
        let name = format!("{}{function}", self.get("FUNCTION_PREFIX"));
        let path = format!("2015-03-31/functions/{name}/invocations");
        self.lambda(Method::POST, &path, event).await
    }

    /// The log groups of the functions that MiniStack runs.
    pub(crate) async fn log_groups(&self) -> BTreeSet<String> {
        let path = "2015-03-31/functions/?MaxItems=10000";
        let listed = self.lambda(Method::GET, path, &Value::Null).await;
        assert_eq!(listed["NextMarker"], Value::Null, "the list is cut");
        let functions = listed["Functions"].as_array().unwrap().iter();
        functions
            .map(
                |function| match function["LoggingConfig"]["LogGroup"].as_str() {
                    Some(group) => group.to_owned(),
                    None => format!("/aws/lambda/{}", function["FunctionName"].as_str().unwrap()),
                },
            )
            .collect()
    }

    async fn lambda(&self, method: Method, path: &str, body: &Value) -> Value {
        let url = format!("{}/{path}", self.get("AWS_ENDPOINT_URL"));
        let request = reqwest::Client::new()
            .request(method, url)
            .header("authorization", root_authorization("lambda"))
            .json(body);
        let reply = request.send().await.unwrap().text().await.unwrap();
        serde_json::from_str(&reply).unwrap_or(Value::Null)
    }

    /// Runs the sweeper, as its schedule does once a minute.
    pub async fn sweep(&self) {
        self.invoke(
            "sweeper",
            &json!({"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}),
        )
        .await;
    }

    /// The session's items in the table.
    pub async fn items(&self, session_id: &str) -> Vec<HashMap<String, AttributeValue>> {
        let key = AttributeValue::S(format!("SESSION#{session_id}"));
        let query = self
            .dynamodb()
            .await
            .query()
            .table_name(self.get("TABLE_NAME"));
        query
            .key_condition_expression("PK = :pk")
            .expression_attribute_values(":pk", key)
            .consistent_read(true)
            .into_paginator()
            .items()
            .send()
            .collect::<Result<Vec<_>, _>>()
            .await
            .unwrap()
    }

    /// The number of versions in the bucket under a prefix, deleted contents and marks of deletion
    /// included.
    pub async fn object_versions(&self, prefix: &str) -> usize {
        let url = format!(
            "{}/{}",
            self.get("AWS_ENDPOINT_URL"),
            self.get("BUCKET_NAME")
        );
        let request = reqwest::Client::new()
            .get(url)
            .query(&[("versions", ""), ("prefix", prefix)])
            .header("authorization", root_authorization("s3"));
        let listed = request.send().await.unwrap().text().await.unwrap();
        assert!(listed.contains("<ListVersionsResult"), "{listed}");
        listed.matches("<Key>").count()
    }

    /// The process ids of a natively running function, by the variable with its path.
    fn workers(&self, path: &str) -> Vec<u32> {
        running(Path::new(self.get(path)))
    }

    /// The process ids of the running workers for models.
    pub fn executors(&self) -> Vec<u32> {
        self.workers("EXECUTOR_PATH")
    }

    /// Sends SIGKILL to every running worker for models and returns their number.
    pub fn kill_executors(&self) -> usize {
        kill(&self.executors())
    }

    /// Sends SIGKILL to every running worker for documents and returns their number.
    pub fn kill_document_executors(&self) -> usize {
        kill(&self.workers("DOCUMENT_EXECUTOR_PATH"))
    }

    /// Sends SIGKILL to one of the running workers of both kinds, another one for another `turn`.
    /// Returns the number of those killed: none where none was running.
    pub fn kill_worker(&self, turn: usize) -> usize {
        let paths = ["EXECUTOR_PATH", "DOCUMENT_EXECUTOR_PATH"];
        let pids = paths.map(|path| self.workers(path)).concat();
        pids.get(turn % pids.len().max(1))
            .map_or(0, |pid| kill(&[*pid]))
    }

    /// Sends SIGKILL to every instance of a function under `cargo lambda watch` and returns their
    /// number. Cargo has put its program beside this one.
    pub fn kill_function(&self, name: &str) -> usize {
        let own = std::env::current_exe().unwrap();
        let folder = own.ancestors().nth(2).unwrap();
        kill(&running(&folder.join(name)))
    }
}

/// The process ids of a program without arguments.
fn running(program: &Path) -> Vec<u32> {
    let pids = std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    // By the command line, because a worker hides what else `/proc` says. A reader of documents
    // has arguments.
    pids.filter(|pid: &u32| {
        std::fs::read(format!("/proc/{pid}/cmdline"))
            .is_ok_and(|line| line.strip_suffix(b"\0") == Some(program.as_os_str().as_bytes()))
    })
    .collect()
}

fn kill(pids: &[u32]) -> usize {
    for pid in pids {
        // A process that has just exited needs no signal.
        let _ = std::process::Command::new("kill")
            .args(["-9", &pid.to_string()])
            .status();
    }
    pids.len()
}

static WORKERS: RwLock<()> = RwLock::const_new(());

/// Held by a test that counts calls. No worker is killed meanwhile.
pub async fn shared_workers() -> RwLockReadGuard<'static, ()> {
    WORKERS.read().await
}

/// Held by a test that kills workers, which all tests share.
pub async fn exclusive_workers() -> RwLockWriteGuard<'static, ()> {
    WORKERS.write().await
}

/// Repeats `attempt` until it returns a value; panics with `what` after [`PATIENCE`].
pub async fn eventually<T, F: Future<Output = Option<T>>>(
    what: &str,
    mut attempt: impl FnMut() -> F,
) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = attempt().await {
            return value;
        }
        assert!(Instant::now() < deadline, "timed out waiting for: {what}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
