//! The documents of a session: contents above 32 KiB and files as artifacts in object storage, papers at arXiv, and the text
//! of PDFs and images, by its layer or by an OCR engine.
//!
//! Nothing in here knows a run or the table. Whoever calls brings the deadline and, for arXiv, the slot: requests to it
//! are rare by agreement, and how rare is decided where all runs are seen.

mod artifacts;
pub mod arxiv;
mod arxiv_id;
pub mod ocr;
pub mod reader;
pub mod references;
mod settings;
#[cfg(feature = "testing")]
pub mod testing;

pub use artifacts::{
    ArtifactError, ArtifactKey, ArtifactName, Artifacts, ContentType, InvalidContentType,
    InvalidName, InvalidPlace, LINK_TIME, Listed, Listing, MAX_UPLOAD_BYTES, SessionFiles,
    UploadLink,
};
pub use arxiv_id::{ArxivId, InvalidArxivId};
pub use settings::DocumentSettings;
