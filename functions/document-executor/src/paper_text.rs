//! The text of a downloaded paper, which the worker for models summarises.
//!
//! A paper without text is named and left out. Its draft holds the reason.

use std::path::Path;

use documents::ArtifactKey;
use documents::reader::DocumentError;
use executor::{DocumentTaskError, PaperText, fixed_name, temporary_failure};

use crate::DocumentWorker;
use crate::excerpt::shorten;
use crate::local_file::LocalFile;

/// The most pages of a paper that are read. A thesis is longer and gives its results in the first
/// pages.
const MAX_PAGES: u32 = 200;

/// The most of a paper's text that is kept in memory before it is shortened for a model.
const MAX_TEXT_BYTES: usize = 4 << 20;

impl DocumentWorker<'_> {
    /// Writes the text of a paper as a draft, or why there is none.
    pub(super) async fn keep_text(&self, file: &str) -> Result<(), DocumentTaskError> {
        let name = PaperText::name(file);
        let draft = match self.text_of(file).await? {
            Ok(text) => PaperText { text, error: None },
            Err(error) => PaperText {
                text: String::new(),
                error: Some(error),
            },
        };
        Ok(self.work_files().write(&name, &draft).await?)
    }

    async fn text_of(&self, file: &str) -> Result<Result<String, String>, DocumentTaskError> {
        let pdf = LocalFile::new("pdf")?;
        let key = ArtifactKey::Run(self.run, fixed_name(file));
        let limit = self.papers.max_pdf_bytes;
        self.session_files()
            .download(&key, limit, &pdf.path)
            .await?;
        match self.read_text(&pdf.path).await {
            Ok(text) if text.trim().is_empty() => Ok(Err("it has no text that can be read".into())),
            Ok(text) => Ok(Ok(shorten(&text, self.papers.window))),
            Err(error) if self.tries_again(error.is_transient()) => Err(try_again(&error)),
            Err(error) => Ok(Err(error.to_string())),
        }
    }

    /// The text of all pages that have a text layer. What is missing from it is said first.
    async fn read_text(&self, path: &Path) -> Result<String, DocumentError> {
        let mut missing = String::new();
        let text = self.read_pages(path, &mut missing).await?;
        Ok(match text.trim().is_empty() {
            true => text,
            false => missing + &text,
        })
    }

    async fn read_pages(&self, path: &Path, missing: &mut String) -> Result<String, DocumentError> {
        let mut pages = self.pages.reader.pages(path, 1);
        let mut text = String::new();
        loop {
            let page = match pages.next().await {
                Ok(Some(page)) => page,
                Err(error) if text.is_empty() => return Err(error),
                Ok(None) => return Ok(text),
                // The pages before the broken one are kept.
                Err(error) => {
                    missing.push_str(&format!("[The paper is read in part: {error}.]\n"));
                    return Ok(text);
                }
            };
            let damage = match page.text {
                Ok(layer) => {
                    if layer.usable {
                        text.push_str(&layer.text);
                        text.push('\n');
                    }
                    layer.damage.map(|damage| damage.to_string())
                }
                Err(error) => Some(error.to_string()),
            };
            if let Some(damage) = damage {
                missing.push_str(&format!("[Page {}: {damage}.]\n", page.number));
            }
            if page.number >= MAX_PAGES || text.len() >= MAX_TEXT_BYTES {
                return Ok(text);
            }
        }
    }
}

fn try_again(error: &DocumentError) -> DocumentTaskError {
    let sentence = format!("The paper could not be read: {error}.");
    temporary_failure(error.code(), sentence).into()
}
