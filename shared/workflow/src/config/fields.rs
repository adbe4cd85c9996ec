//! Types of single config values. Each refuses what is out of its range with the sentence part
//! that follows "must be".

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de::Error};
use serde_json::Value;
use session::whole_number_in;

/// A whole number from `MIN` to `MAX`; 3.0 counts as 3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Whole<const MIN: u32, const MAX: u32>(pub u32);

impl<'de, const MIN: u32, const MAX: u32> Deserialize<'de> for Whole<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = whole_number_in(deserializer, MIN.into()..=MAX.into())?;
        u32::try_from(number).map(Self).map_err(D::Error::custom)
    }
}

impl<const MIN: u32, const MAX: u32> JsonSchema for Whole<MIN, MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Whole_{MIN}_{MAX}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "integer", "minimum": MIN, "maximum": MAX})
    }
}

/// US dollars, above 0.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
#[schemars(inline, extend("exclusiveMinimum" = 0))]
pub struct Amount(pub f64);

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let amount = Value::deserialize(deserializer)?.as_f64();
        amount
            .filter(|amount| amount.is_finite() && *amount > 0.0)
            .map(Self)
            .ok_or_else(|| D::Error::custom("a number above 0"))
    }
}

/// The most characters of a model's name. Names in use have under 150, ARNs of Bedrock included.
const MAX_MODEL_NAME: usize = 256;

/// The name of a model: visible characters of ASCII, without the blanks around them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(inline, extend("pattern" = r"^\s*[!-~]{1,256}\s*$"))]
pub struct ModelName(pub String);

impl<'de> Deserialize<'de> for ModelName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let name = text.trim();
        let is_visible = name.bytes().all(|byte| byte.is_ascii_graphic());
        match (1..=MAX_MODEL_NAME).contains(&name.len()) && is_visible {
            true => Ok(Self(name.to_owned())),
            false => Err(D::Error::custom("a name of 1 to 256 visible characters")),
        }
    }
}

/// A closed list of words, each a variant.
macro_rules! choices {
    ($(#[$meta:meta])* $name:ident { $($variant:ident = $word:literal),+ $(,)? }) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
        $(#[$meta])*
        #[allow(missing_docs, reason = "a variant is its word")]
        pub enum $name { $(#[serde(rename = $word)] $variant),+ }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The word in a configuration.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let word = Value::deserialize(deserializer)?;
                let known = Self::ALL.iter().find(|choice| word == choice.as_str());
                known.copied().ok_or_else(|| {
                    D::Error::custom(one_of(Self::ALL.iter().map(|choice| choice.as_str())))
                })
            }
        }
    };
}

choices! {
    /// The agent that answers a task in mode `one-shot`.
    #[schemars(rename = "Worker")]
    OneShotAgent { Researcher = "researcher", Engineer = "engineer" }
}

choices! {
    /// The checkpoints of the steps in mode `hitl-interactive`.
    ApprovalMode {
        BeforeStep = "before_step",
        AfterStep = "after_step",
        Both = "both",
        OnError = "on_error",
    }
}

choices! {
    /// The checkpoints of a plan and its steps in `planning-control` and `idea-generation`.
    CheckpointChoice {
        None = "none",
        AfterPlanning = "after_planning",
        AfterIdeas = "after_ideas",
        BeforeStep = "before_step",
        AfterStep = "after_step",
        Both = "both",
        OnError = "on_error",
    }
}

choices! {
    /// The checkpoints of mode `hitl-interactive`.
    HitlVariant {
        FullInteractive = "full_interactive",
        PlanningOnly = "planning_only",
        ErrorRecovery = "error_recovery",
    }
}

/// The end of a sentence that lists the words that fit.
pub(super) fn one_of(words: impl IntoIterator<Item = &'static str>) -> String {
    let words: Vec<&str> = words.into_iter().collect();
    format!("one of {}", words.join(", "))
}
