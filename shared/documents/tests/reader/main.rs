//! Documents through the real reader, each in a child process, and the OCR engines.
//!
//! Not tested here: fonts other than the standard ones (hayro's own tests cover a thousand
//! documents), and Amazon Textract itself. Its replies follow its documentation.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the answer")]

mod beside;
mod damage;
mod forms;
mod hostile;
mod images;
mod letters;
mod make;
mod order;
mod pages;
mod tesseract;
mod textract;
mod whole;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use documents::reader::{Document, DocumentError, Limits, Page, PageError, Reader};

/// A document on disk that is deleted with this value.
struct Stored {
    folder: PathBuf,
    path: PathBuf,
}

impl Stored {
    fn new(name: &str, bytes: impl AsRef<[u8]>) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let own = format!(
            "{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let folder = std::env::temp_dir().join(format!("documents-{own}"));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join(name);
        fs::write(&path, bytes).unwrap();
        Self { folder, path }
    }

    fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Stored {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A reader whose children run a separate program, because a test has no `main`.
fn reader(limits: Limits) -> Reader {
    Reader::with_program(env!("CARGO_BIN_EXE_document-reader"), limits)
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

/// All pages of a document that can be opened.
async fn all(reader: &Reader, path: &Path) -> Vec<Page> {
    let mut pages = reader.pages(path, 1);
    let mut all = vec![];
    while let Some(page) = pages.next().await.unwrap() {
        all.push(page);
    }
    all
}

/// The text of a page that can be read.
fn text(page: &Page) -> &str {
    &page.text.as_ref().unwrap().text
}

/// Why a document cannot be opened. All operations give the same error.
async fn refusal(stored: &Stored) -> DocumentError {
    let reader = reader(Limits::default());
    let refused = reader.inspect(stored.path()).await.unwrap_err();
    let mut pages = reader.pages(stored.path(), 1);
    assert_eq!(pages.next().await.unwrap_err().code(), refused.code());
    assert_eq!(
        reader
            .render(stored.path(), 1, 100)
            .await
            .unwrap_err()
            .code(),
        refused.code()
    );
    refused
}
