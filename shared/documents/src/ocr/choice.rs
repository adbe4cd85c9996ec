//! The configured reader of pages without a text layer.

use std::str::FromStr;

/// An OCR engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OcrChoice {
    /// The program `tesseract` on the local machine.
    Tesseract,
    /// Amazon Textract.
    Textract,
    /// A model that reads images: the run's own model, or `MODEL_ID`.
    Model,
}

/// The text is not the name of an engine.
#[derive(Debug, thiserror::Error)]
#[error("it must be `tesseract`, `textract` or `model`")]
pub struct NoEngine;

impl FromStr for OcrChoice {
    type Err = NoEngine;

    fn from_str(text: &str) -> Result<Self, NoEngine> {
        match text {
            "tesseract" => Ok(Self::Tesseract),
            "textract" => Ok(Self::Textract),
            "model" => Ok(Self::Model),
            _ => Err(NoEngine),
        }
    }
}

/// Languages in Tesseract's notation: `eng+deu`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Languages(pub Vec<String>);

/// The text is not a list of languages.
#[derive(Debug, thiserror::Error)]
#[error("it must be languages as Tesseract calls them, with + between: eng+deu")]
pub struct NoLanguages;

impl FromStr for Languages {
    type Err = NoLanguages;

    fn from_str(text: &str) -> Result<Self, NoLanguages> {
        // The names become an argument of a program.
        let is_name = |name: &str| {
            let safe = |sign: u8| sign.is_ascii_alphanumeric() || sign == b'_';
            !name.is_empty() && name.bytes().all(safe)
        };
        let names: Vec<String> = text.split('+').map(ToOwned::to_owned).collect();
        match names.iter().all(|name| is_name(name)) {
            true => Ok(Self(names)),
            false => Err(NoLanguages),
        }
    }
}

/// What an engine's service asks for a page, in US dollars.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PagePrice(pub f64);

/// A price that is none.
#[derive(Debug, thiserror::Error)]
#[error("it must be a number of dollars from 0")]
pub struct NoPrice;

impl FromStr for PagePrice {
    type Err = NoPrice;

    fn from_str(text: &str) -> Result<Self, NoPrice> {
        let price = text.parse().ok();
        let price = price.filter(|price: &f64| price.is_finite() && *price >= 0.0);
        price.map(Self).ok_or(NoPrice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_cannot_look_like_a_command_line_option() {
        let parsed: Languages = "eng+chi_sim".parse().unwrap();
        assert_eq!(parsed.0, ["eng", "chi_sim"]);
        for text in ["", "eng+", "--psm", "eng deu", "../eng"] {
            assert!(text.parse::<Languages>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_engine_has_a_name() {
        assert_eq!("model".parse::<OcrChoice>().unwrap(), OcrChoice::Model);
        assert!("abacus".parse::<OcrChoice>().is_err());
    }

    #[test]
    fn a_price_is_a_number_from_0() {
        assert_eq!("0.0015".parse::<PagePrice>().unwrap(), PagePrice(0.0015));
        for text in ["", "free", "-1", "NaN", "inf"] {
            assert!(text.parse::<PagePrice>().is_err(), "{text}");
        }
    }
}
