//! What a model call consumed and what it cost. Prices are data (`prices.json`, dollars per million tokens, each row
//! with its date and source); a model without a row has no known price, which is not the same as none.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::{Deserialize, Serialize};

/// The ledger's line for one model answer.
///
/// A call that timed out or broke off has no line: nobody told us what it consumed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// The model, as it was asked for.
    pub model: String,
    /// Tokens of the question.
    pub input_tokens: u64,
    /// Tokens of the answer.
    pub output_tokens: u64,
    /// True when the provider gave no figures and these are ours: a token per four bytes of text.
    pub estimated: bool,
    /// US dollars, rounded to a billionth; `None` when the model has no row in the price table.
    pub cost_usd: Option<f64>,
}

/// Dollars per million tokens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Price {
    /// For the question. Cached input is counted in full, so that a cost is never understated.
    pub input: f64,
    /// For the answer, reasoning included.
    pub output: f64,
}

impl Price {
    fn cost(self, input_tokens: u64, output_tokens: u64) -> f64 {
        let millionths = self.input * input_tokens as f64 + self.output * output_tokens as f64;
        (millionths * 1e3).round() / 1e9
    }
}

#[derive(Deserialize)]
struct Row {
    model: String,
    input_usd_per_million: f64,
    output_usd_per_million: f64,
}

static PRICES: LazyLock<BTreeMap<String, Price>> = LazyLock::new(|| {
    let rows: Vec<Row> = serde_json::from_str(include_str!("../prices.json"))
        .expect("prices.json is part of the build and read by a test");
    rows.into_iter()
        .map(|row| {
            let price = Price {
                input: row.input_usd_per_million,
                output: row.output_usd_per_million,
            };
            (row.model, price)
        })
        .collect()
});

/// The price of a model; a dated snapshot (`…-2025-08-07`) costs what its family costs.
pub(crate) fn price_of(model: &str) -> Option<Price> {
    PRICES
        .get(model)
        .or_else(|| PRICES.get(without_date(model)?))
        .copied()
}

/// Whether calls to a model have a known cost, so that a budget can be kept.
pub fn has_price(model: &str) -> bool {
    price_of(model).is_some()
}

fn without_date(model: &str) -> Option<&str> {
    let (family, date) = model.split_at_checked(model.len().checked_sub("-2025-08-07".len())?)?;
    let is_date = date.bytes().enumerate().all(|(i, byte)| match i {
        0 | 5 | 8 => byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    is_date.then_some(family)
}

impl Usage {
    pub(crate) fn new(model: &str, input_tokens: u64, output_tokens: u64, estimated: bool) -> Self {
        Self {
            model: model.to_owned(),
            input_tokens,
            output_tokens,
            estimated,
            cost_usd: price_of(model).map(|price| price.cost(input_tokens, output_tokens)),
        }
    }
}

/// The usual rule of thumb for English; elsewhere it counts too many tokens rather than too few.
pub(crate) const BYTES_PER_TOKEN: u64 = 4;

/// The tokens of a text where nobody counts them, rounded up.
pub(crate) fn estimate_tokens(text: &str) -> u64 {
    (text.len() as u64).div_ceil(BYTES_PER_TOKEN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_price_has_a_date_and_a_source() {
        #[derive(Deserialize)]
        struct Origin {
            model: String,
            as_of: jiff::civil::Date,
            source: String,
        }
        let rows: Vec<Origin> = serde_json::from_str(include_str!("../prices.json")).unwrap();
        assert!(
            rows.iter()
                .all(|row| row.as_of.year() >= 2026 && !row.source.is_empty())
        );
        assert_eq!(rows.len(), PRICES.len(), "no model stands there twice");
        assert!(rows.iter().any(|row| row.model == crate::OFFLINE_MODEL));
    }

    #[test]
    fn a_dated_snapshot_costs_what_its_family_costs() {
        assert_eq!(price_of("gpt-5-mini-2025-08-07"), price_of("gpt-5-mini"));
        for unknown in [
            "gpt-5-mini-2025-08",
            "gpt-5-minimal",
            "-2025-08-07",
            "é-2025-08-07",
            "",
        ] {
            assert_eq!(price_of(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn a_cost_has_no_rounding_dust() {
        let cost = Usage::new("gpt-4o-mini", 3, 1, false).cost_usd;
        assert_eq!(cost, Some(0.000_001_05));
    }
}
