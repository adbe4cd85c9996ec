//! The document that a run of `ocr` reads, and the artifacts that it writes.

use std::str::FromStr;

use serde::{Deserialize, Deserializer, de::Error};
use session::{ArtifactName, SessionId};

/// The settings of a run of `ocr`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OcrSettings {
    /// The document (`document`). A run needs it; a session can be created without it.
    pub document: Option<DocumentName>,
    /// Whether `<stem>.md` is written (`saveMarkdown`).
    pub save_markdown: bool,
    /// Whether `<stem>.json` is written, page by page (`saveJson`).
    pub save_json: bool,
    /// Whether `<stem>.txt` is written (`saveText`).
    pub save_text: bool,
}

/// An upload: `<name>` in the run's own session, `<session_id>/<name>` in another session of the
/// same owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentName {
    /// The other session; none for the run's own.
    pub session: Option<SessionId>,
    /// The name in it.
    pub name: ArtifactName,
}

/// The text names no upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoDocumentName;

impl FromStr for DocumentName {
    type Err = NoDocumentName;

    fn from_str(text: &str) -> Result<Self, NoDocumentName> {
        let (session, name) = match text.split_once('/') {
            Some((session, name)) => (Some(session.parse().map_err(|_| NoDocumentName)?), name),
            None => (None, text),
        };
        let name = name.trim().parse().map_err(|_| NoDocumentName)?;
        Ok(Self { session, name })
    }
}

impl<'de> Deserialize<'de> for DocumentName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse()
            .map_err(|NoDocumentName| D::Error::custom(NO_DOCUMENT))
    }
}

/// What `document` must be.
pub(super) const NO_DOCUMENT: &str =
    "the name of an upload, or `<session_id>/<name>` for one of another session";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upload_can_belong_to_the_session_or_to_another_one() {
        let id = "01890a5d-ac96-774b-bcce-b302099a8057";
        let named = |session: Option<&str>, name: &str| DocumentName {
            session: session.map(|id| id.parse().unwrap()),
            name: name.parse().unwrap(),
        };
        for (text, expected) in [
            ("scan 1.pdf", Ok(named(None, "scan 1.pdf"))),
            (" Zürich.pdf ", Ok(named(None, "Zürich.pdf"))),
            (
                "re\u{301}sume\u{301}.pdf",
                Ok(named(None, "r\u{e9}sum\u{e9}.pdf")),
            ),
            (&format!("{id}/a.pdf"), Ok(named(Some(id), "a.pdf"))),
        ] {
            assert_eq!(text.parse(), expected, "{text}");
        }
    }

    #[test]
    fn a_name_cannot_refer_outside_its_session() {
        let id = "01890a5d-ac96-774b-bcce-b302099a8057";
        for text in [
            "",
            " ",
            ".",
            "..",
            "../a.pdf",
            "uploads/a.pdf",
            "a\\b.pdf",
            "a\0.pdf",
            "a\u{202e}fdp.exe",
            &"x".repeat(256),
            &format!("{id}/"),
            &format!("{id}/../a.pdf"),
            &format!("{id}/b/a.pdf"),
        ] {
            assert_eq!(
                text.parse::<DocumentName>(),
                Err(NoDocumentName),
                "{text:?}"
            );
        }
    }
}
