//! Errors of arXiv requests.
//!
//! The caller can distinguish a temporary failure from a permanent one, and one paper's failure
//! from the whole request's. No message contains text from arXiv, so each can be shown to a client.

use std::fmt;
use std::time::Duration;

use crate::ArxivId;

/// An invalid address, or an HTTP client that could not be created.
#[derive(Debug, thiserror::Error)]
pub enum ArxivConfigError {
    /// `ARXIV_API_URL`.
    #[error(
        "ARXIV_API_URL must be an https URL, or http on this machine, e.g. https://export.arxiv.org/api/query"
    )]
    BadApiUrl,
    /// `ARXIV_PDF_URL`.
    #[error(
        "ARXIV_PDF_URL must be an https URL, or http on this machine, e.g. https://arxiv.org/pdf"
    )]
    BadPdfUrl,
    /// The HTTP client could not be created, e.g. because the machine has no CA certificates.
    #[error("the HTTP client for arXiv could not be made")]
    Client(#[source] reqwest::Error),
}

/// A request without a usable answer.
#[derive(Debug, thiserror::Error)]
pub enum ArxivError {
    /// The paper or version has no PDF, or does not exist.
    #[error("arXiv has no PDF of this paper")]
    NotFound,
    /// The paper or version was withdrawn, and has no PDF.
    #[error("the paper was withdrawn, and arXiv has no PDF of it")]
    Withdrawn,
    /// Too many requests by this client or in total: 429, 503, or a 200 that says so.
    #[error("arXiv is busy")]
    Busy {
        /// The wait that arXiv asked for, if it named one.
        retry_after: Option<Duration>,
    },
    /// The deadline passed.
    #[error("arXiv did not answer in time")]
    Timeout,
    /// No connection, or one that closed before the whole response.
    #[error("the connection to arXiv failed")]
    Connection(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Any other status.
    #[error("arXiv answered with status {0}")]
    Status(u16),
    /// The response is not a PDF.
    #[error("arXiv sent {0} instead of a PDF")]
    NotPdf(Instead),
    /// The response is larger than the limit.
    #[error("what arXiv sends is larger than {} MiB", .limit >> 20)]
    TooLarge {
        /// In bytes.
        limit: usize,
    },
    /// The metadata is not a feed of the API, or lacks entries that it counts.
    #[error("arXiv did not send metadata")]
    Garbled,
    /// The API refused the whole request because of one id.
    #[error("arXiv does not take {} for an id", .0.as_ref().map_or("one", ArxivId::as_str))]
    Refused(Option<ArxivId>),
    /// More than [`super::MAX_IDS`].
    #[error("arXiv takes at most 100 ids in a request")]
    TooManyIds,
}

impl ArxivError {
    pub(super) fn connection(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Connection(error.into())
    }

    /// Whether the same request may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Busy { .. } | Self::Timeout | Self::Connection(_) | Self::Garbled => true,
            Self::Status(status) => matches!(status, 408 | 500..),
            Self::NotFound
            | Self::Withdrawn
            | Self::NotPdf(_)
            | Self::TooLarge { .. }
            | Self::Refused(_)
            | Self::TooManyIds => false,
        }
    }

    /// The wait that arXiv asked for.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy { retry_after } => *retry_after,
            _ => None,
        }
    }
}

/// The content that came instead of a PDF.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instead {
    /// A web page.
    Page,
    /// An empty body.
    Nothing,
    /// Bytes without the header of a PDF.
    Other,
}

impl Instead {
    /// Classifies a body by its first bytes.
    pub(super) fn of(body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body).to_lowercase();
        let text = text.trim_start();
        match text {
            "" => Self::Nothing,
            _ if text.starts_with("<!doctype html") || text.starts_with("<html") => Self::Page,
            _ => Self::Other,
        }
    }
}

impl fmt::Display for Instead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Page => "a web page",
            Self::Nothing => "nothing",
            Self::Other => "something else",
        })
    }
}
