//! WebSocket: API Gateway's events, the push to connections, replays and replies.
//!
//! Events go to the runtime directly, not through `lambda_http`. Cargo unites features over a whole
//! build, and with more than one trigger a WebSocket event with `httpMethod` parses as REST.

mod push;
mod replay;
mod reply;

use aws_lambda_events::apigw::ApiGatewayWebsocketProxyRequest;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde::Serialize;
use session_manager::ConnectionId;
use tracing::Instrument as _;

use crate::{Problem, logs};

pub use push::{Delivery, Push};
pub use replay::{Replay, Replayed, continue_replay};
pub use reply::{ReplyContext, ReplyFrame};

/// A frame, a connect or a disconnect.
pub type SocketEvent = ApiGatewayWebsocketProxyRequest;

/// The reply to API Gateway. Any status but 200 refuses a connect.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SocketReply {
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
        // Boxed: the compiler's limit on nested types is below a handler's futures in the
        // runtime's.
        let handled = Box::pin(handler(event.payload));
        async move {
            let status_code = match handled.await {
                Ok(()) => 200,
                Err(problem) => {
                    problem.log();
                    problem.status()
                }
            };
            Ok::<_, Error>(SocketReply { status_code })
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
