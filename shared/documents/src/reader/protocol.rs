//! What the two processes say to each other: a request in the arguments, and lines of JSON back, the bytes of an image
//! behind the line that announces them.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Document, DocumentError, Limits, PageError, PageText};

/// The first argument of a process that is to be the reader.
pub(super) const FLAG: &str = "--read-document";

/// The second argument, as JSON.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Request {
    pub limits: Limits,
    pub job: Job,
}

/// What a reader is for. It does one thing and ends.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Job {
    /// Says what the document is.
    Inspect { path: PathBuf },
    /// The same, then each page from this one on.
    Pages { path: PathBuf, from: u32 },
    /// The same, then one page as an image.
    Render { path: PathBuf, page: u32, dpi: u32 },
    /// Becomes another program, under the limits.
    Become {
        program: PathBuf,
        arguments: Vec<String>,
    },
}

/// One line of a reader's output.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Line {
    /// The first line of all.
    Opened(Document),
    /// Instead of it; the only line.
    Refused(DocumentError),
    /// A page, in order.
    Page {
        number: u32,
        text: Result<PageText, PageError>,
    },
    /// A page's image: as many bytes follow the line.
    Image {
        width: u32,
        height: u32,
        bytes: usize,
    },
}
