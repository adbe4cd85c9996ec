//! The format of arXiv ids: `2101.00001` since April 2007, `hep-th/9901001` before
//! (<https://info.arxiv.org/help/arxiv_identifier.html>).
//!
//! An id has no old subject class: `math.GT/0309136` becomes `math/0309136`, the form that arXiv
//! prefers and answers with. An id with a version, `math/0309136v2`, names that version alone.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Every archive with old-style ids, in alphabetical order.
const ARCHIVES: [&str; 34] = [
    "acc-phys", "adap-org", "alg-geom", "ao-sci", "astro-ph", "atom-ph", "bayes-an", "chao-dyn",
    "chem-ph", "cmp-lg", "comp-gas", "cond-mat", "cs", "dg-ga", "funct-an", "gr-qc", "hep-ex",
    "hep-lat", "hep-ph", "hep-th", "math", "math-ph", "mtrl-th", "nlin", "nucl-ex", "nucl-th",
    "patt-sol", "physics", "plasm-ph", "q-alg", "q-bio", "quant-ph", "solv-int", "supr-con",
];

/// The first and last months of the two styles, as years and months.
const FIRST_OLD: (u16, u16) = (1991, 8);
const LAST_OLD: (u16, u16) = (2007, 3);
const FIRST_NEW: (u16, u16) = (2007, 4);
const FIRST_WITH_FIVE_DIGITS: (u16, u16) = (2015, 1);

/// The arXiv id of a paper or of one of its versions, without subject class, in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ArxivId(String);

/// A text that is not an arXiv id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an arXiv id looks like 2101.00001 or hep-th/9901001")]
pub struct InvalidArxivId;

impl ArxivId {
    /// The version that it names; without one, the latest.
    pub fn version(&self) -> Option<u32> {
        split_version(&self.0)
            .1
            .and_then(|digits| digits.parse().ok())
    }

    /// The paper of which this may be a version.
    #[must_use]
    pub fn paper(&self) -> Self {
        Self(split_version(&self.0).0.to_owned())
    }

    /// A version of the paper.
    #[must_use]
    pub fn with_version(&self, version: u32) -> Self {
        Self(format!("{}v{version}", self.paper()))
    }

    /// The name of its artifact: `/` becomes `_`, so `hep-th_9901001v2.pdf`.
    pub fn artifact_name(&self) -> String {
        format!("{}.pdf", self.0.replace('/', "_"))
    }

    /// The id in arXiv's spelling.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ArxivId {
    type Err = InvalidArxivId;

    /// Parses an id, with or without version and subject class, in any case.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.to_ascii_lowercase();
        let (id, version) = split_version(&text);
        let paper = match id.split_once('/') {
            Some((archive, number)) => old_style(archive, number),
            None => new_style(id),
        };
        let paper = paper.map(Self).ok_or(InvalidArxivId)?;
        match version.map(str::parse) {
            None => Ok(paper),
            Some(Ok(version @ 1..)) => Ok(paper.with_version(version)),
            Some(_) => Err(InvalidArxivId),
        }
    }
}

impl TryFrom<String> for ArxivId {
    type Error = InvalidArxivId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ArxivId> for String {
    fn from(id: ArxivId) -> Self {
        id.0
    }
}

impl fmt::Display for ArxivId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The id and the digits of its version.
fn split_version(id: &str) -> (&str, Option<&str>) {
    match id.rsplit_once('v') {
        Some((id, version)) if is_digits(version) => (id, Some(version)),
        _ => (id, None),
    }
}

fn new_style(id: &str) -> Option<String> {
    let (yymm, number) = id.split_once('.')?;
    let month = month(yymm, 2000)?;
    let digits = if month < FIRST_WITH_FIVE_DIGITS { 4 } else { 5 };
    let fits = month >= FIRST_NEW && number.len() == digits && counts(number);
    fits.then(|| id.to_owned())
}

fn old_style(archive: &str, number: &str) -> Option<String> {
    let archive = match archive.split_once('.') {
        Some((archive, class)) if is_class(class) => archive,
        Some(_) => return None,
        None => archive,
    };
    let (yymm, sequence) = number.split_at_checked(4)?;
    let century = if yymm.starts_with('9') { 1900 } else { 2000 };
    let month = month(yymm, century)?;
    let fits = ARCHIVES.binary_search(&archive).is_ok()
        && (FIRST_OLD..=LAST_OLD).contains(&month)
        && sequence.len() == 3
        && counts(sequence);
    fits.then(|| format!("{archive}/{number}"))
}

/// The year and the month of `yymm`.
fn month(yymm: &str, century: u16) -> Option<(u16, u16)> {
    let digits = (yymm.len() == 4 && is_digits(yymm)).then_some(yymm)?;
    let yymm: u16 = digits.parse().ok()?;
    let (year, month) = (yymm / 100, yymm % 100);
    (1..=12).contains(&month).then_some((century + year, month))
}

/// Paper numbers begin at 1.
fn counts(number: &str) -> bool {
    is_digits(number) && number.bytes().any(|digit| digit != b'0')
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `gt`, `acc-ph`.
fn is_class(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_shown_as_arxiv_prefers_it() {
        for (text, id) in [
            ("0704.0001", "0704.0001"),
            ("1412.9999v12", "1412.9999v12"),
            ("1501.00001V1", "1501.00001v1"),
            ("1501.00001v007", "1501.00001v7"),
            ("hep-th/9901001v3", "hep-th/9901001v3"),
            ("HEP-TH/9108001", "hep-th/9108001"),
            ("math.GT/0309136", "math/0309136"),
            ("physics.acc-ph/0703999", "physics/0703999"),
            ("solv-int/9901001", "solv-int/9901001"),
        ] {
            assert_eq!(text.parse::<ArxivId>().unwrap().to_string(), id, "{text}");
        }
    }

    #[test]
    fn an_id_outside_the_scheme_is_refused() {
        for text in [
            "",
            "v1",
            "2101",
            "2101.",
            "2101.0001",
            "1412.00001",
            "0703.0001",
            "2113.00001",
            "2100.00001",
            "2101.00000",
            "2101.000001",
            "2101.00001v",
            "2101.00001v0",
            "2101.00001v99999999999",
            "2101.00001v1v2",
            "2101.00001v1.2",
            "+101.00001",
            "9901001",
            "stat/0701001",
            "hep-th/0704001",
            "hep-th/9107001",
            "hep-th/9913001",
            "hep-th/9901000",
            "hep-th/990100",
            "hep-th/99010010",
            "math./0309136",
            "math.G1/0309136",
            "hep-th/99é1001",
            "２１０１.00001",
        ] {
            assert_eq!(text.parse::<ArxivId>(), Err(InvalidArxivId), "{text}");
        }
    }

    #[test]
    fn an_artifact_name_has_no_slash() {
        let name = |id: &str| id.parse::<ArxivId>().unwrap().artifact_name();
        assert_eq!(name("2101.00001"), "2101.00001.pdf");
        assert_eq!(name("2101.00001v2"), "2101.00001v2.pdf");
        assert_eq!(name("hep-th/9901001"), "hep-th_9901001.pdf");
    }

    #[test]
    fn a_version_is_one_of_a_paper() {
        let id: ArxivId = "math.GT/0309136v2".parse().unwrap();
        assert_eq!((id.version(), id.paper().version()), (Some(2), None));
        assert_eq!(id.paper().as_str(), "math/0309136");
        assert_eq!(id.with_version(1).as_str(), "math/0309136v1");
        assert_eq!(
            "solv-int/9901001".parse::<ArxivId>().unwrap().version(),
            None
        );
    }

    #[test]
    fn an_id_is_validated_when_it_is_read_from_json() {
        let id: ArxivId = serde_json::from_str("\"math.GT/0309136v1\"").unwrap();
        assert_eq!(serde_json::to_string(&id).unwrap(), "\"math/0309136v1\"");
        assert!(serde_json::from_str::<ArxivId>("\"../../etc/passwd\"").is_err());
    }

    #[test]
    fn the_archives_are_sorted() {
        assert!(ARCHIVES.is_sorted());
    }
}
