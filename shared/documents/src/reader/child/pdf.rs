//! PDFs, read with hayro: its interpreter yields each glyph with its position, its renderer the
//! image of a page.
//!
//! hayro repairs broken files where it can, so a truncated or damaged file could appear as a
//! shorter document. Completeness is therefore checked first, and the streams of each page.

mod complete;
mod damage;
mod filters;
mod form;
mod raster;

use std::io;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hayro::hayro_interpret::hayro_syntax::object::Dict;
use hayro::hayro_interpret::hayro_syntax::page::Page;
use hayro::hayro_interpret::hayro_syntax::{LoadPdfError, Pdf};
use hayro::hayro_interpret::{
    Context, InterpreterCache, InterpreterSettings, InterpreterWarning, RectExt, RenderContent,
    TransformExt, interpret_page,
};
use hayro::kurbo::{Affine, Point, Rect};
use hayro::vello_cpu::color::palette::css::WHITE;
use hayro::{PixmapSettings, RenderCache, RenderSettings};
use image::{DynamicImage, GrayImage};

use damage::Inspector;
use form::Field;

use super::super::layout::{Glyphs, reading_order, usable};
use super::png::{self, MAX_SIDE};
use super::{Damage, Fault, Part};
use super::{DocumentError, Opened, PageError, PageImage, PageText, Say, unharmed};

/// The cache keeps fonts from page to page. It is renewed because it grows, and because a panic may
/// leave it inconsistent.
const PAGES_OF_A_CACHE: u32 = 32;

const POINTS_PER_INCH: f32 = 72.0;

pub(super) struct PdfFile {
    pdf: Pdf,
}

impl PdfFile {
    pub fn open(mut bytes: Vec<u8>) -> Result<Self, DocumentError> {
        let begin = complete::begin(&bytes).ok_or(DocumentError::Truncated)?;
        bytes.drain(..begin);
        let pdf = match Pdf::new(bytes) {
            Ok(pdf) => pdf,
            Err(LoadPdfError::Decryption(_)) => return Err(DocumentError::Encrypted),
            Err(LoadPdfError::Invalid) => return Err(DocumentError::Broken),
        };
        // The page tree is missing, or has a cycle or a missing branch.
        match declared_pages(&pdf) {
            Some(declared) if declared <= pdf.pages().len() => Ok(Self { pdf }),
            _ => Err(DocumentError::Broken),
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
        inspector: &mut Inspector<'a>,
    ) -> Result<PageText, PageError> {
        let page = self.page(number)?;
        let damage = inspector.inspect(page, false);
        let (width, height) = page.render_dimensions();
        let paper = Rect::new(0.0, 0.0, width.into(), height.into());
        let upright = page.initial_transform(true).to_kurbo();
        let draw = |render_content| {
            let settings = InterpreterSettings {
                render_content,
                ..InterpreterSettings::default()
            };
            let mut context = Context::new(upright, paper, cache, page.xref(), settings);
            let mut glyphs = Glyphs::on(paper);
            interpret_page(page, &mut context, &mut glyphs);
            glyphs
        };
        let mut glyphs = draw(RenderContent::PAGE);
        let mut notes = draw(RenderContent::ANNOTATIONS);
        for field in form::fields(page) {
            write_value(&field, upright, &glyphs, &mut notes);
        }
        glyphs.append(notes);
        let drawn = glyphs.drawn();
        let text = reading_order(glyphs);
        let usable = usable(&text, drawn);
        Ok(PageText {
            text,
            usable,
            damage,
        })
    }
}

/// Writes the value of a field where nothing is drawn for it.
fn write_value(field: &Field, upright: Affine, page: &Glyphs, notes: &mut Glyphs) {
    /// The distance of the baseline from the bottom of a line, in font sizes.
    const BASELINE: f64 = 0.25;
    /// The distance of two lines, in font sizes.
    const LINE: f64 = 1.2;
    let (area, size) = (field.area.to_kurbo(), field.size);
    let seen = upright.transform_rect_bbox(area);
    let is_said = |text: &str| {
        let mut chars = text.chars();
        match field.is_tick {
            true => chars.any(|char| char != char::REPLACEMENT_CHARACTER),
            false => chars.any(char::is_alphanumeric),
        }
    };
    let drawn = is_said(&notes.within(seen)) && !field.is_stale;
    if drawn || is_said(&page.within(seen)) {
        return;
    }
    notes.clear(seen);
    let lines: Vec<&str> = field.value.split(['\n', '\r']).collect();
    let below = match field.is_multiline {
        true => area.height() - size,
        false => (area.height() - size) / 2.0 + (lines.len() - 1) as f64 * LINE * size / 2.0,
    };
    let first = area.y0 + below + BASELINE * size;
    for (line, value) in lines.into_iter().enumerate() {
        let origin = Point::new(area.x0, first - line as f64 * LINE * size);
        notes.write(
            value,
            upright * Affine::translate(origin.to_vec2()),
            size,
            area.width(),
        );
    }
}

impl Opened for PdfFile {
    fn pages(&self) -> usize {
        self.pdf.pages().len()
    }

    fn texts(&self, pages: RangeInclusive<u32>, say: &mut Say<'_>) -> io::Result<()> {
        let mut cache = InterpreterCache::new();
        let mut inspector = Inspector::new(&self.pdf);
        for number in pages {
            let text = unharmed(|| self.text(number, &cache, &mut inspector));
            if text.is_err() || number % PAGES_OF_A_CACHE == 0 {
                cache = InterpreterCache::new();
            }
            say(number, text)?;
        }
        Ok(())
    }

    fn image(&self, number: u32, dpi: u32) -> Result<PageImage, PageError> {
        let page = self.page(number)?;
        let mut damage = Inspector::new(&self.pdf).inspect(page, true);
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
            let (part, fault) = (Part::Image, Fault::Corrupt);
            damage = damage.or(Some(Damage { part, fault }));
        }
        let size = (u32::from(pixmap.width()), u32::from(pixmap.height()));
        // On a white background no pixel is transparent, so premultiplied colours equal plain ones.
        let grey = pixmap
            .data()
            .iter()
            .map(|pixel| luma(pixel.r, pixel.g, pixel.b));
        let grey = GrayImage::from_raw(size.0, size.1, grey.collect()).ok_or(PageError::Broken)?;
        let image = png::page_image(DynamicImage::ImageLuma8(grey))?;
        Ok(PageImage { damage, ..image })
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

/// The number of pages that the document declares; none without a page tree.
fn declared_pages(pdf: &Pdf) -> Option<usize> {
    let xref = pdf.xref();
    let root = xref.get::<Dict<'_>>(xref.root_id())?;
    let count = root.get::<Dict<'_>>("Pages")?.get::<i32>("Count");
    Some(
        count
            .and_then(|count| usize::try_from(count).ok())
            .unwrap_or_default(),
    )
}

/// Rec. 709, as in the crate `image`.
fn luma(red: u8, green: u8, blue: u8) -> u8 {
    let weighed = 2126 * u32::from(red) + 7152 * u32::from(green) + 722 * u32::from(blue);
    u8::try_from(weighed / 10_000).unwrap_or(u8::MAX)
}
