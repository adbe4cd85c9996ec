//! PDFs, read with hayro: its interpreter yields each glyph with its position, its renderer the
//! image of a page.
//!
//! hayro repairs broken files where it can, so a truncated file could appear as a shorter document.
//! Completeness is therefore checked first.

use std::io;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hayro::hayro_interpret::hayro_syntax::object::Dict;
use hayro::hayro_interpret::hayro_syntax::page::Page;
use hayro::hayro_interpret::hayro_syntax::{LoadPdfError, Pdf};
use hayro::hayro_interpret::{
    Context, InterpreterCache, InterpreterSettings, InterpreterWarning, TransformExt,
    interpret_page,
};
use hayro::kurbo::Rect;
use hayro::vello_cpu::color::palette::css::WHITE;
use hayro::{PixmapSettings, RenderCache, RenderSettings};
use image::{DynamicImage, GrayImage};

use super::super::layout::{Glyphs, reading_order, usable};
use super::png::{self, MAX_SIDE};
use super::{DocumentError, Opened, PageError, PageImage, PageText, Say, unharmed};

/// How far from the end the end marker may stand (ISO 32000-1, annex H, note 18).
const END_WITHIN: usize = 1024;
/// How far into the file the dictionary of a linearized PDF may stand (ISO 32000-1, annex F.3.2).
const LINEARIZED_WITHIN: usize = 1024;

/// The cache keeps fonts from page to page. It is renewed because it grows, and because a panic may
/// leave it inconsistent.
const PAGES_OF_A_CACHE: u32 = 32;

const POINTS_PER_INCH: f32 = 72.0;

pub(super) struct PdfFile {
    pdf: Pdf,
}

impl PdfFile {
    pub fn open(bytes: Vec<u8>) -> Result<Self, DocumentError> {
        if !is_complete(&bytes) {
            return Err(DocumentError::Truncated);
        }
        let pdf = match Pdf::new(bytes) {
            Ok(pdf) => pdf,
            Err(LoadPdfError::Decryption(_)) => return Err(DocumentError::Encrypted),
            Err(LoadPdfError::Invalid) => return Err(DocumentError::Broken),
        };
        // The page tree has a cycle or a missing branch.
        match declared_pages(&pdf) {
            Some(declared) if declared > pdf.pages().len() => Err(DocumentError::Broken),
            _ => Ok(Self { pdf }),
        }
    }

    fn page(&self, number: u32) -> Result<&Page<'_>, PageError> {
        let index = usize::try_from(number).map_err(|_| PageError::Missing)?;
        let page = self.pdf.pages().get(index.wrapping_sub(1));
        page.ok_or(PageError::Missing)
    }

    fn text<'a>(
        &'a self,
        number: u32,
        cache: &InterpreterCache<'a>,
    ) -> Result<PageText, PageError> {
        let page = self.page(number)?;
        let (width, height) = page.render_dimensions();
        let paper = Rect::new(0.0, 0.0, width.into(), height.into());
        let upright = page.initial_transform(true).to_kurbo();
        let settings = InterpreterSettings::default();
        let mut context = Context::new(upright, paper, cache, page.xref(), settings);
        let mut glyphs = Glyphs::on(paper);
        interpret_page(page, &mut context, &mut glyphs);
        let drawn = glyphs.drawn();
        let text = reading_order(glyphs);
        let usable = usable(&text, drawn);
        Ok(PageText { text, usable })
    }
}

impl Opened for PdfFile {
    fn pages(&self) -> usize {
        self.pdf.pages().len()
    }

    fn texts(&self, pages: RangeInclusive<u32>, say: &mut Say<'_>) -> io::Result<()> {
        let mut cache = InterpreterCache::new();
        for number in pages {
            let text = unharmed(|| self.text(number, &cache));
            if text.is_err() || number % PAGES_OF_A_CACHE == 0 {
                cache = InterpreterCache::new();
            }
            say(number, text)?;
        }
        Ok(())
    }

    fn image(&self, number: u32, dpi: u32) -> Result<PageImage, PageError> {
        let page = self.page(number)?;
        let (width, height) = page.render_dimensions();
        let fits = MAX_SIDE as f32 / width.max(height).max(1.0);
        let scale = (dpi as f32 / POINTS_PER_INCH).min(fits);
        let settings = PixmapSettings {
            x_scale: scale,
            y_scale: scale,
            bg_color: WHITE,
        };
        let failed = Arc::new(AtomicBool::new(false));
        let pixmap = hayro::render(
            page,
            &RenderCache::new(),
            &noticing(&failed),
            &RenderSettings::default(),
            &settings,
        );
        if failed.load(Ordering::Relaxed) {
            return Err(PageError::Broken);
        }
        let size = (u32::from(pixmap.width()), u32::from(pixmap.height()));
        // On a white background no pixel is transparent, so premultiplied colours equal plain ones.
        let grey = pixmap
            .data()
            .iter()
            .map(|pixel| luma(pixel.r, pixel.g, pixel.b));
        let grey = GrayImage::from_raw(size.0, size.1, grey.collect()).ok_or(PageError::Broken)?;
        png::page_image(DynamicImage::ImageLuma8(grey))
    }
}

/// Settings that record an image that cannot be decoded. hayro omits such an image, and the page
/// would look empty.
fn noticing(failed: &Arc<AtomicBool>) -> InterpreterSettings {
    let failed = failed.clone();
    InterpreterSettings {
        warning_sink: Arc::new(move |warning| {
            if matches!(warning, InterpreterWarning::ImageDecodeFailure) {
                failed.store(true, Ordering::Relaxed);
            }
        }),
        ..InterpreterSettings::default()
    }
}

/// The number of pages that the document declares.
fn declared_pages(pdf: &Pdf) -> Option<usize> {
    let xref = pdf.xref();
    let root = xref.get::<Dict<'_>>(xref.root_id())?;
    let count = root.get::<Dict<'_>>("Pages")?.get::<i32>("Count")?;
    usize::try_from(count).ok()
}

/// Rec. 709, as in the crate `image`.
fn luma(red: u8, green: u8, blue: u8) -> u8 {
    let weighed = 2126 * u32::from(red) + 7152 * u32::from(green) + 722 * u32::from(blue);
    u8::try_from(weighed / 10_000).unwrap_or(u8::MAX)
}

/// Whether the file is complete: it ends with the offset of its table and the end marker, and a
/// linearized file has the length that it declares.
fn is_complete(bytes: &[u8]) -> bool {
    let end = bytes
        .iter()
        .rposition(|byte| !matches!(byte, 0 | b'\n' | b'\r' | b' ' | b'\t'));
    let tail = &bytes[..end.map_or(0, |end| end + 1)];
    let tail = &tail[tail.len().saturating_sub(END_WITHIN)..];
    let Some(marker) = last(tail, b"%%EOF") else {
        return false;
    };
    let told = last(&tail[..marker], b"startxref").is_some();
    told && linearized_length(bytes).is_none_or(|length| length <= bytes.len())
}

/// The length that a linearized file declares.
fn linearized_length(bytes: &[u8]) -> Option<usize> {
    let head = &bytes[..bytes.len().min(LINEARIZED_WITHIN)];
    let dictionary = &head[last(head, b"/Linearized")?..];
    let dictionary = &dictionary[..first(dictionary, b">>")?];
    let after =
        &dictionary[first(dictionary, b"/L ").or_else(|| first(dictionary, b"/L\n"))? + 3..];
    let digits = after.iter().take_while(|byte| byte.is_ascii_digit());
    let digits = digits.map(|&byte| char::from(byte)).collect::<String>();
    digits.parse().ok()
}

fn first(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}

fn last(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .rposition(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_its_end_is_not_complete() {
        let whole = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\nstartxref\n9\n%%EOF\n";
        assert!(is_complete(whole));
        assert!(is_complete(&[&whole[..], b"\0\0\0\r\n"].concat()));
        for length in 0..whole.len() - 1 {
            assert!(!is_complete(&whole[..length]), "{length}");
        }
    }

    #[test]
    fn a_truncated_update_is_detected() {
        let whole = b"%PDF-1.4\nstartxref\n9\n%%EOF\n".to_vec();
        let update = [b"7 0 obj\n".repeat(200), whole.clone()].concat();
        assert!(is_complete(&[whole.clone(), update.clone()].concat()));
        let broken = &update[..update.len() - 20];
        assert!(!is_complete(&[&whole[..], broken].concat()));
    }

    #[test]
    fn a_linearized_file_must_have_its_declared_length() {
        let file = |length: usize| {
            format!("%PDF-1.4\n1 0 obj\n<</Linearized 1/L {length}/O 9>>\nstartxref\n9\n%%EOF")
        };
        assert!(is_complete(file(60).as_bytes()));
        assert!(!is_complete(file(90_000).as_bytes()));
    }
}
