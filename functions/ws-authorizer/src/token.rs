//! Finds the token in the `Authorization` header, or in `?token=` for browsers, which cannot set
//! headers on a WebSocket.

use aws_lambda_events::apigw::ApiGatewayCustomAuthorizerRequestTypeRequest as Event;

const SCHEME: &str = "Bearer";

/// The token, if there is one. The header has precedence over the query.
pub fn of(event: &Event) -> Option<&str> {
    let header = event.headers.get("authorization");
    let token = match header {
        Some(value) => bearer(value.to_str().ok()?)?,
        None => event.query_string_parameters.first("token")?,
    };
    Some(token).filter(|token| !token.is_empty())
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.trim().split_once(' ')?;
    scheme
        .eq_ignore_ascii_case(SCHEME)
        .then_some(token.trim_start())
}
