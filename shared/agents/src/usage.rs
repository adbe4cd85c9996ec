//! What a model call consumed and what it cost.

use serde::{Deserialize, Serialize};

use crate::prices::Price;

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
    /// US dollars, rounded to a billionth; `None` when the model has no known price.
    pub cost_usd: Option<f64>,
}

/// Tokens in and out, and whether they are our estimate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tokens {
    pub input: u64,
    pub output: u64,
    pub estimated: bool,
}

impl Usage {
    pub(crate) fn new(model: &str, tokens: Tokens, price: Option<Price>) -> Self {
        Self {
            model: model.to_owned(),
            input_tokens: tokens.input,
            output_tokens: tokens.output,
            estimated: tokens.estimated,
            cost_usd: price.map(|price| price.cost(tokens.input, tokens.output)),
        }
    }
}

/// The usual rule of thumb for English; elsewhere it counts too many tokens rather than too few.
pub(crate) const BYTES_PER_TOKEN: u64 = 4;

/// The tokens of a text where nobody counts them, rounded up.
pub(crate) fn estimate_tokens(text: &str) -> u64 {
    (text.len() as u64).div_ceil(BYTES_PER_TOKEN)
}
