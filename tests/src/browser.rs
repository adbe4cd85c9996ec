//! A page in a real browser: the headless Chromium of `make install-checks`, driven by its DevTools
//! protocol (<https://chromedevtools.github.io/devtools-protocol/>).

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::stack::{PATIENCE, root};

/// A browser that shows one page. It ends with this value.
pub struct Browser {
    process: Child,
    /// The browser's profile.
    profile: PathBuf,
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    session: Option<String>,
    last_id: u64,
}

impl Browser {
    /// Starts the browser with an empty page.
    pub async fn start() -> Self {
        let folder = root().join(".stack/browser");
        let program = folder.join("chromium");
        assert!(
            program.is_file(),
            "no browser is installed: make install-checks"
        );
        let profile = std::env::temp_dir().join(format!("browser-{}", uuid::Uuid::new_v4()));
        let mut command = Command::new(program);
        command.args(["--headless", "--remote-debugging-port=0", "--disable-gpu"]);
        // The sandbox needs rights that root and containers lack. The pages are the tests' own.
        command.args([
            "--no-sandbox",
            "--no-zygote",
            "--disable-software-rasterizer",
        ]);
        command.arg("--disable-dev-shm-usage");
        // A page of the internet asks its user before it calls this machine. Not tested here.
        command.arg("--disable-features=LocalNetworkAccessChecks");
        command.arg(format!("--user-data-dir={}", profile.display()));
        command
            .env_clear()
            .env("LD_LIBRARY_PATH", folder.join("lib"));
        command.env("HOME", &profile);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let mut process = command.stderr(Stdio::piped()).spawn().unwrap();
        let address = address(&mut process);
        let (socket, _) = connect_async(&address).await.unwrap();
        let mut browser = Self {
            process,
            profile,
            socket,
            session: None,
            last_id: 0,
        };
        let page = json!({"url": "about:blank"});
        let page = browser.call("Target.createTarget", &page).await;
        let attach = json!({"targetId": page["targetId"], "flatten": true});
        let attached = browser.call("Target.attachToTarget", &attach).await;
        browser.session = Some(attached["sessionId"].as_str().unwrap().to_owned());
        browser
    }

    /// Shows an empty page of an origin, which no server needs to have.
    pub async fn open(&mut self, origin: &str) {
        let own = json!({"patterns": [{"urlPattern": format!("{origin}/*")}]});
        self.call("Fetch.enable", &own).await;
        let page = json!({"url": format!("{origin}/")});
        self.call("Page.navigate", &page).await;
        let shown = self.evaluate("Promise.resolve(location.origin)").await;
        assert_eq!(shown, origin);
        self.call("Fetch.disable", &json!({})).await;
    }

    /// Runs an expression in the page, and returns what its promise becomes.
    pub async fn evaluate(&mut self, expression: &str) -> Value {
        let expression =
            json!({"expression": expression, "awaitPromise": true, "returnByValue": true});
        let done = self.call("Runtime.evaluate", &expression).await;
        assert!(done["exceptionDetails"].is_null(), "{done}");
        done["result"]["value"].clone()
    }

    async fn call(&mut self, method: &str, params: &Value) -> Value {
        let id = self.send(method, params).await;
        loop {
            let told = tokio::time::timeout(PATIENCE, self.socket.next()).await;
            let told = told.unwrap_or_else(|_| panic!("{method}: the browser is silent"));
            let Message::Text(text) = told.unwrap().unwrap() else {
                continue;
            };
            let told: Value = serde_json::from_str(&text).unwrap();
            if told["method"] == "Fetch.requestPaused" {
                let request = &told["params"]["requestId"];
                let page = json!({
                    "requestId": request,
                    "responseCode": 200,
                    "responseHeaders": [{"name": "content-type", "value": "text/html"}],
                    "body": STANDARD.encode("<title>a page</title>"),
                });
                self.send("Fetch.fulfillRequest", &page).await;
            }
            if told["id"] == id {
                assert!(told["error"].is_null(), "{method}: {told}");
                return told["result"].clone();
            }
        }
    }

    async fn send(&mut self, method: &str, params: &Value) -> u64 {
        self.last_id += 1;
        let mut call = json!({"id": self.last_id, "method": method, "params": params});
        if let Some(session) = &self.session {
            call["sessionId"] = session.as_str().into();
        }
        let text = Message::text(call.to_string());
        self.socket.send(text).await.unwrap();
        self.last_id
    }
}

/// The address of its DevTools, which the browser prints when it is up.
fn address(process: &mut Child) -> String {
    let mut printed = String::new();
    for line in BufReader::new(process.stderr.take().unwrap()).lines() {
        let line = line.unwrap();
        if let Some(address) = line.strip_prefix("DevTools listening on ") {
            return address.to_owned();
        }
        printed += &line;
    }
    panic!("the browser ended: {printed}");
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}
