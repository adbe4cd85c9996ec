//! `GET /` and `GET /console/{version}/{file}`: the console, a page for people.
//!
//! It needs no token: it has no data, and every route that it asks does. The page names its files
//! by the digest of all of them, so that a browser keeps them for ever and never mixes versions.

mod assets;
mod policy;
mod settings;

use environment::EnvironmentError;
use lambda_http::http::StatusCode;
use lambda_http::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use lambda_http::{Request, RequestExt as _, Response};
use lambda_kit::{Code, EdgeSettings};
use serde_json::json;

pub use assets::{ASSETS, Asset};
pub use settings::{ConsoleSettings, Deployment, SignIn};

/// The file that starts all others. It is no asset, because its name is the page's address.
const PAGE: &str = include_str!("../assets/index.html");

/// The page and its files.
#[derive(Debug)]
pub struct Console {
    version: String,
    page: String,
    policy: String,
}

impl Console {
    /// The page of this deployment.
    ///
    /// # Errors
    /// When a variable is missing or names no origin.
    pub fn new(edge: &EdgeSettings, own: &ConsoleSettings) -> Result<Self, EnvironmentError> {
        let deployment = Deployment::of(edge, own)?;
        let version = assets::version();
        let told = json!(deployment).to_string();
        let page = PAGE
            .replace("{version}", &version)
            .replace("{deployment}", &attribute(&told));
        let policy = policy::of(edge, own, &deployment)?;
        Ok(Self {
            version,
            page,
            policy,
        })
    }

    /// The digest of all files, which their addresses have.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The page, a file of this version, or a 404.
    pub fn answer(&self, request: &Request) -> Response<String> {
        let id = request
            .lambda_context_ref()
            .map(|context| &*context.request_id);
        let id = id.unwrap_or_default();
        let path = request.path_parameters();
        let (status, media_type, cache, body) = match (path.first("version"), path.first("file")) {
            (None, None) => (StatusCode::OK, assets::HTML, "no-cache", self.page.clone()),
            (Some(version), Some(file)) if version == self.version => match assets::find(file) {
                Some(asset) => (
                    StatusCode::OK,
                    asset.media_type,
                    "public, max-age=31536000, immutable",
                    asset.content.to_owned(),
                ),
                None => not_found(id),
            },
            _ => not_found(id),
        };
        let response = Response::builder()
            .status(status)
            .header(CONTENT_TYPE, media_type)
            .header(CACHE_CONTROL, cache)
            .header(CONTENT_SECURITY_POLICY, &self.policy)
            .header("x-content-type-options", "nosniff")
            .header("referrer-policy", "no-referrer")
            .header("cross-origin-opener-policy", "same-origin")
            .header("x-request-id", id);
        response.body(body).unwrap_or_default()
    }
}

/// The error body of the API. A page of an older version asks for files that are gone.
fn not_found(request_id: &str) -> (StatusCode, &'static str, &'static str, String) {
    let body = json!({
        "detail": "The console has no such file; there may be a newer version of it.",
        "code": Code::FileNotFound,
        "request_id": request_id,
    });
    let json = "application/json";
    (StatusCode::NOT_FOUND, json, "no-store", body.to_string())
}

/// A text within the quotes of an attribute.
fn attribute(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('"', "&quot;");
    escaped.replace('<', "&lt;")
}
