//! Size limits that more than one crate checks.

/// The limit of a message, a step of a plan and feedback, in bytes. A longer text is stored as an
/// artifact, and the event holds its beginning.
pub const CONTENT_BYTES: usize = 32 * 1024;

/// The limit of a task's description in the run's row and first event, in characters.
pub const DESCRIPTION_CHARS: usize = 2_000;

/// The limit of a frame to a WebSocket client in bytes, set by API Gateway.
pub const FRAME_BYTES: usize = 128 * 1024;
