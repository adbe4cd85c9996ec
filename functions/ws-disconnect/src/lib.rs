//! `$disconnect`: a WebSocket is gone. It stops no run; API Gateway does not always tell, and then a push that fails does.

use lambda_kit::Problem;
use lambda_kit::socket::{SocketEvent, connection_id};
use session_manager::SessionManager;

/// Forgets the connection, and that it followed a session.
///
/// # Errors
/// `unavailable`.
pub async fn handle(sessions: &SessionManager, event: SocketEvent) -> Result<(), Problem> {
    sessions.disconnect(&connection_id(&event)?).await?;
    Ok(())
}
