//! The parts of a request besides its query: ids in the path, a JSON body, an idempotency key.

use lambda_http::{Body, Request, RequestExt as _};
use serde::de::{DeserializeOwned, IgnoredAny};
use session::{ApprovalId, OwnerId, Refusal, RunId, SessionId};
use session_manager::{ChangeError, RequestKey, RequestKeyItem};

use crate::{Code, JsonObject, Problem};

/// The largest body, in bytes: a task and a config of 64 KiB each, in any JSON escaping.
const MAX_BODY: usize = 1024 * 1024;

/// The longest `Idempotency-Key`, in characters.
const MAX_KEY: usize = 255;

/// The `{session_id}` of the path. A text that is no id names no session.
///
/// # Errors
/// `session_not_found`.
pub fn session_id(request: &Request) -> Result<SessionId, Problem> {
    path_id(request, "session_id", Refusal::NoSuchSession)
}

/// The `{run_id}` of the path.
///
/// # Errors
/// `run_not_found`.
pub fn run_id(request: &Request) -> Result<RunId, Problem> {
    path_id(request, "run_id", Refusal::NoSuchRun)
}

/// The `{approval_id}` of the path.
///
/// # Errors
/// `approval_not_found`.
pub fn approval_id(request: &Request) -> Result<ApprovalId, Problem> {
    path_id(request, "approval_id", Refusal::NoSuchApproval)
}

/// The `{node_id}` of the path, as it is.
pub fn node_id(request: &Request) -> String {
    let parameters = request.path_parameters_ref();
    let node = parameters.and_then(|parameters| parameters.first("node_id"));
    node.unwrap_or_default().to_owned()
}

fn path_id<T: std::str::FromStr>(
    request: &Request,
    name: &str,
    otherwise: Refusal,
) -> Result<T, Problem> {
    let parameters = request.path_parameters_ref();
    parameters
        .and_then(|parameters| parameters.first(name)?.parse().ok())
        .ok_or_else(|| otherwise.into())
}

/// The body, which must be a JSON object.
///
/// # Errors
/// `too_large`, `malformed_json`, `invalid_field`.
pub fn body<T: DeserializeOwned>(request: &Request) -> Result<T, Problem> {
    JsonObject::parse(text(request)?)?.read()
}

/// The body; a missing one counts as an empty object.
///
/// # Errors
/// As [`body`].
pub fn optional_body<T: DeserializeOwned>(request: &Request) -> Result<T, Problem> {
    let text = match text(request)? {
        "" => "{}",
        text => text,
    };
    JsonObject::parse(text)?.read()
}

/// The body of a route that takes none. One that comes must still be a JSON object.
///
/// # Errors
/// As [`body`].
pub fn no_body(request: &Request) -> Result<(), Problem> {
    optional_body::<IgnoredAny>(request).map(drop)
}

/// The client's `Idempotency-Key`, if it sent one, for this path and this body.
///
/// # Errors
/// `invalid_field` for a key that is empty or too long.
pub fn request_key(request: &Request, owner: &OwnerId) -> Result<Option<RequestKey>, Problem> {
    let Some(header) = request.headers().get("idempotency-key") else {
        return Ok(None);
    };
    let key = header
        .to_str()
        .ok()
        .filter(|key| (1..=MAX_KEY).contains(&key.len()))
        .ok_or_else(|| {
            Problem::field(
                "Idempotency-Key",
                format_args!("1 to {MAX_KEY} characters of ASCII"),
            )
        })?;
    let path = request.raw_http_path();
    Ok(Some(RequestKey::idempotency(
        owner.clone(),
        path,
        key,
        text(request)?,
    )))
}

/// The item of a key that the same request has used before; else the problem.
///
/// # Errors
/// `idempotency_key_reused`, or the problem of the error.
pub fn first_time(key: Option<&RequestKey>, error: ChangeError) -> Result<RequestKeyItem, Problem> {
    match (error, key) {
        (ChangeError::KeyTaken(record), Some(key)) if key.is_same_request(&record) => Ok(*record),
        (error, _) => Err(error.into()),
    }
}

fn text(request: &Request) -> Result<&str, Problem> {
    let bytes = match request.body() {
        Body::Text(text) => text.as_bytes(),
        Body::Binary(bytes) => bytes,
        _ => &[],
    };
    if bytes.len() > MAX_BODY {
        let detail = "The body is larger than 1 MiB.";
        return Err(Problem::new(Code::TooLarge, detail));
    }
    std::str::from_utf8(bytes)
        .map_err(|_| Problem::new(Code::MalformedJson, "The body is not UTF-8."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    fn with_body(body: Body) -> Request {
        Request::new(body)
    }

    #[test]
    fn a_path_id_that_is_no_id_names_nothing() {
        let request = |id: &str| {
            let parameters = HashMap::from([("session_id".to_owned(), id.to_owned())]);
            Request::new(Body::Empty).with_path_parameters(parameters)
        };
        let id = "01890a5d-ac96-774b-bcce-b302099a8057";
        assert_eq!(session_id(&request(id)).unwrap().to_string(), id);
        for bad in ["", "x", "../etc", "01890a5dac96774bbcceb302099a8057"] {
            assert_eq!(
                session_id(&request(bad)).unwrap_err().status(),
                404,
                "{bad}"
            );
        }
        assert_eq!(run_id(&request(id)).unwrap_err().code(), Code::RunNotFound);
    }

    fn no_fields(request: &Request) -> Result<IgnoredAny, Problem> {
        body(request)
    }

    #[test]
    fn bodies_are_json_objects_of_at_most_a_mebibyte() {
        for (body, status) in [
            (Body::Empty, 400),
            (Body::Text("{".into()), 400),
            (Body::Binary(vec![b'{', 0xff, b'}']), 400),
            (Body::Text("[1]".into()), 422),
            (Body::Text("x".repeat(MAX_BODY + 1)), 413),
        ] {
            assert_eq!(no_fields(&with_body(body)).unwrap_err().status(), status);
        }
        assert!(no_fields(&with_body(Body::Binary(b"{}".to_vec()))).is_ok());
        assert!(no_body(&with_body(Body::Empty)).is_ok());
        let broken = no_body(&with_body(Body::Text("{".into())));
        assert_eq!(broken.unwrap_err().status(), 400);
    }

    #[test]
    fn an_idempotency_key_is_short_text() {
        let with_key = |key: &str| {
            let mut request = with_body(Body::Empty);
            request
                .headers_mut()
                .insert("idempotency-key", key.parse().unwrap());
            request
        };
        let owner = OwnerId::of("issuer", "ada");
        let key_of = |request: &Request| request_key(request, &owner);
        assert_eq!(key_of(&with_body(Body::Empty)).unwrap(), None);
        assert!(key_of(&with_key("k-1")).unwrap().is_some());
        assert_ne!(
            key_of(&with_key("k-1")).unwrap(),
            key_of(&with_key("k-2")).unwrap()
        );
        for bad in [String::new(), "k".repeat(MAX_KEY + 1), "ключ".into()] {
            assert_eq!(key_of(&with_key(&bad)).unwrap_err().status(), 422);
        }
    }
}
