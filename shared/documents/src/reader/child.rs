//! The child process: opens the document, goes behind its walls, does one job, and exits.

mod images;
mod jpeg;
mod pdf;
mod png;
mod walls;

use std::fs::File;
use std::io::{self, Read, Write};
use std::ops::RangeInclusive;
use std::os::unix::process::CommandExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::Command;

use super::protocol::{FLAG, Job, ReaderReply, Request};
use super::{
    Damage, Document, DocumentError, DocumentKind, Fault, Limits, PageError, PageImage, PageText,
    Part,
};
use jpeg::jpeg_ends;
pub(super) use png::MAX_PNG_BYTES;
pub(super) use walls::Wall;
use walls::{Inside, confine};

/// Maximum text of a page, in bytes. A page of a book has 5 KiB.
const MAX_TEXT_BYTES: usize = 1 << 20;

/// Serves as the reader and exits if this process was started as one; otherwise does nothing. Call
/// it in the first line of `main`: any setup before it also runs in each child.
pub fn serve_if_child() {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() != Some(FLAG) {
        return;
    }
    let request = arguments.next().unwrap_or_default();
    let served = serde_json::from_str(&request).map_err(io::Error::from);
    let served = served.and_then(|request| serve(&request, &mut io::stdout().lock()));
    // The parent does not read the error. It detects the failure by the missing line.
    std::process::exit(i32::from(served.is_err()));
}

/// Receives the result of a page.
type Say<'a> = dyn FnMut(u32, Result<PageText, PageError>) -> io::Result<()> + 'a;

/// An open document of any kind.
trait Opened {
    fn pages(&self) -> usize;
    /// Reports each page as soon as it is read.
    fn texts(&self, pages: RangeInclusive<u32>, say: &mut Say<'_>) -> io::Result<()>;
    fn image(&self, page: u32, dpi: u32) -> Result<PageImage, PageError>;
}

fn serve(Request { limits, job }: &Request, output: &mut impl Write) -> io::Result<()> {
    // A panic counts as an answer, and its message could contain text of the document.
    std::panic::set_hook(Box::new(|_| {}));
    match job {
        Job::Inspect { path } => with_document(path, limits, output, |_, _, _| Ok(())),
        Job::Pages { path, from } => {
            with_document(path, limits, output, |document, pages, output| {
                document.texts(*from..=pages, &mut |number, text| {
                    let text = text.map(shortened);
                    say(output, &ReaderReply::Page { number, text })
                })
            })
        }
        Job::Render { path, page, dpi } => {
            with_document(path, limits, output, |document, pages, output| {
                let image = match *page {
                    page if (1..=pages).contains(&page) => unharmed(|| document.image(page, *dpi)),
                    _ => Err(PageError::Missing),
                };
                say_image(output, *page, image)
            })
        }
        Job::Become {
            program,
            arguments,
            reads,
        } => {
            confine(limits, Inside::Program { program, reads })?;
            Err(Command::new(program).args(arguments).exec())
        }
    }
}

fn with_document<W: Write>(
    path: &Path,
    limits: &Limits,
    output: &mut W,
    job: impl FnOnce(&dyn Opened, u32, &mut W) -> io::Result<()>,
) -> io::Result<()> {
    // Opened before the walls, because a reader opens nothing behind them, and read after.
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    let missing = confine(limits, Inside::Reader)?;
    say(output, &ReaderReply::Confined { missing })?;
    let read = read(file, length, path, limits);
    let opened = read.and_then(|(kind, bytes)| {
        let document = catch_unwind(|| open(kind, bytes)).unwrap_or(Err(DocumentError::Broken))?;
        let pages = count(document.pages(), limits)?;
        Ok((document, Document { kind, pages }))
    });
    match opened {
        Ok((document, told)) => {
            say(output, &ReaderReply::Opened(told))?;
            job(&*document, told.pages, output)
        }
        // The protocol has no line for a file that could not be read.
        Err(DocumentError::Reader(error)) => Err(io::Error::other(error)),
        Err(error) => say(output, &ReaderReply::Refused(error)),
    }
}

/// The file and its kind, if the bytes match its name.
fn read(
    mut file: File,
    length: u64,
    path: &Path,
    limits: &Limits,
) -> Result<(DocumentKind, Vec<u8>), DocumentError> {
    let limit = limits.bytes;
    match length {
        0 => return Err(DocumentError::Empty),
        _ if length > limit => return Err(DocumentError::TooLarge { limit }),
        _ => {}
    }
    let mut bytes = Vec::with_capacity(usize::try_from(length).map_err(DocumentError::reader)?);
    file.read_to_end(&mut bytes)
        .map_err(DocumentError::reader)?;
    match (DocumentKind::of_name(path), DocumentKind::of_bytes(&bytes)) {
        (None, Err(is)) => Err(DocumentError::UnknownKind { is }),
        (Some(says), Err(is)) => Err(misnamed(says, is)),
        (Some(says), Ok(is)) if says != is => Err(misnamed(says, is)),
        (_, Ok(kind)) => Ok((kind, bytes)),
    }
}

fn misnamed(says: DocumentKind, is: impl ToString) -> DocumentError {
    let is = is.to_string();
    DocumentError::Misnamed { says, is }
}

fn open(kind: DocumentKind, bytes: Vec<u8>) -> Result<Box<dyn Opened>, DocumentError> {
    Ok(match kind {
        DocumentKind::Pdf => Box::new(pdf::PdfFile::open(bytes)?),
        DocumentKind::Png | DocumentKind::Jpeg | DocumentKind::Tiff | DocumentKind::WebP => {
            Box::new(images::ImageFile::open(kind, bytes)?)
        }
    })
}

fn count(pages: usize, limits: &Limits) -> Result<u32, DocumentError> {
    let limit = limits.pages;
    match u32::try_from(pages) {
        Ok(0) => Err(DocumentError::Empty),
        Ok(pages) if pages <= limit => Ok(pages),
        _ => Err(DocumentError::TooManyPages { pages, limit }),
    }
}

/// A panic fails only the current page.
fn unharmed<T>(read: impl FnOnce() -> Result<T, PageError>) -> Result<T, PageError> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or(Err(PageError::Broken))
}

fn shortened(mut page: PageText) -> PageText {
    let end = page.text.floor_char_boundary(MAX_TEXT_BYTES);
    page.text.truncate(end);
    page
}

fn say(output: &mut impl Write, line: &ReaderReply) -> io::Result<()> {
    serde_json::to_writer(&mut *output, line)?;
    output.write_all(b"\n")?;
    output.flush()
}

fn say_image(
    output: &mut impl Write,
    number: u32,
    image: Result<PageImage, PageError>,
) -> io::Result<()> {
    let image = match image {
        Ok(image) => image,
        Err(error) => {
            let text = Err(error);
            return say(output, &ReaderReply::Page { number, text });
        }
    };
    let PageImage {
        png,
        width,
        height,
        damage,
    } = image;
    let bytes = png.len();
    say(
        output,
        &ReaderReply::Image {
            width,
            height,
            damage,
            bytes,
        },
    )?;
    output.write_all(&png)?;
    output.flush()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KINDS: [(DocumentKind, &[u8]); 5] = [
        (DocumentKind::Pdf, b"%PDF-1.7\n"),
        (DocumentKind::Png, b"\x89PNG\r\n\x1a\n"),
        (DocumentKind::Jpeg, b"\xff\xd8\xff\xe0"),
        (DocumentKind::Tiff, b"II*\0\x08\0\0\0"),
        (DocumentKind::WebP, b"RIFF\x20\0\0\0WEBP"),
    ];

    proptest! {
        #[test]
        fn opening_never_panics_on_arbitrary_bytes(
            which in 0..KINDS.len(),
            rest in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            let (kind, begins) = KINDS[which];
            let bytes = [begins, &rest].concat();
            prop_assert_eq!(DocumentKind::of_bytes(&bytes), Ok(kind));
            if let Ok(document) = open(kind, bytes) {
                prop_assert!(document.image(0, 100).is_err());
            }
        }
    }
}
