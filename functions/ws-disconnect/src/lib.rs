//! `$disconnect`: a WebSocket is closed. It stops no run. API Gateway does not always call this
//! function; a push that fails then deletes the connection.

use lambda_kit::Problem;
use lambda_kit::websocket::{SocketEvent, connection_id};
use session_manager::SessionManager;

/// Deletes the connection, and its entry among a session's followers.
///
/// # Errors
/// `unavailable`.
pub async fn handle(sessions: &SessionManager, event: SocketEvent) -> Result<(), Problem> {
    sessions.disconnect(&connection_id(&event)?).await?;
    Ok(())
}
