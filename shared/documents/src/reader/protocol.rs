//! The protocol between the two processes. The request is passed in the arguments. The response
//! consists of JSON lines; the bytes of an image follow the line that announces them.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::child::Wall;
use super::{Damage, Document, DocumentError, Limits, PageError, PageText};

/// The first argument of a reader process.
pub(super) const FLAG: &str = "--read-document";

/// The second argument, as JSON.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Request {
    pub limits: Limits,
    pub job: Job,
}

/// The job of a reader, which does one job and exits.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Job {
    /// Reports the document's kind and length.
    Inspect { path: PathBuf },
    /// The same, then each page from this number on.
    Pages { path: PathBuf, from: u32 },
    /// The same, then one page as an image.
    Render { path: PathBuf, page: u32, dpi: u32 },
    /// Executes another program behind the walls. It reads what is installed, and these files.
    Become {
        program: PathBuf,
        arguments: Vec<String>,
        reads: Vec<PathBuf>,
    },
}

/// One line of a reader's output.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum ReaderReply {
    /// The first line: the walls that the kernel lacks.
    Confined { missing: Vec<Wall> },
    /// The second line.
    Opened(Document),
    /// The second and last line if the document cannot be opened.
    Refused(DocumentError),
    /// A page, in order.
    Page {
        number: u32,
        text: Result<PageText, PageError>,
    },
    /// An image of a page. This number of bytes follows the line.
    Image {
        width: u32,
        height: u32,
        damage: Option<Damage>,
        bytes: usize,
    },
}
