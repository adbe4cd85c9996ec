//! Builds PDFs byte by byte, so that their content is fully known. The benchmark and the examples
//! use it too.
#![allow(dead_code, reason = "each of its users needs a part")]

use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;

/// A4, in points.
pub const PAPER: [f64; 2] = [595.0, 842.0];

/// The objects of a PDF: number 1 is the catalogue, number 2 the page tree, number 3 a font.
pub struct Pdf {
    objects: Vec<Vec<u8>>,
    pages: Vec<usize>,
}

impl Pdf {
    pub fn new() -> Self {
        let font = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>";
        Self {
            objects: vec![
                b"<</Type/Catalog/Pages 2 0 R>>".to_vec(),
                vec![],
                font.into(),
            ],
            pages: vec![],
        }
    }

    /// Returns the number of the object.
    pub fn add(&mut self, object: impl Into<Vec<u8>>) -> usize {
        self.objects.push(object.into());
        self.objects.len()
    }

    pub fn set(&mut self, number: usize, object: impl Into<Vec<u8>>) {
        self.objects[number - 1] = object.into();
    }

    /// A compressed stream.
    pub fn stream(&mut self, dictionary: &str, data: &[u8]) -> usize {
        let data = deflated(data);
        self.raw_stream(&format!("{dictionary}/Filter/FlateDecode"), &data)
    }

    pub fn raw_stream(&mut self, dictionary: &str, data: &[u8]) -> usize {
        let head = format!("<<{dictionary}/Length {}>>\nstream\n", data.len());
        self.add([head.as_bytes(), data, b"\nendstream"].concat())
    }

    /// A page with additional dictionary entries, e.g. `/Rotate 90`.
    pub fn page(&mut self, content: &str, more: &str) -> &mut Self {
        let content = self.stream("", content.as_bytes());
        self.page_of(content, "", more)
    }

    /// A page that consists of an image, as a scanner makes it.
    pub fn scan(&mut self, image: usize) -> &mut Self {
        let [width, height] = PAPER;
        let content = format!("q {width} 0 0 {height} 0 0 cm /I Do Q");
        let content = self.stream("", content.as_bytes());
        self.page_of(content, &format!("/XObject<</I {image} 0 R>>"), "")
    }

    /// A page with existing content and resource objects.
    pub fn page_of(&mut self, content: usize, resources: &str, more: &str) -> &mut Self {
        let [width, height] = PAPER;
        let page = self.add(format!(
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 {width} {height}]/Contents {content} 0 R\
             /Resources<</Font<</F 3 0 R>>{resources}>>{more}>>"
        ));
        self.pages.push(page);
        self
    }

    /// The bytes of the file.
    pub fn bytes(&self) -> Vec<u8> {
        self.bytes_with("")
    }

    /// The bytes of the file, with additional trailer entries.
    pub fn bytes_with(&self, trailer: &str) -> Vec<u8> {
        let mut objects = self.objects.clone();
        if objects[1].is_empty() {
            let kids: String = self
                .pages
                .iter()
                .map(|page| format!("{page} 0 R "))
                .collect();
            let count = self.pages.len();
            objects[1] = format!("<</Type/Pages/Count {count}/Kids[{kids}]>>").into();
        }
        let mut file = b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n".to_vec();
        let mut table = String::from("0000000000 65535 f \n");
        for (index, object) in objects.iter().enumerate() {
            table += &format!("{:010} 00000 n \n", file.len());
            file.extend(format!("{} 0 obj\n", index + 1).bytes());
            file.extend(object);
            file.extend(b"\nendobj\n");
        }
        let place = file.len();
        let size = objects.len() + 1;
        let end = format!(
            "xref\n0 {size}\n{table}trailer\n<</Size {size}/Root 1 0 R{trailer}>>\nstartxref\n{place}\n%%EOF\n"
        );
        file.extend(end.bytes());
        file
    }
}

pub fn deflated(data: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(vec![], Compression::fast());
    let written = encoder.write_all(data);
    written
        .and_then(|()| encoder.finish())
        .expect("memory takes what is written")
}

/// A gigabyte of spaces, for `/Filter[/FlateDecode/RunLengthDecode]`. Each pair of bytes expands to
/// 128 of them.
pub fn gigabyte() -> Vec<u8> {
    deflated(&[129, b' '].repeat(8 << 20))
}

/// Lines below each other, starting at this baseline.
pub fn text(x: f64, y: f64, size: f64, lines: &[String]) -> String {
    let mut content = format!("BT /F {size} Tf {x} {y} Td {} TL ", size * 1.3);
    for line in lines {
        let line = line
            .replace('\\', r"\\")
            .replace('(', r"\(")
            .replace(')', r"\)");
        content += &format!("({line}) Tj T* ");
    }
    content + "ET\n"
}

/// Words wrapped to lines of at most this many letters.
pub fn wrapped(words: &str, letters: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![];
    for word in words.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.len() + 1 + word.len() <= letters => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Pseudo-random words that depend only on the seed.
pub fn prose(seed: u32, words: usize) -> String {
    const WORDS: &str = "the moon pulls at sea and water rises on both sides of earth while sun adds its part twice \
        a day harbours know this since long before anyone wrote tables for ships that wait until river is deep \
        enough to leave between two banks sand moves under every wave wind can hold back or push more than \
        calendar says engineers measure height with gauges compare years find slow change in level";
    let vocabulary: Vec<&str> = WORDS.split_whitespace().collect();
    let mut state = seed.wrapping_mul(2_654_435_761).max(1);
    let words = (0..words).map(|_| {
        // Marsaglia's xorshift.
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        vocabulary[state as usize % vocabulary.len()]
    });
    words.collect::<Vec<_>>().join(" ")
}

/// A document of prose with this many pages, and the words of each page.
pub fn book(pages: u32, words: usize) -> (Vec<u8>, Vec<String>) {
    let mut pdf = Pdf::new();
    let told = (1..=pages).map(|number| format!("Page {number}. {}", prose(number, words)));
    let told: Vec<String> = told.collect();
    for words in &told {
        pdf.page(&text(60.0, 770.0, 11.0, &wrapped(words, 85)), "");
    }
    (pdf.bytes(), told)
}

/// The share of the expected words that was found. Repeated words count each time.
pub fn recall(there: &str, found: &str) -> f64 {
    let mut left = words(found);
    let there = words(there);
    let total = there.len().max(1) as f64;
    let met = there.into_iter().filter(|word| {
        let place = left.iter().position(|it| it == word);
        place.map(|place| left.swap_remove(place)).is_some()
    });
    met.count() as f64 / total
}

pub fn words(text: &str) -> Vec<String> {
    let words = text.split(|char: char| !char.is_alphanumeric());
    let words = words.filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}
