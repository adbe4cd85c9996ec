//! Images as documents: one page each, a TIFF as many as it has. They have no text layer.
//!
//! How large an image is stands in its header, and is believed before anything is unpacked. What ends too early is refused
//! when it is opened, because a decoder would fill the rest with grey.

use std::borrow::Cow;
use std::io::{self, Cursor};
use std::ops::RangeInclusive;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader};

use super::png;
use super::{DocumentError, DocumentKind, Opened, PageError, PageImage, PageText, Say};
use tiff::Directories;

mod tiff;

/// An A3 page at 600 dpi has 70 million. In colour they take three bytes each, and once more one in grey.
const MAX_PIXELS: u64 = 72_000_000;
/// What a decoder may allocate for the image, in bytes.
const MAX_DECODED: u64 = 300 << 20;

const MEGA: u64 = 1_000_000;

pub(super) struct File {
    format: ImageFormat,
    bytes: Vec<u8>,
    /// Where each page of a TIFF stands.
    directories: Option<Directories>,
}

impl File {
    pub fn open(kind: DocumentKind, bytes: Vec<u8>) -> Result<Self, DocumentError> {
        if !is_complete(kind, &bytes) {
            return Err(DocumentError::Truncated);
        }
        let (format, directories) = match kind {
            DocumentKind::Pdf => return Err(DocumentError::Broken),
            DocumentKind::Png => (ImageFormat::Png, None),
            DocumentKind::Jpeg => (ImageFormat::Jpeg, None),
            DocumentKind::WebP => (ImageFormat::WebP, None),
            DocumentKind::Tiff => (ImageFormat::Tiff, Some(Directories::of(&bytes)?)),
        };
        Ok(Self {
            format,
            bytes,
            directories,
        })
    }

    /// The image, upright.
    fn decoded(&self, page: u32) -> Result<DynamicImage, PageError> {
        let bytes = match &self.directories {
            Some(directories) => Cow::Owned(directories.alone(&self.bytes, page)?),
            None => Cow::Borrowed(self.bytes.as_slice()),
        };
        let mut reader = ImageReader::with_format(Cursor::new(bytes), self.format);
        let mut limits = image::Limits::no_limits();
        limits.max_alloc = Some(MAX_DECODED);
        reader.limits(limits);
        let mut decoder = reader.into_decoder().map_err(page_error)?;
        let (width, height) = decoder.dimensions();
        if u64::from(width) * u64::from(height) > MAX_PIXELS {
            return Err(too_large());
        }
        // What can't be read of how the camera was held leaves the image as it is.
        let turned = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        let mut image = DynamicImage::from_decoder(decoder).map_err(page_error)?;
        image.apply_orientation(turned);
        Ok(image)
    }
}

impl Opened for File {
    fn pages(&self) -> usize {
        self.directories.as_ref().map_or(1, Directories::len)
    }

    fn texts(&self, pages: RangeInclusive<u32>, say: &mut Say<'_>) -> io::Result<()> {
        let mut pages = pages;
        pages.try_for_each(|number| say(number, Ok(PageText::default())))
    }

    fn image(&self, page: u32, _dpi: u32) -> Result<PageImage, PageError> {
        png::page_image(self.decoded(page)?)
    }
}

fn page_error(error: ImageError) -> PageError {
    match error {
        ImageError::Limits(_) => too_large(),
        _ => PageError::Broken,
    }
}

fn too_large() -> PageError {
    let limit = MAX_PIXELS / MEGA;
    PageError::TooLarge { limit }
}

/// Whether the file has the end that its kind demands. A TIFF has none: its pages are looked for where it says.
fn is_complete(kind: DocumentKind, bytes: &[u8]) -> bool {
    match kind {
        DocumentKind::Png => bytes.windows(4).any(|window| window == b"IEND"),
        DocumentKind::Jpeg => jpeg_ends(bytes),
        DocumentKind::WebP => {
            let told = bytes.get(4..8).and_then(|told| told.try_into().ok());
            told.is_some_and(|told| bytes.len() as u64 >= u64::from(u32::from_le_bytes(told)) + 8)
        }
        DocumentKind::Tiff | DocumentKind::Pdf => true,
    }
}

/// Whether the marker of the end stands behind the marker of the data (ITU-T T.81, annex B). What is embedded in a segment, a
/// small preview, has an end of its own.
fn jpeg_ends(bytes: &[u8]) -> bool {
    const START_OF_SCAN: u8 = 0xda;
    let mut at = 2;
    while let Some(&[0xff, marker, high, low]) = bytes.get(at..at + 4) {
        if marker == START_OF_SCAN {
            return bytes[at..].windows(2).any(|window| window == [0xff, 0xd9]);
        }
        at += 2 + usize::from(u16::from_be_bytes([high, low]));
    }
    false
}
