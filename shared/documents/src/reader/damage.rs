//! What of a page is damaged, so that its text may be only a part.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The first damage that was found on a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Damage {
    /// Where it is.
    pub part: Part,
    /// What it is.
    pub fault: Fault,
}

/// A part of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// What the page itself draws.
    Content,
    /// A drawing that the page includes, or the appearance of a note or a field.
    Drawing,
    /// A font of the page's text.
    Font,
    /// An image.
    Image,
    /// The list of fonts, images and drawings.
    Resources,
}

/// How a part is damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The document refers to it and does not contain it.
    Missing,
    /// Its end is missing.
    BrokenOff,
    /// Its bytes were changed: a checksum or a code is wrong.
    Corrupt,
    /// It is compressed by a method that does not exist.
    UnknownFilter,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = match self.part {
            Part::Content => "its content",
            Part::Drawing => "a drawing on it",
            Part::Font => "a font of its text",
            Part::Image => "an image on it",
            Part::Resources => "its list of fonts and images",
        };
        let fault = match self.fault {
            Fault::Missing => "is missing",
            Fault::BrokenOff => "breaks off",
            Fault::Corrupt => "is corrupt",
            Fault::UnknownFilter => "is compressed by an unknown method",
        };
        write!(f, "the page is damaged: {part} {fault}")
    }
}
