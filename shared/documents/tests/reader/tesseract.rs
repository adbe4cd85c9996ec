//! The installed Tesseract.

use std::process::Command;
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

/// The installed Tesseract as in a Lambda layer: `bin`, `lib` and `share/tessdata` of a folder,
/// where it starts only by these.
struct Layer {
    folder: tempfile::TempDir,
}

impl Layer {
    fn make() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let layer = Self { folder };
        for part in ["bin", "lib", "share/tessdata"] {
            fs::create_dir_all(layer.path(part)).unwrap();
        }
        let installed = Command::new("which").arg("tesseract").output().unwrap();
        let installed = PathBuf::from(String::from_utf8(installed.stdout).unwrap().trim());
        let needed = Command::new("ldd").arg(&installed).output().unwrap();
        let needed = String::from_utf8(needed.stdout).unwrap();
        let libraries = needed
            .lines()
            .filter_map(|line| line.trim().split_once(" => "));
        // A name that the system's loader does not know, of the same length as the real one.
        let own = |name: &str| name.replace("libtesseract", "liblayered__");
        let (mut program, mut renamed) = (fs::read(&installed).unwrap(), 0);
        for (name, place) in libraries {
            let place = place.split(' ').next().unwrap();
            if name.starts_with("libtesseract") {
                renamed += replaced(&mut program, name, &own(name));
                fs::copy(place, layer.path("lib").join(own(name))).unwrap();
            }
        }
        assert!(renamed > 0, "{needed}");
        let to = layer.path("bin/tesseract");
        fs::write(&to, program).unwrap();
        fs::set_permissions(&to, fs::metadata(&installed).unwrap().permissions()).unwrap();
        for language in ["eng", "osd"] {
            let file = format!("{language}.traineddata");
            fs::copy(
                built_in_data().join(&file),
                layer.path("share/tessdata").join(file),
            )
            .unwrap();
        }
        layer
    }

    fn path(&self, part: &str) -> PathBuf {
        self.folder.path().join(part)
    }

    fn config(&self) -> TesseractConfig {
        TesseractConfig {
            program: self.path("bin/tesseract"),
            library_path: Some(format!("/var/task:{}", self.path("lib").display())),
            data: Some(self.path("share/tessdata")),
            ..TesseractConfig::default()
        }
    }
}

/// The first line of `tesseract --list-langs` names the folder.
fn built_in_data() -> PathBuf {
    let told = Command::new("tesseract")
        .arg("--list-langs")
        .output()
        .unwrap();
    let told = String::from_utf8(told.stdout).unwrap();
    told.split('"').nth(1).unwrap().into()
}

/// Replaces a text by another of its length, and counts.
fn replaced(bytes: &mut [u8], text: &str, by: &str) -> usize {
    assert_eq!(text.len(), by.len());
    let mut count = 0;
    for at in 0..bytes.len().saturating_sub(text.len()) {
        if bytes[at..].starts_with(text.as_bytes()) {
            bytes[at..at + by.len()].copy_from_slice(by.as_bytes());
            count += 1;
        }
    }
    count
}

#[tokio::test]
#[ignore = "needs Tesseract: apt install tesseract-ocr"]
async fn a_layer_is_read_by_its_library_path_and_its_data_alone() {
    let layer = Layer::make();
    let tesseract = found(layer.config()).await.unwrap();
    let page = reader(Limits::default())
        .render(&fixture("tides.pdf"), 2, 200)
        .await;
    let read = tesseract.read(&page.unwrap(), deadline()).await.unwrap();
    assert!(recall(&second_page(), &read) >= 0.97, "{read}");

    let without_libraries = TesseractConfig {
        library_path: None,
        ..layer.config()
    };
    let error = found(without_libraries).await.unwrap_err().to_string();
    assert!(
        error.contains("does not start") && error.contains("liblayered__"),
        "{error}"
    );
    let empty = layer.path("bin");
    let without_data = TesseractConfig {
        data: Some(empty),
        ..layer.config()
    };
    let error = found(without_data).await.unwrap_err().to_string();
    assert!(error.contains("eng"), "{error}");
}
