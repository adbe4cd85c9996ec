//! Errors of a whole document and of single pages.
//!
//! A message says what the owner can do and contains no text of the document. A code is stable for
//! programs.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{DocumentKind, Foreign};

/// Why no part of a document can be read.
#[derive(Debug, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentError {
    /// It requires a password.
    #[error("the document is encrypted: upload a copy that opens without a password")]
    Encrypted,
    /// It has no bytes or no pages.
    #[error("the document is empty")]
    Empty,
    /// Its end is missing, as after an interrupted upload.
    #[error("the document is not complete, its end is missing: upload it again")]
    Truncated,
    /// Its header is valid and its structure is not.
    #[error("the document is damaged and cannot be opened")]
    Broken,
    /// Its extension and its bytes are of different kinds.
    #[error("the document is named as {says}, but it is {is}: upload it under a name that fits")]
    Misnamed {
        /// The kind by its name.
        says: DocumentKind,
        /// The kind by its bytes, as a client sees it.
        is: String,
    },
    /// It is of no supported kind.
    #[error("the document is {is}: only PDF, PNG, JPEG, TIFF and WebP can be read")]
    UnknownKind {
        /// The probable kind.
        is: Foreign,
    },
    /// [`super::Limits::pages`].
    #[error("the document has {pages} pages, at most {limit} can be read")]
    TooManyPages {
        /// The number of its pages.
        pages: usize,
        /// The maximum number of pages.
        limit: u32,
    },
    /// [`super::Limits::bytes`].
    #[error("the document is larger than {} MiB", .limit >> 20)]
    TooLarge {
        /// In bytes.
        limit: u64,
    },
    /// Opening exceeded [`super::Limits::page_time`], or all pages exceeded
    /// [`super::Limits::time`].
    #[error("reading the document took longer than {} seconds", .limit.as_secs())]
    TookTooLong {
        /// The time limit.
        limit: Duration,
    },
    /// Opening exceeded [`super::Limits::memory`].
    #[error("opening the document takes more than {} MiB of memory", .limit >> 20)]
    TooMuchMemory {
        /// In bytes.
        limit: u64,
    },
    /// The reader could not be started or violated the protocol. The document is not the cause.
    #[error("the reader of documents failed")]
    #[serde(skip)]
    Reader(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl DocumentError {
    /// A code for programs, in snake case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Encrypted => "document_encrypted",
            Self::Empty => "document_empty",
            Self::Truncated => "document_truncated",
            Self::Broken => "document_broken",
            Self::Misnamed { .. } => "document_misnamed",
            Self::UnknownKind { .. } => "document_unknown_kind",
            Self::TooManyPages { .. } => "document_too_many_pages",
            Self::TooLarge { .. } => "document_too_large",
            Self::TookTooLong { .. } => "document_took_too_long",
            Self::TooMuchMemory { .. } => "document_too_much_memory",
            Self::Reader(_) => "document_reader_failed",
        }
    }

    /// Whether the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Reader(_))
    }

    pub(super) fn reader(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Reader(error.into())
    }
}

/// Why one page cannot be read while others can.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PageError {
    /// The document has no such page.
    #[error("there is no such page")]
    Missing,
    /// It is damaged or malformed on purpose.
    #[error("the page is damaged and cannot be read")]
    Broken,
    /// It has too many pixels.
    #[error("the image on the page is too large: at most {limit} megapixels can be read")]
    TooLarge {
        /// In megapixels.
        limit: u64,
    },
    /// [`super::Limits::page_time`].
    #[error("reading the page took longer than {} seconds", .limit.as_secs())]
    TookTooLong {
        /// The time limit.
        limit: Duration,
    },
    /// [`super::Limits::memory`].
    #[error("reading the page takes more than {} MiB of memory", .limit >> 20)]
    TooMuchMemory {
        /// In bytes.
        limit: u64,
    },
}

impl PageError {
    /// A code for programs, in snake case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing => "page_missing",
            Self::Broken => "page_broken",
            Self::TooLarge { .. } => "page_too_large",
            Self::TookTooLong { .. } => "page_took_too_long",
            Self::TooMuchMemory { .. } => "page_too_much_memory",
        }
    }
}

/// Why a page has no image.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The document cannot be read at all.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// This page cannot be drawn.
    #[error(transparent)]
    Page(#[from] PageError),
}

impl RenderError {
    /// A code for programs, in snake case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Document(error) => error.code(),
            Self::Page(error) => error.code(),
        }
    }

    /// Whether the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Document(error) if error.is_transient())
    }
}
