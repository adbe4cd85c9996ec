//! `POST /api/sessions/{session_id}/uploads`: a link for one upload to the bucket.

mod operation;

use std::collections::BTreeMap;

use documents::{ArtifactName, Artifacts, ContentType, MAX_UPLOAD_BYTES};
use lambda_kit::http::{self, HttpReply};
use lambda_kit::{App, Code, Problem, Request, json, now};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use session::Timestamp;

pub use operation::operation;

/// The request that sends a file.
#[derive(Serialize, JsonSchema)]
struct Upload {
    /// The name of the artifact after the upload.
    artifact: String,
    /// The link of the upload, for everyone who has it.
    url: String,
    /// `PUT`.
    method: &'static str,
    /// The headers of the upload, to be sent unchanged; S3 refuses an upload without them.
    headers: BTreeMap<String, String>,
    /// The upload must begin before this time.
    expires_at: Timestamp,
}

/// The file of an upload.
#[derive(Deserialize, JsonSchema)]
struct NewUpload {
    /// Without separators, control and format characters, without blanks at its ends, neither `.`
    /// nor `..`, and of at most 900 bytes. It is kept in Unicode's normal form C.
    #[serde(deserialize_with = "json::parsed")]
    #[schemars(with = "String", length(min = 1, max = 255), regex(pattern = ArtifactName::PATTERN))]
    name: ArtifactName,
    /// Its media type, which a download gets too.
    #[serde(deserialize_with = "json::parsed")]
    #[schemars(with = "String", length(max = 255), regex(pattern = ContentType::PATTERN))]
    content_type: ContentType,
    /// In bytes.
    #[serde(deserialize_with = "json::count")]
    #[schemars(range(min = 1, max = MAX_UPLOAD_BYTES))]
    size: u64,
}

/// Answers with a link for one upload of this name, type and length. The artifact exists after the
/// upload. A further upload with the same name, by a link of its own, replaces it. S3 refuses an
/// upload with 412 where another one of the name came first since its link was made.
///
/// # Errors
/// `session_not_found`, `malformed_json`, `too_large`, `too_many_bytes`, `invalid_field`, and those
/// of every route.
pub async fn handle(
    app: &App,
    artifacts: &Artifacts,
    request: Request,
) -> Result<HttpReply, Problem> {
    let (actor, session) = app.admit(&request)?;
    let NewUpload {
        name,
        content_type,
        size,
    } = http::body(&request)?;
    if size > MAX_UPLOAD_BYTES {
        let detail = format!("An upload may have at most {MAX_UPLOAD_BYTES} bytes.");
        return Err(Problem::new(Code::TooLarge, detail));
    }

    let (state, now) = (app.sessions.state(session, &actor).await?, now());
    app.sessions.promise_upload(&state.owner, size, now).await?;
    let files = artifacts.of(&state.owner, session);
    let link = files.upload_link(&name, &content_type, size, now).await;
    let link = link.map_err(Problem::unavailable)?;
    HttpReply::ok(&Upload {
        artifact: name.into(),
        url: link.url,
        method: "PUT",
        headers: link.headers,
        expires_at: link.expires_at,
    })
}

#[cfg(test)]
mod tests {
    use documents::LINK_TIME;
    use documents::testing::Bucket;
    use lambda_kit::testing::wire::{asked, entry, found, no_place};
    use lambda_kit::testing::{ID, Wire, app, expect, of_session, post};
    use serde_json::{Value, json};
    use session::Rules;

    use super::*;

    #[tokio::test]
    async fn a_promise_that_cannot_be_held_is_named() {
        let (app, bucket) = (app(), Bucket::silent());
        let with = |name: &str, value: Value| {
            let mut body = json!({"name": "a.pdf", "content_type": "application/pdf", "size": 7});
            body[name] = value;
            post(body.to_string())
        };
        let mut cases = vec![
            (of_session("x"), Code::SessionNotFound),
            (post("{"), Code::MalformedJson),
            (post("[]"), Code::InvalidField),
            (with("more", json!([1])), Code::Unavailable),
            (with("size", MAX_UPLOAD_BYTES.into()), Code::Unavailable),
            (with("size", (MAX_UPLOAD_BYTES + 1).into()), Code::TooLarge),
        ];
        for (field, values) in [
            (
                "name",
                json!([
                    null,
                    1,
                    "",
                    "..",
                    "../a",
                    "a/b",
                    "a\\b",
                    "a\n",
                    " lead.pdf",
                    "a\u{202e}fdp.exe",
                    "x".repeat(256)
                ]),
            ),
            (
                "content_type",
                json!([null, 1, "", "pdf", "a/b\r\nx: y", "text/plain; ü"]),
            ),
            ("size", json!([null, "7", 0, -1, 1.5, 1e30, true])),
        ] {
            let values = values.as_array().unwrap().iter();
            cases.extend(values.map(|value| (with(field, value.clone()), Code::InvalidField)));
        }
        expect(|request| handle(&app, &bucket.artifacts, request), cases).await;
        assert!(bucket.asked().is_empty());
    }

    #[test]
    fn a_link_is_dead_before_its_deleted_session_is_purged() {
        assert!(LINK_TIME < Rules::default().purge_delay);
    }

    #[tokio::test]
    async fn a_link_costs_one_read_of_the_table_and_one_look_for_the_name() {
        let (state, _) = asked(now());
        let wire = Wire::new([("Query", found(&[entry(&state)]))]);
        let bucket = Bucket::new(|_, _| (404, "application/xml", String::new()));
        let decomposed = "a e\u{301}.pdf";
        let body = json!({"name": decomposed, "content_type": "application/pdf", "size": 7});
        let reply = handle(&wire.app(), &bucket.artifacts, post(body.to_string())).await;
        let reply: Value = serde_json::from_str(reply.unwrap().json()).unwrap();
        assert_eq!(reply["artifact"], "a \u{e9}.pdf");
        assert_eq!(reply["method"], "PUT");
        let headers = json!({
            "content-length": "7", "content-type": "application/pdf", "if-none-match": "*",
        });
        assert_eq!(reply["headers"], headers);
        let url = reply["url"].as_str().unwrap();
        let place = format!("/{ID}/uploads/a%20%C3%A9.pdf?");
        assert!(url.contains(&place), "{url}");
        assert!(reply["expires_at"].is_string());
        assert_eq!(wire.asked(), ["Query"]);
        assert!(bucket.asked()[0].starts_with("HEAD "));
        assert_eq!(bucket.asked().len(), 1);
    }

    #[tokio::test]
    async fn beyond_the_bytes_of_a_day_there_is_no_link() {
        let (state, _) = asked(now());
        let read = ("Query", found(&[entry(&state)]));
        // The first of them says that the owner's bytes are promised.
        let [full, _] = no_place();
        let (wire, bucket) = (Wire::new([read, full]), Bucket::silent());
        let body = json!({"name": "a.pdf", "content_type": "application/pdf", "size": 7});
        let app = wire.app_with_a_limit();
        let refused = handle(&app, &bucket.artifacts, post(body.to_string())).await;
        let problem = refused.unwrap_err();
        assert_eq!(problem.code(), Code::TooManyBytes);
        assert_eq!(problem.status(), 429);
        assert_eq!(wire.asked(), ["Query", "UpdateItem"]);
        assert!(bucket.asked().is_empty());
    }
}
