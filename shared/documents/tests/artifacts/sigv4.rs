//! What S3 checks of a presigned request, written from its specification and without the SDK
//! (<https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html>).

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit as _, Mac as _};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use session::Timestamp;
use sha2::{Digest as _, Sha256};

/// All but the unreserved characters of RFC 3986.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A request to a link.
#[derive(Debug, Clone)]
pub struct Presigned {
    pub method: &'static str,
    pub url: String,
    pub headers: BTreeMap<String, String>,
}

impl Presigned {
    /// S3's answer at this time to a request that was signed with this secret.
    pub fn check(&self, secret: &str, now: Timestamp) -> Result<(), &'static str> {
        let (place, query) = self.url.split_once('?').unwrap();
        let (host, path) = place.split_once("://").unwrap().1.split_once('/').unwrap();
        let query: BTreeMap<_, _> = query
            .split('&')
            .map(|pair| pair.split_once('=').unwrap())
            .map(|(name, value)| (decoded(name), decoded(value)))
            .collect();
        if self.url.matches('&').count() + 1 != query.len() {
            return Err("InvalidArgument: a parameter comes twice");
        }
        let date = &query["X-Amz-Date"];
        if now.as_seconds() > seconds(date) + query["X-Amz-Expires"].parse::<i64>().unwrap() {
            return Err("AccessDenied: the request has expired");
        }
        let signed: Vec<_> = query["X-Amz-SignedHeaders"].split(';').collect();
        let mut headers = String::new();
        for name in &signed {
            let value = if *name == "host" {
                Some(host)
            } else {
                self.headers.get(*name).map(|value| value.trim())
            };
            let value = value.ok_or("AccessDenied: a signed header is missing")?;
            headers += &format!("{name}:{value}\n");
        }
        let parameters: Vec<_> = query
            .iter()
            .filter(|(name, _)| *name != "X-Amz-Signature")
            .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
            .collect();
        let path: Vec<_> = path
            .split('/')
            .map(|part| encoded(&decoded(part)))
            .collect();
        let canonical = format!(
            "{}\n/{}\n{}\n{headers}\n{}\nUNSIGNED-PAYLOAD",
            self.method,
            path.join("/"),
            parameters.join("&"),
            signed.join(";")
        );
        let scope = query["X-Amz-Credential"].split_once('/').unwrap().1;
        let digest = hex(&Sha256::digest(&canonical));
        let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{digest}");
        let key = scope
            .split('/')
            .fold(format!("AWS4{secret}").into_bytes(), |key, part| {
                mac(&key, part)
            });
        if query["X-Amz-Signature"] == hex(&mac(&key, &text)) {
            Ok(())
        } else {
            Err("SignatureDoesNotMatch")
        }
    }
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8().unwrap().into_owned()
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

/// Of `20130524T000000Z`.
fn seconds(date: &str) -> i64 {
    let part = |from: usize, to: usize| &date[from..to];
    let (day, time) = (
        format!("{}-{}-{}", part(0, 4), part(4, 6), part(6, 8)),
        format!("{}:{}:{}", part(9, 11), part(11, 13), part(13, 15)),
    );
    let date: Timestamp = format!("{day}T{time}.000000Z").parse().unwrap();
    date.as_seconds()
}

/// The example of the specification.
#[test]
fn the_example_of_the_specification_is_accepted_and_nothing_that_differs() {
    let example = Presigned {
        method: "GET",
        url: "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256\
              &X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request\
              &X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host\
              &X-Amz-Signature=\
              aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
            .to_owned(),
        headers: BTreeMap::new(),
    };
    let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    let now = "2013-05-24T10:00:00.000000Z".parse().unwrap();
    assert_eq!(example.check(secret, now), Ok(()));
    let other = |of: &str, by: &str| {
        let mut other = example.clone();
        other.url = other.url.replace(of, by);
        other.check(secret, now)
    };
    for (of, by) in [
        ("test.txt", "text.txt"),
        ("86400", "86401"),
        ("us-east-1", "us-east-2"),
    ] {
        assert_eq!(other(of, by), Err("SignatureDoesNotMatch"), "{by}");
    }
    let late = "2013-05-25T00:00:01.000000Z".parse().unwrap();
    assert!(example.check(secret, late).is_err());
    assert!(example.check("another", now).is_err());
}
