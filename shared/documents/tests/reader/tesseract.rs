//! The installed Tesseract.

use std::time::{Duration, Instant};

use documents::ocr::{OcrEngine, OcrError, Tesseract, TesseractConfig};
use image::ImageFormat;

use super::make::{Pdf, recall, text as shown};
use super::*;

fn deadline() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

async fn found(config: TesseractConfig) -> Result<Tesseract, OcrError> {
    Tesseract::find(&reader(Limits::default()), config).await
}

fn second_page() -> String {
    let told = fs::read_to_string(fixture("tides.txt")).unwrap();
    told.split_once("\n\n").unwrap().1.to_owned()
}

#[tokio::test]
#[ignore = "needs Tesseract: apt install tesseract-ocr"]
async fn the_words_of_a_scan_are_found() {
    let tesseract = found(TesseractConfig::default()).await.unwrap();
    let page = reader(Limits::default())
        .render(&fixture("tides.pdf"), 2, 200)
        .await
        .unwrap();
    let read = tesseract.read(&page, deadline()).await.unwrap();
    assert!(read.starts_with("Reading a gauge"), "{read}");
    let recall = recall(&second_page(), &read);
    assert!(recall >= 0.97, "{recall}: {read}");
    assert_eq!(tesseract.name(), "tesseract");
}

#[tokio::test]
#[ignore = "needs Tesseract: apt install tesseract-ocr"]
async fn a_scan_of_lines_that_begin_alike_stays_one_column() {
    let lines =
        (1..=24).map(|line| format!("Line {line}: the quick brown fox number {line} jumps"));
    let lines: Vec<String> = lines.collect();
    let mut content = String::new();
    for (row, line) in lines.iter().enumerate() {
        content += &shown(
            72.0,
            780.0 - 28.0 * row as f64,
            12.0,
            std::slice::from_ref(line),
        );
    }
    let page = Stored::new("lines.pdf", Pdf::new().page(&content, "").bytes());
    let image = reader(Limits::default()).render(page.path(), 1, 200).await;
    let tesseract = found(TesseractConfig::default()).await.unwrap();
    let read = tesseract.read(&image.unwrap(), deadline()).await.unwrap();
    let read: Vec<&str> = read.lines().filter(|line| !line.is_empty()).collect();
    assert_eq!(read, lines);
}

#[tokio::test]
#[ignore = "needs Tesseract: apt install tesseract-ocr"]
async fn a_scan_in_two_columns_is_read_column_by_column() {
    let page = reader(Limits::default())
        .render(&fixture("tides.pdf"), 1, 200)
        .await;
    let tesseract = found(TesseractConfig::default()).await.unwrap();
    let read = tesseract.read(&page.unwrap(), deadline()).await.unwrap();
    let at = |part: &str| {
        read.find(part)
            .unwrap_or_else(|| panic!("no {part}: {read}"))
    };
    assert!(at("Sailors knew") < at("The Sun does the same"));
    assert!(at("The Sun does the same") < at("Bay of Fundy"));
}

#[tokio::test]
#[ignore = "needs Tesseract: apt install tesseract-ocr"]
async fn a_scan_that_is_rotated_by_a_quarter_turn_is_read() {
    let tesseract = found(TesseractConfig::default()).await.unwrap();
    let reader = reader(Limits::default());
    let upright = reader.render(&fixture("tides.pdf"), 2, 200).await.unwrap();
    let image = image::load_from_memory_with_format(&upright.png, ImageFormat::Png).unwrap();
    let mut turned = std::io::Cursor::new(vec![]);
    image
        .rotate90()
        .write_to(&mut turned, ImageFormat::Png)
        .unwrap();
    let stored = Stored::new("turned.png", turned.into_inner());
    let page = reader.render(stored.path(), 1, 200).await.unwrap();
    let read = tesseract.read(&page, deadline()).await.unwrap();
    let recall = recall(&second_page(), &read);
    assert!(recall >= 0.9, "{recall}: {read}");
}

#[tokio::test]
#[ignore = "needs Tesseract: apt install tesseract-ocr"]
async fn each_limit_is_enforced_and_has_its_own_error() {
    let page = reader(Limits::default())
        .render(&fixture("tides.pdf"), 2, 200)
        .await
        .unwrap();
    let small = TesseractConfig {
        memory: 96 << 20,
        ..TesseractConfig::default()
    };
    let error = found(small)
        .await
        .unwrap()
        .read(&page, deadline())
        .await
        .unwrap_err();
    assert!(
        matches!(error, OcrError::TooMuchMemory { limit } if limit == 96 << 20),
        "{error:?}"
    );
    let tesseract = found(TesseractConfig::default()).await.unwrap();
    let error = tesseract.read(&page, Instant::now()).await.unwrap_err();
    assert!(
        matches!(error, OcrError::TookTooLong) && error.is_transient(),
        "{error:?}"
    );
    let garbage = documents::reader::PageImage {
        png: b"no image".to_vec(),
        width: 1,
        height: 1,
        damage: None,
    };
    let error = tesseract.read(&garbage, deadline()).await.unwrap_err();
    assert!(
        matches!(error, OcrError::BadImage) && !error.is_transient(),
        "{error:?}"
    );
}

#[tokio::test]
#[ignore = "needs Tesseract: apt install tesseract-ocr"]
async fn a_missing_language_is_named() {
    let languages = vec!["eng".to_owned(), "tlh".to_owned()];
    let error = found(TesseractConfig {
        languages,
        ..TesseractConfig::default()
    })
    .await
    .unwrap_err();
    assert!(
        error.to_string().contains("apt install tesseract-ocr-tlh"),
        "{error}"
    );
}

#[tokio::test]
async fn a_missing_program_names_the_package_to_install() {
    for program in ["tesseract-that-is-not-here", "/nowhere/tesseract"] {
        let program = program.into();
        let error = found(TesseractConfig {
            program,
            ..TesseractConfig::default()
        })
        .await
        .unwrap_err();
        assert!(matches!(error, OcrError::Unavailable(_)) && !error.is_transient());
        assert!(
            error.to_string().contains("apt install tesseract-ocr"),
            "{error}"
        );
    }
}
