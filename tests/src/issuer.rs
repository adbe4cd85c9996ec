//! The token issuer of a stack with authentication: discovery and keys over HTTP, valid and invalid
//! tokens.
//!
//! Keys are generated when the test runs and are not stored.

use std::sync::{Mutex, OnceLock};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::{Request, Response};
use serde_json::{Value, json};

use crate::server;
use crate::stack::stack;

#[path = "../../functions/ws-authorizer/tests/issuer/mod.rs"]
#[allow(
    dead_code,
    missing_docs,
    reason = "a module of the authorizer's tests, which have a whole issuer there"
)]
mod keys;

pub use keys::{AUDIENCE, Key, in_seconds};

/// The subject of the default token of the tests' clients.
pub const OWNER: &str = "owner";

/// The running issuer.
pub struct Issuer {
    /// The keys that it publishes from the start. The first one signs.
    pub keys: [Key; 2],
    published: Mutex<Vec<Value>>,
}

static ISSUER: OnceLock<Issuer> = OnceLock::new();

/// The issuer that the stack is configured with, started once per test binary.
pub fn issuer() -> &'static Issuer {
    ISSUER.get_or_init(|| {
        server::start(stack().port("JWT_ISSUER"), answer);
        let keys = ["first", "second"].map(Key::new);
        let published = Mutex::new(keys.iter().map(Key::public).collect());
        Issuer { keys, published }
    })
}

/// The owner's token, if the stack requires one.
pub fn owner_token() -> Option<String> {
    stack().find("JWT_ISSUER")?;
    Some(issuer().token(OWNER))
}

impl Issuer {
    /// Publishes these keys instead.
    pub fn publish(&self, keys: &[&Key]) {
        *self.published.lock().unwrap() = keys.iter().map(|key| key.public()).collect();
    }

    /// Valid claims.
    pub fn claims(&self, subject: &str) -> Value {
        json!({
            "iss": stack().get("JWT_ISSUER"), "aud": AUDIENCE, "sub": subject,
            "iat": in_seconds(0), "nbf": in_seconds(0), "exp": in_seconds(3600),
        })
    }

    /// A valid token.
    pub fn token(&self, subject: &str) -> String {
        self.token_by(&self.keys[0], subject)
    }

    /// A token signed by this key. It is valid if the key is published.
    pub fn token_by(&self, key: &Key, subject: &str) -> String {
        key.signed(&key.header(), &self.claims(subject))
    }

    /// The owner's token with one claim changed; `null` removes it.
    pub fn token_with(&self, claim: &str, value: Value) -> String {
        let mut claims = self.claims(OWNER);
        match value {
            Value::Null => claims.as_object_mut().unwrap().remove(claim),
            value => claims.as_object_mut().unwrap().insert(claim.into(), value),
        };
        self.keys[0].signed(&self.keys[0].header(), &claims)
    }

    /// The owner's token with one header field changed; an `alg` also selects the signature.
    pub fn token_headed(&self, field: &str, value: &str) -> String {
        let mut header = self.keys[0].header();
        header[field] = json!(value);
        self.keys[0].signed(&header, &self.claims(OWNER))
    }
}

async fn answer(request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (status, body) = match request.uri().path() {
        "/.well-known/openid-configuration" => {
            let url = stack().get("JWT_ISSUER");
            (
                200,
                json!({"issuer": url, "jwks_uri": format!("{url}/keys")}),
            )
        }
        "/keys" => {
            let keys = issuer().published.lock().unwrap().clone();
            (200, json!({"keys": keys}))
        }
        _ => (404, json!({})),
    };
    let response = Response::builder()
        .status(status)
        .header("content-type", "application/json");
    response
        .body(Full::new(Bytes::from(body.to_string())))
        .unwrap()
}
