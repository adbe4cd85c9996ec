//! An HTTP client for AWS's SDK that answers from a function: tests record what was asked and reply
//! without a server.
//!
//! `aws-smithy-http-client` has such a client behind `test-util`, which switches on
//! `serde_json/preserve_order` and so compiles every crate of the workspace a second time.

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;

/// Makes a client whose every request is answered by `reply`.
pub fn stub_client<B: Into<SdkBody>>(
    reply: impl Fn(http::Request<SdkBody>) -> http::Response<B> + Send + Sync + 'static,
) -> SharedHttpClient {
    let answer = move |request: HttpRequest| {
        let request = request
            .try_into_http1x()
            .map_err(|error| other(error.into()))?;
        HttpResponse::try_from(reply(request).map(Into::into)).map_err(|error| other(error.into()))
    };
    let connector = SharedHttpConnector::new(Stub(answer));
    http_client_fn(move |_, _| connector.clone())
}

struct Stub<F>(F);

impl<F> std::fmt::Debug for Stub<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stub")
    }
}

impl<F> HttpConnector for Stub<F>
where
    F: Fn(HttpRequest) -> Result<HttpResponse, ConnectorError> + Send + Sync + 'static,
{
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::ready((self.0)(request))
    }
}

fn other(error: Box<dyn std::error::Error + Send + Sync>) -> ConnectorError {
    ConnectorError::other(error, None)
}
