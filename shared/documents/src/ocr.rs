//! Engines that read the text of a page image: Tesseract on the local machine, Amazon Textract, and
//! any other implementation of [`OcrEngine`].

mod choice;
mod tesseract;
mod textract;

use std::fmt::Debug;
use std::time::Instant;

use futures::future::BoxFuture;

use crate::reader::PageImage;
pub use choice::{Languages, OcrChoice, PagePrice};
pub use tesseract::{Tesseract, TesseractConfig};
pub use textract::Textract;

/// An engine that reads images.
pub trait OcrEngine: Debug + Send + Sync {
    /// The engine's name in the record, e.g. `tesseract`.
    fn name(&self) -> &str;

    /// The text of a page, line by line; empty for a page without text. Makes one attempt that ends
    /// at `deadline`. The caller decides about retries.
    fn read<'a>(
        &'a self,
        page: &'a PageImage,
        deadline: Instant,
    ) -> BoxFuture<'a, Result<String, OcrError>>;
}

/// Why an engine could not read a page.
#[derive(Debug, thiserror::Error)]
pub enum OcrError {
    /// The engine is missing or lacks what the configuration requires. The message says what to do.
    #[error("{0}")]
    Unavailable(String),
    /// Too many requests.
    #[error("the OCR engine is busy")]
    Busy,
    /// The deadline passed.
    #[error("the OCR engine did not answer in time")]
    TookTooLong,
    /// The engine exceeded its memory limit.
    #[error("reading the page takes more than {} MiB of memory", .limit >> 20)]
    TooMuchMemory {
        /// In bytes.
        limit: u64,
    },
    /// The engine does not accept the image.
    #[error("the OCR engine does not take the image of this page")]
    BadImage,
    /// Anything else.
    #[error("the OCR engine failed")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl OcrError {
    /// A code for programs, in snake case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unavailable(_) => "ocr_unavailable",
            Self::Busy => "ocr_busy",
            Self::TookTooLong => "ocr_took_too_long",
            Self::TooMuchMemory { .. } => "ocr_too_much_memory",
            Self::BadImage => "ocr_bad_image",
            Self::Failed(_) => "ocr_failed",
        }
    }

    /// Whether the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Busy | Self::TookTooLong | Self::Failed(_) => true,
            Self::Unavailable(_) | Self::TooMuchMemory { .. } | Self::BadImage => false,
        }
    }

    pub(crate) fn failed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Failed(error.into())
    }
}
