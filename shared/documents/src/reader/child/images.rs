//! Images as documents. Each has one page and no text layer; a TIFF may have several pages.
//!
//! The size limit is checked against the header before decoding. Truncated images are refused when
//! they are opened, because a decoder would fill the missing part with grey.

use std::borrow::Cow;
use std::io::{self, Cursor};
use std::ops::RangeInclusive;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader};

use super::{DocumentError, DocumentKind, Opened, PageError, PageImage, PageText, Say};
use super::{jpeg_ends, png};
use tiff::Directories;

mod tiff;

/// An A3 page at 600 dpi has 70 million pixels. In colour each takes three bytes, and one more for
/// its grey copy.
const MAX_PIXELS: u64 = 72_000_000;
/// The decoder's limit of allocations for the image, in bytes.
const MAX_DECODED: u64 = 300 << 20;

const MEGA: u64 = 1_000_000;

pub(super) struct ImageFile {
    format: ImageFormat,
    bytes: Vec<u8>,
    /// The offset of each page of a TIFF.
    directories: Option<Directories>,
}

impl ImageFile {
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

    /// The image, rotated upright.
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
        // Without a readable orientation the image is not rotated.
        let turned = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        let mut image = DynamicImage::from_decoder(decoder).map_err(page_error)?;
        image.apply_orientation(turned);
        Ok(image)
    }
}

impl Opened for ImageFile {
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

/// Whether the file has the end marker of its kind. A TIFF has none; its pages are checked by their
/// offsets.
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
