//! The eight modes as data: phases, agents, checkpoints, config keys, and first stages.

pub mod agent;
mod checkpoint;
mod ideas;
mod mode_spec;

pub use checkpoint::Checkpoint;
pub(crate) use ideas::instructions as idea_instructions;
pub use mode_spec::ModeSpec;
pub(crate) use mode_spec::Node;
