//! Reading documents: the speed of the text layer compared with `pdftotext`, the words of a known
//! text that each engine finds, and the memory for a long document. The reader is the own binary of
//! the worker for documents.

#[path = "../../../shared/documents/tests/reader/make.rs"]
mod make;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use documents::ocr::{OcrEngine, Tesseract, TesseractConfig};
use documents::reader::{Limits, Reader};

use crate::Result;
use crate::function::Binaries;
use crate::print::{self, Table, median};

const PAGES: u32 = 200;
const WORDS: usize = 300;
const ROUNDS: usize = 5;
/// The resolution of the scans for an engine.
const DPI: u32 = 200;
const NOT_HERE: &str = "not here";

pub async fn print(binaries: &Binaries) -> Result<()> {
    let reader = Reader::with_program(binaries.path("document-executor")?, Limits::default());
    let (bytes, told) = make::book(PAGES, WORDS);
    let book = std::env::temp_dir().join(format!("book-{}.pdf", std::process::id()));
    fs::write(&book, bytes)?;
    let measured = measure(&reader, &book, &told.join("\n")).await;
    fs::remove_file(&book)?;
    measured
}

async fn measure(reader: &Reader, book: &Path, told: &str) -> Result<()> {
    let began = Memory::of("self")?;
    let (read, peak) = text_layer(reader, book).await?;
    let own = Memory::of("self")?.peak.saturating_sub(began.now);
    speed(reader, book).await?;
    words(reader, &read, &pdftotext(book), told).await?;
    let mut table = Table::new("Memory for a document of 200 pages", &["MB", "bar"]);
    let megabytes = |bytes: u64| bytes as f64 / 1e6;
    let bar = megabytes(Limits::default().memory);
    let cells = |bytes| [format!("{:.1}", megabytes(bytes))];
    table.row("peak of the child that reads", cells(peak));
    table.row("what its parent takes beside", cells(own));
    let both = megabytes(peak + own);
    table.row(
        "both",
        [format!("{both:.1}"), print::at_most(both, bar.round())],
    );
    table.print();
    Ok(())
}

/// The text of all pages, and the child's peak memory.
async fn text_layer(reader: &Reader, path: &Path) -> Result<(String, u64)> {
    let mut pages = reader.pages(path, 1);
    let (mut text, mut peak) = (String::new(), 0);
    while let Some(page) = pages.next().await? {
        text += &page.text?.text;
        // After the last page the child may already have exited. Its earlier peak is then final.
        peak = peak.max(peak_of_children());
    }
    Ok((text, peak))
}

async fn speed(reader: &Reader, book: &Path) -> Result<()> {
    let (mut ours, mut theirs) = (vec![], vec![]);
    for _ in 0..ROUNDS {
        let began = Instant::now();
        let mut pages = reader.pages(book, 1);
        while pages.next().await?.is_some() {}
        ours.push(began.elapsed());
        let began = Instant::now();
        if pdftotext(book).is_some() {
            theirs.push(began.elapsed());
        }
    }
    let mut table = Table::new(
        "Text layer of 200 pages, median of five",
        &["pages a second"],
    );
    table.row("this reader, its child's start included", [rate(ours)]);
    table.row("pdftotext (poppler)", [rate(theirs)]);
    table.print();
    if pdftotext(book).is_none() {
        print::remark("pdftotext is not here (Debian: apt install poppler-utils)");
    }
    Ok(())
}

fn rate(times: Vec<Duration>) -> String {
    match times.is_empty() {
        true => NOT_HERE.to_owned(),
        false => format!("{:.0}", f64::from(PAGES) / median(times).as_secs_f64()),
    }
}

async fn words(reader: &Reader, read: &str, poppler: &Option<String>, told: &str) -> Result<()> {
    let tides = fs::read_to_string(fixture("tides.txt"))?;
    let (columns, scan) = tides.split_once("\n\n").ok_or("tides.txt has two pages")?;
    let found = |told: &str, text: &str| format!("{:.3}", make::recall(told, text));
    let first = reader.pages(&fixture("tides.pdf"), 1).next().await?;
    let first = first.ok_or("tides.pdf has two pages")?.text?.text;
    let mut table = Table::new("Words found of a known text", &["share"]);
    table.row("text layer, 200 pages", [found(told, read)]);
    table.row(
        "text layer, a page in two columns",
        [found(columns, &first)],
    );
    let poppler = poppler.as_deref();
    table.row(
        "pdftotext, 200 pages",
        [poppler.map_or(NOT_HERE.to_owned(), |it| found(told, it))],
    );
    let engine = Tesseract::find(reader, TesseractConfig::default()).await;
    let scanned = match &engine {
        Ok(tesseract) => {
            let page = reader.render(&fixture("tides.pdf"), 2, DPI).await?;
            let deadline = Instant::now() + Duration::from_secs(60);
            found(scan, &tesseract.read(&page, deadline).await?)
        }
        Err(_) => NOT_HERE.to_owned(),
    };
    table.row("Tesseract, a scan at 200 dpi", [scanned]);
    table.row("Amazon Textract, the same", [NOT_HERE.to_owned()]);
    table.row("a vision model, the same", [NOT_HERE.to_owned()]);
    table.print();
    if let Err(error) = engine {
        print::remark(&error.to_string());
    }
    Ok(())
}

fn pdftotext(path: &Path) -> Option<String> {
    let mut command = Command::new("pdftotext");
    let output = command
        .arg(path)
        .arg("-")
        .stderr(Stdio::null())
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

fn fixture(name: &str) -> PathBuf {
    tests::stack::root()
        .join("shared/documents/tests/fixtures")
        .join(name)
}

/// The kernel's memory figures of a process, in bytes.
struct Memory {
    now: u64,
    peak: u64,
}

impl Memory {
    fn of(process: &str) -> Result<Self> {
        let status = fs::read_to_string(format!("/proc/{process}/status"))?;
        let of = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let kibibytes =
                line.and_then(|line| line.trim_end_matches("kB").trim().parse::<u64>().ok());
            kibibytes
                .map(|kibibytes| kibibytes * 1024)
                .ok_or(format!("no {name} of {process}"))
        };
        Ok(Self {
            now: of("VmRSS:")?,
            peak: of("VmHWM:")?,
        })
    }
}

/// The largest peak of all children. This program has no other children during the measurement. A
/// process that has just exited has none.
fn peak_of_children() -> u64 {
    let own = std::process::id();
    let threads = fs::read_dir(format!("/proc/{own}/task"))
        .into_iter()
        .flatten()
        .flatten();
    let children =
        threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    let peaks = children.flat_map(|children| {
        let of = |child: &str| Memory::of(child).map_or(0, |memory| memory.peak);
        children.split_whitespace().map(of).collect::<Vec<_>>()
    });
    peaks.max().unwrap_or_default()
}
