//! Model prices: a table in dollars per million tokens. Each row has a date and a source. The table
//! ships as `prices.json`, and a deployment can replace it. A model without a row has an unknown
//! price, which differs from a price of zero. A model whose price depends on the prompt length has
//! a row for each band, with null where the price is unknown.

use std::{collections::BTreeMap, fs, str::FromStr, sync::Arc};

use jiff::civil::Date;
use serde::Deserialize;

use crate::{ModelNames, OFFLINE_MODEL, ProviderKind, usage::TokenCount};

/// The table of this version.
const SHIPPED: &str = include_str!("../prices.json");

/// Dollars per million tokens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Price {
    /// The prompt.
    input: f64,
    /// The part of the prompt that came from a cache. Counts in full where the row does not say, so
    /// that a cost is never understated.
    cached: f64,
    /// The answer, including reasoning.
    output: f64,
}

/// A table of prices. Cheap to clone.
#[derive(Clone, Debug, PartialEq)]
pub struct Prices(Arc<BTreeMap<String, Bands>>);

/// The prices of a model by prompt length. Each applies above the number of tokens in its key. None
/// is an unknown price.
type Bands = BTreeMap<u64, Option<Price>>;

/// An invalid table. The message names the position and at most a model of the table.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    /// The file cannot be read.
    #[error("the file that it names cannot be read")]
    NoFile,
    /// The text is not a table.
    #[error(
        "it must be a JSON array of rows, or the path of a file with one (line {line}, column {column})"
    )]
    NoTable {
        /// Line of the fault, from 1.
        line: usize,
        /// Column of the fault, from 1.
        column: usize,
    },
    /// A row is invalid.
    #[error("row {number} ({model}): {problem}")]
    Row {
        /// Its position, from 1.
        number: usize,
        /// The name of its model.
        model: String,
        /// The fault.
        problem: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PriceRow {
    model: String,
    #[serde(default)]
    above_input_tokens: u64,
    input_usd_per_million: Option<f64>,
    cached_input_usd_per_million: Option<f64>,
    output_usd_per_million: Option<f64>,
    as_of: String,
    source: String,
}

impl Default for Prices {
    /// The table that ships with this version.
    fn default() -> Self {
        Self::parse(SHIPPED).expect("prices.json is part of the build and read by a test")
    }
}

impl FromStr for Prices {
    type Err = PriceError;

    /// Parses JSON text, or reads it from the file at this path.
    fn from_str(text: &str) -> Result<Self, PriceError> {
        if text.trim_start().starts_with('[') {
            return Self::parse(text);
        }
        Self::parse(&fs::read_to_string(text).map_err(|_| PriceError::NoFile)?)
    }
}

impl Prices {
    fn parse(json: &str) -> Result<Self, PriceError> {
        let rows: Vec<serde_json::Value> =
            serde_json::from_str(json).map_err(|error| PriceError::NoTable {
                line: error.line(),
                column: error.column(),
            })?;
        let mut table = BTreeMap::<String, Bands>::new();
        for (index, row) in rows.iter().enumerate() {
            enter(&mut table, row).map_err(|problem| PriceError::Row {
                number: index + 1,
                model: row["model"]
                    .as_str()
                    .unwrap_or("without a model")
                    .to_owned(),
                problem,
            })?;
        }
        Ok(Self(Arc::new(table)))
    }

    /// Whether calls of this model have a known cost, as a budget requires.
    pub fn knows(&self, names: &ModelNames, name: &str) -> bool {
        self.of(names, name, 0).is_some()
    }

    /// The models of the table, each behind its provider's prefix.
    pub(crate) fn models(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The price of one call. A model is looked up under its provider. A dated snapshot
    /// (`…-2025-08-07`, `…-20251001`) has the price of its family.
    pub(crate) fn of(&self, names: &ModelNames, name: &str, input_tokens: u64) -> Option<Price> {
        if name == OFFLINE_MODEL {
            return Some(Price {
                input: 0.0,
                cached: 0.0,
                output: 0.0,
            });
        }
        let (kind, model) = names.route(name).ok()?;
        let bands = self
            .bands(kind, model)
            .or_else(|| self.bands(kind, without_date(model)?))?;
        let (_, price) = bands.range(..input_tokens.max(1)).next_back()?;
        *price
    }

    fn bands(&self, kind: ProviderKind, model: &str) -> Option<&Bands> {
        self.0.get(&format!("{kind}/{model}"))
    }
}

impl Price {
    /// US dollars, rounded to a billionth.
    pub(crate) fn cost(self, tokens: TokenCount) -> f64 {
        let cached = tokens.cached.min(tokens.input);
        let millionths = self.input * (tokens.input - cached) as f64
            + self.cached * cached as f64
            + self.output * tokens.output as f64;
        (millionths * 1e3).round() / 1e9
    }
}

fn enter(table: &mut BTreeMap<String, Bands>, row: &serde_json::Value) -> Result<(), String> {
    let row = PriceRow::deserialize(row).map_err(|error| error.to_string())?;
    if ProviderKind::split(&row.model).is_none_or(|(_, model)| model.is_empty()) {
        return Err("`model` must begin with its provider, as in `openai/gpt-5`".to_owned());
    }
    let price = price(&row)?;
    if row.as_of.parse::<Date>().is_err() {
        return Err("`as_of` must be a date, as in 2026-11-23".to_owned());
    }
    if row.source.trim().is_empty() {
        return Err("`source` must say where the price stands".to_owned());
    }
    let bands = table.entry(row.model).or_default();
    if bands.is_empty() && (row.above_input_tokens > 0 || price.is_none()) {
        return Err("a model's first row must hold from the first token".to_owned());
    }
    match bands.insert(row.above_input_tokens, price) {
        None => Ok(()),
        Some(_) => Err("it stands there twice".to_owned()),
    }
}

fn price(row: &PriceRow) -> Result<Option<Price>, String> {
    let is_price = |dollars: f64| dollars.is_finite() && dollars >= 0.0;
    let cached = row.cached_input_usd_per_million;
    match (row.input_usd_per_million, row.output_usd_per_million) {
        (None, None) => Ok(None),
        (Some(input), Some(output))
            if [input, output, cached.unwrap_or(0.0)]
                .into_iter()
                .all(is_price) =>
        {
            Ok(Some(Price {
                input,
                cached: cached.unwrap_or(input),
                output,
            }))
        }
        _ => Err("a price must be a number of dollars from 0".to_owned()),
    }
}

/// The name without a date at its end.
fn without_date(model: &str) -> Option<&str> {
    let (family, digits) = model.rsplit_once('-')?;
    let is_number =
        |text: &str, length| text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number(digits, 8) {
        return Some(family);
    }
    let (family, month) = family.rsplit_once('-')?;
    let (family, year) = family.rsplit_once('-')?;
    (is_number(digits, 2) && is_number(month, 2) && is_number(year, 4)).then_some(family)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> ModelNames {
        use ProviderKind::{Anthropic, Bedrock, Ollama, OpenAi};
        ModelNames::new(OpenAi, Some("m"), &[Anthropic, Bedrock, Ollama]).unwrap()
    }

    fn shipped(name: &str, input_tokens: u64) -> Option<Price> {
        Prices::default().of(&names(), name, input_tokens)
    }

    fn price(input: f64, output: f64) -> Option<Price> {
        Some(Price {
            input,
            cached: input,
            output,
        })
    }

    #[test]
    fn the_shipped_table_has_the_main_models_of_each_vendor() {
        for name in [
            "gpt-6.2-sol",
            "gpt-5-mini",
            "anthropic/claude-opus-5-5",
            "anthropic/claude-haiku-4-5",
            "bedrock/amazon.nova-pro-v1:0",
            "bedrock/global.anthropic.claude-haiku-4-5-20251001-v1:0",
            OFFLINE_MODEL,
        ] {
            assert!(shipped(name, 1).is_some(), "{name}");
        }
        for name in [
            "ollama/llama3.3",
            "m",
            "bedrock/gpt-5-mini",
            "openai/extract-1",
        ] {
            assert_eq!(shipped(name, 1), None, "{name}");
        }
        let rows: Vec<PriceRow> = serde_json::from_str(SHIPPED).unwrap();
        assert!(
            rows.iter()
                .all(|row| *row.as_of >= *"2026" && row.source.starts_with("https://"))
        );
    }

    #[test]
    fn a_dated_snapshot_has_the_price_of_its_family() {
        assert!(shipped("gpt-5-mini-2025-08-07", 1).is_some());
        assert_eq!(
            shipped("gpt-5-mini-2025-08-07", 1),
            shipped("gpt-5-mini", 1)
        );
        assert!(shipped("anthropic/claude-haiku-4-5-20251001", 1).is_some());
        for unknown in [
            "gpt-5-mini-2025-08",
            "gpt-5-minimal",
            "gpt-5-mini-202508071",
            "-2025-08-07",
            "é-2025-08-07",
            "",
        ] {
            assert_eq!(shipped(unknown, 1), None, "{unknown}");
        }
    }

    #[test]
    fn a_longer_prompt_may_have_another_price() {
        let haiku = |tokens| shipped("anthropic/claude-haiku-5-5", tokens);
        assert_eq!(haiku(0), price(0.1, 0.5));
        assert_eq!(haiku(100_000), price(0.1, 0.5));
        assert_eq!(haiku(100_001), price(0.5, 2.5));
        assert_eq!(shipped("gpt-5.4", 272_001), price(5.0, 22.5));
        assert_eq!(
            shipped("gpt-4o", 1).unwrap().cached,
            1.25,
            "what came from a cache has its own price"
        );
        assert!(shipped("gpt-6.2-astra", 272_000).is_some());
        assert_eq!(
            shipped("gpt-6.2-astra", 272_001),
            None,
            "a longer prompt has another, unknown price"
        );
    }

    #[test]
    fn a_custom_table_replaces_the_shipped_one() {
        let own = r#"[{"model": "ollama/llama3.3", "input_usd_per_million": 0, "output_usd_per_million": 0.01,
            "as_of": "2026-11-23", "source": "our own machine"}]"#;
        let own: Prices = own.parse().unwrap();
        assert_eq!(own.of(&names(), "ollama/llama3.3", 5), price(0.0, 0.01));
        assert!(!own.knows(&names(), "gpt-5-mini"));
        assert!(
            own.knows(&names(), OFFLINE_MODEL),
            "the offline engine costs nothing"
        );
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/prices.json");
        assert_eq!(file.parse(), Ok(Prices::default()));
    }

    #[test]
    fn a_bad_row_is_named() {
        let row = |model: &str, input: &str, as_of: &str, source: &str| {
            format!(
                r#"{{"model": "{model}", "input_usd_per_million": {input}, "output_usd_per_million": 1, "as_of": "{as_of}", "source": "{source}"}}"#
            )
        };
        let good = row("openai/a", "1", "2026-11-23", "s");
        for (bad, problem) in [
            (
                row("gpt-9", "1", "2026-11-23", "s"),
                "row 2 (gpt-9): `model` must begin with its provider",
            ),
            (
                row("openai/", "1", "2026-11-23", "s"),
                "row 2 (openai/): `model` must begin",
            ),
            (
                row("openai/b", "-1", "2026-11-23", "s"),
                "row 2 (openai/b): a price must be",
            ),
            (
                row("openai/b", "\"1\"", "2026-11-23", "s"),
                "row 2 (openai/b): invalid type: string",
            ),
            (
                row("openai/b", "1", "yesterday", "s"),
                "row 2 (openai/b): `as_of` must be a date",
            ),
            (
                row("openai/b", "1", "2026-11-23", " "),
                "row 2 (openai/b): `source` must say",
            ),
            (good.clone(), "row 2 (openai/a): it stands there twice"),
            (
                good.replace("{\"", "{\"above_input_tokens\": 9, \"")
                    .replace("/a", "/b"),
                "row 2 (openai/b): a model's first row",
            ),
            (
                good.replace("as_of", "on"),
                "row 2 (openai/a): unknown field `on`",
            ),
            ("7".to_owned(), "row 2 (without a model): invalid type"),
        ] {
            let error = format!("[{good}, {bad}]").parse::<Prices>().unwrap_err();
            assert!(error.to_string().starts_with(problem), "{problem}: {error}");
        }
        assert_eq!("/no/such/file".parse::<Prices>(), Err(PriceError::NoFile));
        assert!(matches!(
            "[1,".parse::<Prices>(),
            Err(PriceError::NoTable { line: 1, .. })
        ));
    }
}
