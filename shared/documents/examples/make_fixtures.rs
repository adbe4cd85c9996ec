//! Generates the documents in `tests/fixtures`. The scan is a black and white rendering of the
//! text, turned slightly, as paper lies on a scanner.

#[path = "../tests/reader/make.rs"]
mod make;

use std::error::Error;
use std::fs;
use std::path::Path;

use hayro::hayro_interpret::InterpreterSettings;
use hayro::hayro_interpret::hayro_syntax::Pdf as Parsed;
use hayro::vello_cpu::color::palette::css::WHITE;
use hayro::{PixmapSettings, RenderCache, RenderSettings};
use make::{Pdf, book, text, wrapped};

/// The usual resolution of office scanners.
const DPI: f32 = 200.0;
/// In radians, about a third of a degree.
const ASKEW: f64 = 0.006;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let told = fs::read_to_string(folder.join("tides.txt"))?;
    let (first, second) = told.split_once("\n\n").ok_or("two pages are expected")?;
    let mut pdf = Pdf::new();
    pdf.page(&two_columns(first), "");
    let scan = scanned(second)?;
    let image = pdf.stream(&scan.dictionary, &scan.bits);
    pdf.scan(image);
    fs::write(folder.join("tides.pdf"), pdf.bytes())?;
    fs::write(folder.join("forty-pages.pdf"), book(40, 300).0)?;
    Ok(())
}

/// A title across the page and paragraphs in two columns.
fn two_columns(told: &str) -> String {
    let (title, paragraphs) = told.split_once('\n').unwrap_or((told, ""));
    let mut lines: Vec<String> = vec![];
    for paragraph in paragraphs.lines() {
        lines.extend(wrapped(paragraph, 44));
        lines.push(String::new());
    }
    let (left, right) = lines.split_at(lines.len().div_ceil(2));
    let title = text(140.0, 780.0, 24.0, &[title.to_owned()]);
    title + &text(60.0, 730.0, 10.5, left) + &text(315.0, 730.0, 10.5, right)
}

/// A page of paper in black and white.
struct Scan {
    dictionary: String,
    /// Eight pixels per byte, leftmost first. Each row starts at a byte. White is 1.
    bits: Vec<u8>,
}

fn scanned(told: &str) -> Result<Scan, Box<dyn Error>> {
    let mut lines: Vec<String> = vec![];
    for paragraph in told.lines() {
        lines.extend(wrapped(paragraph, 78));
        lines.push(String::new());
    }
    let (sin, cos) = ASKEW.sin_cos();
    let askew = format!("{cos} {sin} {} {cos} 0 0 cm\n", -sin);
    let mut paper = Pdf::new();
    paper.page(&(askew + &text(70.0, 760.0, 11.5, &lines)), "");
    let paper = Parsed::new(paper.bytes()).map_err(|error| format!("{error:?}"))?;
    let seen = hayro::render(
        &paper.pages()[0],
        &RenderCache::new(),
        &InterpreterSettings::default(),
        &RenderSettings::default(),
        &PixmapSettings {
            x_scale: DPI / 72.0,
            y_scale: DPI / 72.0,
            bg_color: WHITE,
        },
    );
    let width = usize::from(seen.width());
    let rows = seen.data().chunks(width);
    let bits = rows.flat_map(|row| {
        row.chunks(8).map(|eight| {
            let white = eight.iter().enumerate().filter(|(_, pixel)| pixel.g >= 128);
            white.map(|(place, _)| 0x80 >> place).sum()
        })
    });
    Ok(Scan {
        dictionary: format!(
            "/Type/XObject/Subtype/Image/Width {width}/Height {}/BitsPerComponent 1/ColorSpace/DeviceGray",
            seen.height()
        ),
        bits: bits.collect(),
    })
}
