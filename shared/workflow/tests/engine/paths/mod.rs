//! The paths of the modes, a file each: the readable specification is what they are compared with.

mod copilot;
mod documents;
mod hitl_interactive;
mod idea_generation;
mod one_shot;
mod planning_control;
