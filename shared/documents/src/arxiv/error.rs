//! What can go wrong with arXiv. Goals: the caller can tell "later" from "never" for a paper and for all; a sentence
//! holds nothing of arXiv's own text and can be shown to a client.

use std::fmt;
use std::time::Duration;

use crate::ArxivId;

/// An address that can't be asked, or no client.
#[derive(Debug, thiserror::Error)]
pub enum ArxivConfigError {
    /// `ARXIV_API_URL`.
    #[error("ARXIV_API_URL must be an http or https URL, e.g. https://export.arxiv.org/api/query")]
    BadApiUrl,
    /// `ARXIV_PDF_URL`.
    #[error("ARXIV_PDF_URL must be an http or https URL, e.g. https://arxiv.org/pdf")]
    BadPdfUrl,
    /// The HTTP client could not be made, e.g. because the machine has no CA certificates.
    #[error("the HTTP client for arXiv could not be made")]
    Client(#[source] reqwest::Error),
}

/// A request without an answer that could be used.
#[derive(Debug, thiserror::Error)]
pub enum ArxivError {
    /// There is no PDF of this paper: no such paper, or one that was withdrawn.
    #[error("arXiv has no PDF of this paper")]
    NotFound,
    /// Too many requests, ours or everybody's (429, 503).
    #[error("arXiv is busy")]
    Busy {
        /// What arXiv asked us to wait; none when it named no time.
        retry_after: Option<Duration>,
    },
    /// The deadline came first.
    #[error("arXiv did not answer in time")]
    Timeout,
    /// No connection, or one that ended before the answer was there.
    #[error("the connection to arXiv failed")]
    Connection(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Any other status.
    #[error("arXiv answered with status {0}")]
    Status(u16),
    /// Something came, but no PDF.
    #[error("arXiv sent {0} instead of a PDF")]
    NotPdf(Instead),
    /// More came than may be held.
    #[error("what arXiv sends is larger than {} MiB", .limit >> 20)]
    TooLarge {
        /// In bytes.
        limit: usize,
    },
    /// Something came as metadata, but no feed of the API, or one that lacks what it counts.
    #[error("arXiv did not send metadata")]
    Garbled,
    /// The API refused the whole request for one id.
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
            // A captcha means that arXiv takes us for too greedy, as 429 does.
            Self::NotPdf(instead) => *instead == Instead::Captcha,
            Self::NotFound | Self::TooLarge { .. } | Self::Refused(_) | Self::TooManyIds => false,
        }
    }

    /// What arXiv asked us to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy { retry_after } => *retry_after,
            _ => None,
        }
    }
}

/// What came in place of a PDF.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instead {
    /// A page that asks whether we are human.
    Captcha,
    /// Another web page.
    Page,
    /// Nothing.
    Nothing,
    /// Bytes that don't begin as a PDF does.
    Other,
}

impl Instead {
    /// Judges a body by its beginning.
    pub(super) fn of(body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body).to_lowercase();
        let text = text.trim_start();
        match text {
            "" => Self::Nothing,
            _ if !(text.starts_with("<!doctype html") || text.starts_with("<html")) => Self::Other,
            _ if text.contains("captcha") => Self::Captcha,
            _ => Self::Page,
        }
    }
}

impl fmt::Display for Instead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Captcha => "a page with a captcha",
            Self::Page => "a web page",
            Self::Nothing => "nothing",
            Self::Other => "something else",
        })
    }
}
