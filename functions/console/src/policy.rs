//! The Content-Security-Policy of the page: what it may load, and whom it may ask.

use environment::{EnvironmentError, required};
use lambda_kit::EdgeSettings;

use crate::settings::{ConsoleSettings, Deployment, SignIn};

/// Nothing inline and no third party. Trusted types refuse every text as HTML, so that a fault of
/// the page cannot make a model's text into markup.
pub(crate) fn of(
    edge: &EdgeSettings,
    own: &ConsoleSettings,
    deployment: &Deployment,
) -> Result<String, EnvironmentError> {
    let files = origin("FILES_ORIGIN", required("FILES_ORIGIN", &own.files_origin)?)?;
    let mut connects = vec!["'self'".to_owned()];
    connects.push(origin("WS_CALLBACK_URL", &deployment.ws_url)?);
    connects.push(files.clone());
    if deployment.sign_in == SignIn::Issuer {
        let issuer = required("JWT_ISSUER", &edge.jwt_issuer)?;
        connects.push(origin("JWT_ISSUER", issuer)?);
        let other = own.console_sign_in_origin.as_deref();
        connects.extend(
            other
                .map(|url| origin("CONSOLE_SIGN_IN_ORIGIN", url))
                .transpose()?,
        );
    }
    Ok(format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' {files}; \
         connect-src {}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'",
        connects.join(" ")
    ))
}

/// `https://host:1/path` → `https://host:1`. Nothing in it can end the directive.
fn origin(name: &'static str, url: &str) -> Result<String, EnvironmentError> {
    let invalid = || EnvironmentError::Invalid {
        name,
        problem: "it must be an address such as https://files.example".to_owned(),
    };
    let (scheme, rest) = url.split_once("://").ok_or_else(invalid)?;
    let host = rest.split('/').next().unwrap_or_default();
    let is_known = ["http", "https", "ws", "wss"].contains(&scheme);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
    if is_known && !host.is_empty() && host.bytes().all(plain) {
        Ok(format!("{scheme}://{host}"))
    } else {
        Err(invalid())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_scheme_and_host_and_nothing_that_ends_a_directive() {
        let of = |url| origin("X", url).ok();
        assert_eq!(of("wss://a.example/v1").as_deref(), Some("wss://a.example"));
        assert_eq!(
            of("http://127.0.0.1:4566").as_deref(),
            Some("http://127.0.0.1:4566")
        );
        for url in [
            "",
            "a.example",
            "https://",
            "https://a;script-src *",
            "data://a",
        ] {
            assert_eq!(of(url), None, "{url}");
        }
    }
}
