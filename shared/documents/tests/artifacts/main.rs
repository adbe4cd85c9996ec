//! The files of a session, against a bucket with scripted replies that records its requests.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the answer")]

mod bucket;
mod link;
mod list;
mod purge;
mod read;
mod sigv4;
mod text;
mod write;

use documents::{ArtifactKey, ArtifactName};
use session::RunId;

const RUN: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

fn name(name: &str) -> ArtifactName {
    name.parse().unwrap()
}

fn run() -> RunId {
    RUN.parse().unwrap()
}

/// An artifact of the run with this name.
fn artifact(file: &str) -> ArtifactKey {
    ArtifactKey::Run(run(), name(file))
}
