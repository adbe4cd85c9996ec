//! WebSocket events, once: API Gateway's event to a handler, and the status that it expects back.
//!
//! They go to the runtime directly, not through `lambda_http`: cargo unites features over a whole build, and with more
//! than one trigger on, a WebSocket event that carries `httpMethod` parses as REST.

use aws_lambda_events::apigw::ApiGatewayWebsocketProxyRequest;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde::Serialize;
use session_manager::ConnectionId;
use tracing::Instrument as _;

use crate::{Problem, logs};

/// A frame, a connect or a disconnect.
pub type SocketEvent = ApiGatewayWebsocketProxyRequest;

/// What API Gateway wants to know: whether to let the connection stand.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    status_code: u16,
}

/// Serves events until the process ends.
///
/// # Errors
/// When the Lambda runtime itself fails.
pub async fn serve<H, F>(handler: H) -> Result<(), Error>
where
    H: Fn(SocketEvent) -> F,
    F: Future<Output = Result<(), Problem>>,
{
    run(service_fn(|event: LambdaEvent<SocketEvent>| {
        let span = logs::request(&event.context);
        span.record(
            "connection_id",
            event.payload.request_context.connection_id.as_deref(),
        );
        // Boxed: a handler's whole tree of futures within the runtime's is deeper than the compiler likes.
        let handled = Box::pin(handler(event.payload));
        async move {
            let status_code = match handled.await {
                Ok(()) => 200,
                Err(problem) => {
                    problem.log();
                    problem.status()
                }
            };
            Ok::<_, Error>(Answer { status_code })
        }
        .instrument(span)
    }))
    .await
}

/// The connection that an event comes from.
///
/// # Errors
/// `internal`: API Gateway names it in every event.
pub fn connection_id(event: &SocketEvent) -> Result<ConnectionId, Problem> {
    let id = event.request_context.connection_id.clone();
    id.map(ConnectionId::new)
        .ok_or_else(|| Problem::internal("the event names no connection"))
}
