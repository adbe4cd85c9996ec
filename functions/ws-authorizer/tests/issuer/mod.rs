//! An issuer on this machine: discovery and keys over HTTP, tokens with any header, claims and
//! signature.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA512};
use aws_lc_rs::{encoding::AsDer as _, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

pub const AUDIENCE: &str = "the-audience";

/// A key pair, made in the test, and the name under which it is published.
pub struct Key {
    pub id: &'static str,
    pair: KeyPair,
}

impl Key {
    pub fn new(id: &'static str) -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        Self { id, pair }
    }

    /// The public half, as an issuer publishes it.
    pub fn public(&self) -> Value {
        let key = self.pair.public_key();
        let [n, e] = [key.modulus(), key.exponent()]
            .map(|number| encoded(number.big_endian_without_leading_zero()));
        json!({"kid": self.id, "kty": "RSA", "use": "sig", "alg": "RS256", "n": n, "e": e})
    }

    /// A token with this header and these claims, signed as its header says.
    pub fn signed(&self, header: &Value, claims: &Value) -> String {
        let text = format!(
            "{}.{}",
            encoded(header.to_string()),
            encoded(claims.to_string())
        );
        let signature = match header["alg"].as_str() {
            Some("none") => Vec::new(),
            Some("HS256") => self.as_a_secret(&text),
            Some("RS512") => self.rsa(&RSA_PKCS1_SHA512, &text),
            _ => self.rsa(&RSA_PKCS1_SHA256, &text),
        };
        format!("{text}.{}", encoded(signature))
    }

    pub fn header(&self) -> Value {
        json!({"alg": "RS256", "typ": "JWT", "kid": self.id})
    }

    fn rsa(&self, encoding: &'static dyn aws_lc_rs::signature::RsaEncoding, text: &str) -> Vec<u8> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        let random = SystemRandom::new();
        self.pair
            .sign(encoding, &random, text.as_bytes(), &mut signature)
            .unwrap();
        signature
    }

    /// The classic forgery: the public key, which everybody has, as the secret of an HMAC.
    fn as_a_secret(&self, text: &str) -> Vec<u8> {
        let public = self.pair.public_key().as_der().unwrap();
        let secret = hmac::Key::new(hmac::HMAC_SHA256, public.as_ref());
        hmac::sign(&secret, text.as_bytes()).as_ref().to_vec()
    }
}

fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Seconds since 1970, so many from now.
pub fn in_seconds(seconds: i64) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_secs()).unwrap() + seconds
}

/// What the issuer says, and how often it was asked for its keys.
#[derive(Default)]
pub struct Says {
    pub name: String,
    pub keys: Vec<Value>,
    pub down: bool,
    pub asked: usize,
}

/// The running issuer.
#[derive(Clone)]
pub struct Issuer {
    pub url: String,
    says: Arc<Mutex<Says>>,
}

impl Issuer {
    pub async fn publishing(keys: &[&Key]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let issuer = Self {
            url: url.clone(),
            says: Arc::default(),
        };
        issuer.says().name = url;
        issuer.publishes(keys);
        let serving = issuer.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                serving.answer(stream).await;
            }
        });
        issuer
    }

    pub fn says(&self) -> MutexGuard<'_, Says> {
        self.says.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn publishes(&self, keys: &[&Key]) {
        self.says().keys = keys.iter().map(|key| key.public()).collect();
    }

    /// Claims that are good in every way.
    pub fn claims(&self) -> Value {
        json!({"iss": self.url, "aud": AUDIENCE, "sub": "ada", "exp": in_seconds(60), "nbf": in_seconds(0)})
    }

    async fn answer(&self, mut stream: TcpStream) {
        let mut request = [0; 1024];
        let read = stream.read(&mut request).await.unwrap();
        let (status, body) = self.reply(&String::from_utf8_lossy(&request[..read]));
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        stream.write_all((head + &body).as_bytes()).await.unwrap();
    }

    fn reply(&self, request: &str) -> (&'static str, String) {
        let mut says = self.says();
        let path = request.split(' ').nth(1).unwrap_or_default();
        says.asked += usize::from(path == "/.well-known/openid-configuration");
        match path {
            _ if says.down => ("503 Service Unavailable", String::new()),
            "/.well-known/openid-configuration" => {
                let keys = format!("{}/keys", self.url);
                (
                    "200 OK",
                    json!({"issuer": says.name, "jwks_uri": keys}).to_string(),
                )
            }
            "/keys" => ("200 OK", json!({"keys": says.keys}).to_string()),
            _ => ("404 Not Found", String::new()),
        }
    }
}
