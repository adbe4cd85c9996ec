//! The settings of the console, and what the page learns of them.

use environment::{EnvironmentError, required};
use lambda_kit::EdgeSettings;
use serde::Serialize;

environment::settings! {
    /// What the console needs beside the edge's settings. The fields say what
    /// [`VARIABLES`](ConsoleSettings::VARIABLES) says.
    pub struct ConsoleSettings;
    "FILES_ORIGIN" files_origin: String,
        "The origin of links to files, which the console's page may open.";
    "CONSOLE_CLIENT_ID" console_client_id: String,
        "The console's client id at the issuer; without one a token is pasted.";
    "CONSOLE_SIGN_IN_ORIGIN" console_sign_in_origin: String,
        "The origin of the issuer's token endpoint, where it is not the issuer's own.";
}

/// How the caller becomes known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SignIn {
    /// The local stack makes every caller its owner.
    None,
    /// A token is pasted.
    Token,
    /// The issuer's page, by authorization code with PKCE.
    Issuer,
}

/// What the page is told. All of it is public.
#[derive(Debug, Serialize)]
pub struct Deployment {
    /// The WebSocket API.
    pub ws_url: String,
    /// How the caller becomes known.
    pub sign_in: SignIn,
    issuer: Option<String>,
    audience: Option<String>,
    client_id: Option<String>,
}

impl Deployment {
    /// From the environment. The WebSocket API stands where its connections are called back.
    pub(crate) fn of(edge: &EdgeSettings, own: &ConsoleSettings) -> Result<Self, EnvironmentError> {
        let url = required("WS_CALLBACK_URL", &edge.ws_callback_url)?;
        let ws_url = url.replacen("http", "ws", 1);
        let sign_in = match (&edge.owner, &own.console_client_id) {
            (Some(_), _) => SignIn::None,
            (None, Some(_)) => SignIn::Issuer,
            (None, None) => SignIn::Token,
        };
        let told = |value: &Option<String>| {
            let value = value.clone();
            value.filter(|_| sign_in == SignIn::Issuer)
        };
        Ok(Self {
            ws_url,
            sign_in,
            issuer: told(&edge.jwt_issuer),
            audience: told(&edge.jwt_audience),
            client_id: told(&own.console_client_id),
        })
    }
}
