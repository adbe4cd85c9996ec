//! The names of the providers in settings, models and prices. A model name may begin with a
//! provider as its prefix (`anthropic/claude-sonnet-5-5`). Other text before the slash is part of
//! the model's name, because names of open models contain slashes (`mistralai/Mistral-7B`).

use std::{fmt, str::FromStr};

use crate::ModelConfigError;

/// The provider of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProviderKind {
    /// The text engine of this crate.
    Offline,
    /// Any service with OpenAI's chat completions API: OpenAI, Azure, vLLM, …
    OpenAi,
    /// Anthropic's Messages API.
    Anthropic,
    /// Amazon Bedrock's Converse API.
    Bedrock,
    /// An Ollama server. It has OpenAI's chat completions API too, but is a separate provider so
    /// that both can be used.
    Ollama,
}

impl ProviderKind {
    /// Every provider.
    pub const ALL: [Self; 5] = [
        Self::Offline,
        Self::OpenAi,
        Self::Anthropic,
        Self::Bedrock,
        Self::Ollama,
    ];

    /// The name in `MODEL_PROVIDER` and before the slash of a model's name.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Offline => "offline",
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
            Self::Bedrock => "bedrock",
            Self::Ollama => "ollama",
        }
    }

    /// A model's name without its prefix, and the provider of the prefix.
    pub(crate) fn split(model: &str) -> Option<(Self, &str)> {
        let (prefix, rest) = model.split_once('/')?;
        let kind = Self::ALL.into_iter().find(|kind| kind.id() == prefix)?;
        Some((kind, rest))
    }
}

impl fmt::Display for ProviderKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl FromStr for ProviderKind {
    type Err = ModelConfigError;

    fn from_str(name: &str) -> Result<Self, ModelConfigError> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.id() == name)
            .ok_or(ModelConfigError::UnknownProvider)
    }
}

/// The value of `MODEL_PROVIDERS`: provider names separated by commas.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProviderList(pub Vec<ProviderKind>);

impl FromStr for ProviderList {
    type Err = ModelConfigError;

    fn from_str(list: &str) -> Result<Self, ModelConfigError> {
        let names = list.split(',').map(str::trim);
        let kinds = names.filter(|name| !name.is_empty()).map(str::parse);
        kinds.collect::<Result<_, _>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_counts_only_if_it_names_a_provider() {
        let split = ProviderKind::split;
        assert_eq!(split("openai/gpt-5"), Some((ProviderKind::OpenAi, "gpt-5")));
        assert_eq!(
            split("openai/openai/gpt-oss-20b"),
            Some((ProviderKind::OpenAi, "openai/gpt-oss-20b"))
        );
        assert_eq!(
            split("bedrock/arn:aws:bedrock:us-east-1:1:inference-profile/x"),
            Some((
                ProviderKind::Bedrock,
                "arn:aws:bedrock:us-east-1:1:inference-profile/x"
            ))
        );
        for name in ["gpt-5", "mistralai/Mistral-7B", "OpenAI/gpt-5", ""] {
            assert_eq!(split(name), None, "{name}");
        }
    }

    #[test]
    fn a_list_of_providers_holds_known_names_separated_by_commas() {
        let list: ProviderList = "openai, bedrock,".parse().unwrap();
        assert_eq!(list.0, [ProviderKind::OpenAi, ProviderKind::Bedrock]);
        assert_eq!("".parse::<ProviderList>().unwrap().0, []);
        assert!("openai;bedrock".parse::<ProviderList>().is_err());
    }
}
