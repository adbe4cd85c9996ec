//! How large things may be that more than one part of the system measures.

/// A message of the record, a plan's step, a person's feedback, in bytes. What is longer is an artifact, and its beginning is told.
pub const CONTENT_BYTES: usize = 32 * 1024;

/// How much of a task a run's row and its first event tell, in characters.
pub const DESCRIPTION_CHARS: usize = 2_000;

/// An event as a frame to a WebSocket client, in bytes: API Gateway takes no larger one.
pub const FRAME_BYTES: usize = 128 * 1024;
