//! The paths of the modes, one file each. They are compared with the readable specification.

mod copilot;
mod documents;
mod hitl_interactive;
mod idea_generation;
mod one_shot;
mod planning_control;
