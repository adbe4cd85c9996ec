//! Reads untrusted documents: the number of pages, the text layer of each page, and the page's
//! image for an OCR engine.
//!
//! All parsing happens in a child process: this program, started with a hidden argument, without
//! its environment, with kernel limits on memory and time, and behind walls that leave it no file,
//! no network and no other process. A crash affects only the current page; the next child continues
//! after it. Therefore the first line of a `main` is [`serve_if_child`].

mod child;
mod damage;
mod error;
mod kind;
mod layout;
mod pages;
mod process;
mod protocol;

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Once;
use std::time::Duration;

use rustix::process::{DumpableBehavior, set_dumpable_behavior};
use serde::{Deserialize, Serialize};
use tokio::io::AsyncReadExt;
use tokio::process::Command;

use child::Wall;
pub use child::serve_if_child;
pub use damage::{Damage, Fault, Part};
pub use error::{DocumentError, PageError, RenderError};
pub use kind::{DocumentKind, Foreign};
pub use pages::{Page, Pages};
use process::Child;
pub(crate) use process::Death;
use protocol::{Job, ReaderReply};

/// The limits of reading one document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Address space of the child, in bytes.
    pub memory: u64,
    /// The time for opening the document, and then for each page: of the processor, where the
    /// system tells it, and three times as much by the clock.
    pub page_time: Duration,
    /// The time for all pages of one [`Pages`]; also the child's limit of processor time.
    pub time: Duration,
    /// Maximum size of the file, in bytes. The child holds it in memory.
    pub bytes: u64,
    /// Maximum number of pages.
    pub pages: u32,
}

impl Limits {
    /// The defaults, with half of a machine's memory, in bytes. The parent has the other half. It
    /// may hold a PDF of 64 MiB.
    pub fn of_machine(memory: u64) -> Self {
        Self {
            memory: memory / 2,
            ..Self::default()
        }
    }
}

impl Default for Limits {
    /// 512 MiB, 20 seconds per page, two minutes in total, 100 MiB, 2,000 pages.
    fn default() -> Self {
        Self {
            memory: 512 << 20,
            page_time: Duration::from_secs(20),
            time: Duration::from_secs(120),
            bytes: 100 << 20,
            pages: 2_000,
        }
    }
}

/// The kind and length of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// Determined by the bytes.
    pub kind: DocumentKind,
    /// At least 1.
    pub pages: u32,
}

/// The text layer of a page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageText {
    /// Lines in reading order, with blank lines between paragraphs; at most 1 MiB.
    pub text: String,
    /// Whether this is the text that a person would read on the page. If not, an OCR engine should
    /// read the image.
    pub usable: bool,
    /// What of the page is damaged. The text is then what could be read of it.
    pub damage: Option<Damage>,
}

/// A page as an image within the limits of every OCR engine.
#[derive(Clone, PartialEq, Eq)]
pub struct PageImage {
    /// PNG with 8 bits of grey, at most 5 MB.
    pub png: Vec<u8>,
    /// In pixels, at most 4,000.
    pub width: u32,
    /// In pixels, at most 4,000.
    pub height: u32,
    /// What of the page is damaged. The image then shows what could be read of it.
    pub damage: Option<Damage>,
}

/// Omits the image, which is large and does not belong into a log.
impl fmt::Debug for PageImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut image = f.debug_struct("PageImage");
        image
            .field("width", &self.width)
            .field("height", &self.height);
        image.finish_non_exhaustive()
    }
}

/// Reads documents, each in a child process.
#[derive(Debug, Clone)]
pub struct Reader {
    program: PathBuf,
    limits: Limits,
}

impl Reader {
    /// The children run this program, whose `main` begins with [`serve_if_child`]. From now on no
    /// other process of its user reads this one's memory and environment, which hold keys.
    ///
    /// # Errors
    /// [`DocumentError::Reader`] when the system cannot name the executable.
    pub fn this_program(limits: Limits) -> Result<Self, DocumentError> {
        set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(DocumentError::reader)?;
        let program = std::env::current_exe().map_err(DocumentError::reader)?;
        Ok(Self::with_program(program, limits))
    }

    /// The children run another program whose `main` begins with [`serve_if_child`]. A test has no
    /// `main` of its own.
    pub fn with_program(program: impl Into<PathBuf>, limits: Limits) -> Self {
        Self {
            program: program.into(),
            limits,
        }
    }

    /// Determines the kind and length of a document and whether it can be opened. A known file
    /// extension must match the bytes. Without one, the bytes decide.
    ///
    /// # Errors
    /// [`DocumentError`].
    pub async fn inspect(&self, path: &Path) -> Result<Document, DocumentError> {
        let path = path.to_owned();
        self.open(Job::Inspect { path }).await.map(|(_, it)| it)
    }

    /// The pages from number `from` on (the first is 1), read on demand.
    pub fn pages(&self, path: &Path, from: u32) -> Pages {
        Pages::new(self.clone(), path.to_owned(), from)
    }

    /// Renders a page as an image at `dpi`, or at a lower resolution if the page is large. A
    /// document that is an image keeps its pixels as far as they fit into a [`PageImage`], rotated
    /// by its Exif orientation.
    ///
    /// # Errors
    /// [`RenderError`].
    pub async fn render(&self, path: &Path, page: u32, dpi: u32) -> Result<PageImage, RenderError> {
        let path = path.to_owned();
        let (mut child, _) = self.open(Job::Render { path, page, dpi }).await?;
        match child.line(self.limits.page_time).await {
            Ok(ReaderReply::Image {
                width,
                height,
                damage,
                bytes,
            }) if bytes <= child::MAX_PNG_BYTES => {
                let mut png = vec![0; bytes];
                let read = tokio::time::timeout(
                    self.limits.page_time,
                    child.output().read_exact(&mut png),
                );
                match read.await {
                    Ok(Ok(_)) => Ok(PageImage {
                        png,
                        width,
                        height,
                        damage,
                    }),
                    _ => Err(DocumentError::reader("an image broke off").into()),
                }
            }
            Ok(ReaderReply::Page {
                text: Err(error), ..
            }) => Err(error.into()),
            Ok(_) => Err(DocumentError::reader("something else than an image came").into()),
            Err(death) => Err(death.of_page(&self.limits)?.into()),
        }
    }

    /// A child that has opened the document.
    async fn open(&self, job: Job) -> Result<(Child, Document), DocumentError> {
        let mut child = Child::start(&self.program, self.limits, job)?;
        let mut first = child.line(self.limits.page_time).await;
        if let Ok(ReaderReply::Confined { missing }) = first {
            report(&missing);
            first = child.line(self.limits.page_time).await;
        }
        match first {
            Ok(ReaderReply::Opened(document)) => Ok((child, document)),
            Ok(ReaderReply::Refused(error)) => Err(error),
            Ok(_) => Err(DocumentError::reader("a page came before the document")),
            Err(death) => Err(death.of_document(&self.limits)),
        }
    }
}

/// Says once in the life of this process which walls its kernel lacks.
fn report(missing: &[Wall]) {
    static SAID: Once = Once::new();
    if !missing.is_empty() {
        SAID.call_once(|| tracing::warn!(?missing, "readers of documents lack walls"));
    }
}

/// Another program behind the walls of a reader. Its only inputs are these arguments, its standard
/// input, what is installed on the machine, and the files and folders in `reads`.
pub(crate) fn becoming(
    reader: &Reader,
    limits: Limits,
    program: &Path,
    arguments: &[&str],
    reads: Vec<PathBuf>,
) -> Result<Command, DocumentError> {
    let job = Job::Become {
        program: program.to_owned(),
        arguments: arguments.iter().map(ToString::to_string).collect(),
        reads,
    };
    let mut command = process::command(&reader.program, limits, job)?;
    command.stdin(Stdio::piped());
    Ok(command)
}
