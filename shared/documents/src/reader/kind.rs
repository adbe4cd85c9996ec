//! The kind of a file, determined by its bytes. A file whose extension contradicts its bytes is
//! refused, because only its owner knows what was intended.

use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// How far into the file the header of a PDF may stand (ISO 32000-1, annex H, note 13). Behind it
/// the bytes must have the end of a PDF too.
const PDF_HEADER_WITHIN: usize = 1024;

/// The supported kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DocumentKind {
    /// Pages with or without a text layer.
    Pdf,
    /// One page, an image.
    Png,
    /// One page, an image.
    Jpeg,
    /// Pages that are images.
    Tiff,
    /// One page, an image.
    WebP,
}

impl DocumentKind {
    /// The kind by the first bytes.
    pub(super) fn of_bytes(bytes: &[u8]) -> Result<Self, Foreign> {
        let starts = |magic: &[u8]| bytes.starts_with(magic);
        let riff = |form: &[u8]| starts(b"RIFF") && bytes.get(8..12) == Some(form);
        Ok(match () {
            () if starts(b"\x89PNG\r\n\x1a\n") => Self::Png,
            () if starts(b"\xff\xd8\xff") => Self::Jpeg,
            () if starts(b"II*\0") || starts(b"MM\0*") => Self::Tiff,
            () if riff(b"WEBP") => Self::WebP,
            () if starts(b"PK\x03\x04") || starts(b"PK\x05\x06") => return Err(Foreign::Zip),
            () if starts(b"GIF8") => return Err(Foreign::Gif),
            () if is_html(bytes) => return Err(Foreign::Html),
            () if has_pdf_header(bytes) => Self::Pdf,
            () => return Err(Foreign::Unknown),
        })
    }

    /// The kind by a known extension.
    pub(super) fn of_name(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        Some(match extension.as_str() {
            "pdf" => Self::Pdf,
            "png" => Self::Png,
            "jpg" | "jpeg" => Self::Jpeg,
            "tif" | "tiff" => Self::Tiff,
            "webp" => Self::WebP,
            _ => return None,
        })
    }
}

impl fmt::Display for DocumentKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pdf => "a PDF",
            Self::Png => "a PNG image",
            Self::Jpeg => "a JPEG image",
            Self::Tiff => "a TIFF image",
            Self::WebP => "a WebP image",
        })
    }
}

/// An unsupported kind, as far as its name helps a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Foreign {
    /// A ZIP archive; office documents are such archives too.
    Zip,
    /// A GIF image.
    Gif,
    /// A web page, often an error page saved under the document's name.
    Html,
    /// Anything else.
    Unknown,
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Zip => "a ZIP archive or an office document",
            Self::Gif => "a GIF image",
            Self::Html => "a web page",
            Self::Unknown => "something else",
        })
    }
}

fn has_pdf_header(bytes: &[u8]) -> bool {
    let place = |wanted: &[u8], bytes: &[u8]| {
        let mut places = bytes.windows(wanted.len());
        places.position(|window| window == wanted)
    };
    place(b"%PDF-", bytes).is_some_and(|header| {
        header < PDF_HEADER_WITHIN || place(b"startxref", &bytes[header..]).is_some()
    })
}

fn is_html(bytes: &[u8]) -> bool {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(256)]).to_lowercase();
    let head = head.trim_start();
    head.starts_with("<!doctype html") || head.starts_with("<html")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_determine_the_kind() {
        assert_eq!(DocumentKind::of_bytes(b"%PDF-1.7\n"), Ok(DocumentKind::Pdf));
        assert_eq!(
            DocumentKind::of_bytes(b"junk before\n%PDF-1.4\n"),
            Ok(DocumentKind::Pdf)
        );
        let behind = |bytes: &str| DocumentKind::of_bytes((" ".repeat(2_000) + bytes).as_bytes());
        assert_eq!(behind("%PDF-1.4\nstartxref\n9"), Ok(DocumentKind::Pdf));
        assert_eq!(behind("%PDF- begins a PDF"), Err(Foreign::Unknown));
        assert_eq!(
            DocumentKind::of_bytes(b"\x89PNG\r\n\x1a\n...."),
            Ok(DocumentKind::Png)
        );
        assert_eq!(
            DocumentKind::of_bytes(b"\xff\xd8\xff\xe0"),
            Ok(DocumentKind::Jpeg)
        );
        assert_eq!(
            DocumentKind::of_bytes(b"MM\0*\0\0\0\x08"),
            Ok(DocumentKind::Tiff)
        );
        assert_eq!(
            DocumentKind::of_bytes(b"RIFF\x10\0\0\0WEBPVP8 "),
            Ok(DocumentKind::WebP)
        );
        assert_eq!(
            DocumentKind::of_bytes(b"RIFF\x10\0\0\0WAVEfmt "),
            Err(Foreign::Unknown)
        );
        assert_eq!(
            DocumentKind::of_bytes(b"PK\x03\x04 %PDF-1.4"),
            Err(Foreign::Zip)
        );
        assert_eq!(
            DocumentKind::of_bytes(b"\n<HTML>%PDF-1.4"),
            Err(Foreign::Html)
        );
        assert_eq!(DocumentKind::of_bytes(b""), Err(Foreign::Unknown));
    }

    #[test]
    fn the_extension_determines_the_kind_in_any_case() {
        assert_eq!(
            DocumentKind::of_name(Path::new("a/Scan.JPEG")),
            Some(DocumentKind::Jpeg)
        );
        assert_eq!(
            DocumentKind::of_name(Path::new("b.pdf.tif")),
            Some(DocumentKind::Tiff)
        );
        assert_eq!(DocumentKind::of_name(Path::new("pdf")), None);
        assert_eq!(DocumentKind::of_name(Path::new("notes.txt")), None);
    }
}
