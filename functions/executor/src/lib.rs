//! Consumes the queue: one message is one slice of a run.
