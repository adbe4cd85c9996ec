//! The documents of a session: artifacts in object storage for files and contents above 32 KiB,
//! papers from arXiv, and the text of PDFs and images from the text layer or an OCR engine.
//!
//! This crate knows neither runs nor the table. The caller supplies the deadline and limits the
//! rate of arXiv requests, because only the caller sees all runs.

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
    ArtifactError, ArtifactKey, ArtifactName, Artifacts, ContentType, FilePath, InvalidContentType,
    InvalidName, InvalidPlace, LINK_TIME, Listed, Listing, MAX_UPLOAD_BYTES, SessionFiles,
    TextBeginning, UploadLink,
};
pub use arxiv_id::{ArxivId, InvalidArxivId};
pub use settings::DocumentSettings;
