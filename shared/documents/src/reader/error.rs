//! What can go wrong with a document as a whole, and with one page of it. Goals: the caller can tell the two apart; a
//! sentence says what the owner can do and holds nothing of the document; a code stays the same for programs.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{DocumentKind, Foreign};

/// Why nothing of a document can be read.
#[derive(Debug, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentError {
    /// It opens with a password only.
    #[error("the document is encrypted: upload a copy that opens without a password")]
    Encrypted,
    /// Not a single byte, or not a single page.
    #[error("the document is empty")]
    Empty,
    /// Its end is missing, as after an upload that broke off.
    #[error("the document is not complete, its end is missing: upload it again")]
    Truncated,
    /// It begins as its kind does and is not built so.
    #[error("the document is damaged and cannot be opened")]
    Broken,
    /// Its extension says one kind, its bytes are another.
    #[error("the document is named as {says}, but it is {is}: upload it under a name that fits")]
    Misnamed {
        /// What its name says.
        says: DocumentKind,
        /// What it is, as a client is told.
        is: String,
    },
    /// Not a kind that can be read.
    #[error("the document is {is}: only PDF, PNG, JPEG, TIFF and WebP can be read")]
    UnknownKind {
        /// What it seems to be.
        is: Foreign,
    },
    /// [`super::Limits::pages`].
    #[error("the document has {pages} pages, at most {limit} can be read")]
    TooManyPages {
        /// How many it has.
        pages: usize,
        /// How many it may have.
        limit: u32,
    },
    /// [`super::Limits::bytes`].
    #[error("the document is larger than {} MiB", .limit >> 20)]
    TooLarge {
        /// In bytes.
        limit: u64,
    },
    /// Opening it alone took [`super::Limits::page_time`], or all of it [`super::Limits::time`].
    #[error("reading the document took longer than {} seconds", .limit.as_secs())]
    TookTooLong {
        /// What it was given.
        limit: Duration,
    },
    /// Opening it alone took [`super::Limits::memory`].
    #[error("opening the document takes more than {} MiB of memory", .limit >> 20)]
    TooMuchMemory {
        /// In bytes.
        limit: u64,
    },
    /// The reader could not be started, or did not say what it should: nothing that the document can be blamed for.
    #[error("the reader of documents failed")]
    #[serde(skip)]
    Reader(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl DocumentError {
    /// A name for programs, in snake case.
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

/// Why one page cannot be read, while others can.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PageError {
    /// The document has no such page.
    #[error("there is no such page")]
    Missing,
    /// It is damaged, or built to be unreadable.
    #[error("the page is damaged and cannot be read")]
    Broken,
    /// More pixels than are looked at.
    #[error("the image on the page is too large: at most {limit} megapixels can be read")]
    TooLarge {
        /// In millions of pixels.
        limit: u64,
    },
    /// [`super::Limits::page_time`].
    #[error("reading the page took longer than {} seconds", .limit.as_secs())]
    TookTooLong {
        /// What it was given.
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
    /// A name for programs, in snake case.
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
    /// A name for programs, in snake case.
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
