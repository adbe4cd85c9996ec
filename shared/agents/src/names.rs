//! Resolves the model and the provider of a call; the same rule applies to calls and to recorded
//! names. The run's own model precedes the default, and its prefix precedes the deployment's
//! provider. A provider that is not set up is refused by name.

use crate::{ModelConfigError, ProviderKind, offline};

/// The deployment's models, by name.
#[derive(Clone, Debug)]
pub struct ModelNames {
    provider: ProviderKind,
    default: String,
    available: Vec<ProviderKind>,
}

/// The model's provider is not set up in this deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the provider `{0}` is not set up in this deployment")]
pub struct NotSetUp(pub ProviderKind);

impl ModelNames {
    /// Uses `MODEL_PROVIDER`, `MODEL_ID` and `MODEL_PROVIDERS`. The offline engine is always
    /// available.
    ///
    /// # Errors
    /// [`ModelConfigError`] when the provider requires a model and there is none, or the model's
    /// provider is not listed.
    pub fn new(
        provider: ProviderKind,
        model_id: Option<&str>,
        also: &[ProviderKind],
    ) -> Result<Self, ModelConfigError> {
        let default = match provider {
            ProviderKind::Offline => offline::MODEL,
            _ => model_id.ok_or(ModelConfigError::NoModel)?,
        };
        let mut available = vec![ProviderKind::Offline, provider];
        available.extend(also);
        available.sort_unstable();
        available.dedup();
        let names = Self {
            provider,
            default: default.to_owned(),
            available,
        };
        names
            .route(&names.default)
            .map_err(|NotSetUp(kind)| ModelConfigError::NotListed(kind))?;
        Ok(names)
    }

    /// The model that answers a call for `chosen`, under its name in events and ledgers. The
    /// offline engine has one model and ignores `chosen`.
    pub fn name<'a>(&'a self, chosen: Option<&'a str>) -> &'a str {
        let name = chosen.unwrap_or(&self.default);
        match self.kind(name).0 {
            ProviderKind::Offline => offline::MODEL,
            _ => name,
        }
    }

    /// The provider of the model with this name, and the model's name there.
    ///
    /// # Errors
    /// [`NotSetUp`].
    pub fn route<'a>(&self, name: &'a str) -> Result<(ProviderKind, &'a str), NotSetUp> {
        let (kind, model) = self.kind(name);
        if self.available.contains(&kind) {
            Ok((kind, model))
        } else {
            Err(NotSetUp(kind))
        }
    }

    /// Every available provider.
    pub(crate) fn available(&self) -> &[ProviderKind] {
        &self.available
    }

    /// The shortest name of a model that is given with its provider's prefix.
    pub(crate) fn shortest<'a>(&self, name: &'a str) -> &'a str {
        match ProviderKind::split(name) {
            // The offline engine has no other name, and a second prefix would become the first.
            Some((kind, model))
                if kind == self.provider
                    && kind != ProviderKind::Offline
                    && ProviderKind::split(model).is_none() =>
            {
                model
            }
            _ => name,
        }
    }

    /// The provider of the model with this name, set up or not, and the model's name there.
    pub(crate) fn kind<'a>(&self, name: &'a str) -> (ProviderKind, &'a str) {
        ProviderKind::split(name).unwrap_or((self.provider, name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ProviderKind::{Anthropic, Bedrock, Offline, Ollama, OpenAi};

    #[test]
    fn a_call_may_choose_its_model_and_by_a_prefix_its_provider() {
        let names = ModelNames::new(OpenAi, Some("default"), &[Anthropic]).unwrap();
        assert_eq!(names.name(None), "default");
        assert_eq!(names.name(Some("chosen")), "chosen");
        assert_eq!(names.name(Some("anthropic/claude")), "anthropic/claude");
        assert_eq!(names.name(Some("offline/any")), offline::MODEL);
        for (name, route) in [
            ("chosen", Ok((OpenAi, "chosen"))),
            ("openai/chosen", Ok((OpenAi, "chosen"))),
            ("anthropic/claude", Ok((Anthropic, "claude"))),
            (offline::MODEL, Ok((Offline, "extract-1"))),
            ("bedrock/nova", Err(NotSetUp(Bedrock))),
            ("ollama/llama3", Err(NotSetUp(Ollama))),
        ] {
            assert_eq!(names.route(name), route, "{name}");
        }
    }

    #[test]
    fn the_offline_engine_has_one_model_for_every_request() {
        let names = ModelNames::new(Offline, Some("default"), &[]).unwrap();
        assert_eq!(names.name(None), offline::MODEL);
        assert_eq!(names.name(Some("chosen")), offline::MODEL);
        assert_eq!(names.route("openai/gpt-5"), Err(NotSetUp(OpenAi)));
    }

    #[test]
    fn an_unavailable_default_model_stops_the_cold_start() {
        assert!(matches!(
            ModelNames::new(OpenAi, None, &[]),
            Err(ModelConfigError::NoModel)
        ));
        assert!(matches!(
            ModelNames::new(OpenAi, Some("bedrock/nova"), &[]),
            Err(ModelConfigError::NotListed(Bedrock))
        ));
        assert!(ModelNames::new(OpenAi, Some("bedrock/nova"), &[Bedrock]).is_ok());
    }
}
