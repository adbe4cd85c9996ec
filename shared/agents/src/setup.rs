//! Whether the providers of a deployment are set up, by its settings alone: no call, and no key.
//!
//! A function without a right to keys learns from `MODEL_KEYS` which providers have one. The checks
//! are those of [`crate::Agents::new`], which stops the executor's cold start.

use crate::{
    ModelConfigError, ModelNames, ModelSettings, NotSetUp, ProviderKind,
    providers::{check_url, needs_key},
};

/// Why a provider, or the whole deployment, cannot answer a task.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// Neither `MODEL_PROVIDER` nor one of `MODEL_PROVIDERS`.
    #[error(transparent)]
    NotListed(#[from] NotSetUp),
    /// The vendor's own service requires a key.
    #[error("the provider `{0}` is listed in this deployment, but has no key")]
    NoKey(ProviderKind),
    /// No model for calls that name none, or an address that is not allowed.
    #[error(transparent)]
    Model(#[from] ModelConfigError),
}

impl ModelSettings {
    /// Whether this provider can be asked.
    ///
    /// # Errors
    /// [`SetupError`]: what is missing.
    pub fn check_provider(&self, kind: ProviderKind) -> Result<(), SetupError> {
        if !self.listed().any(|listed| listed == kind) {
            return Err(NotSetUp(kind).into());
        }
        let (variable, base_url) = match kind {
            ProviderKind::OpenAi => ("OPENAI_BASE_URL", &self.openai_base_url),
            ProviderKind::Anthropic => ("ANTHROPIC_BASE_URL", &self.anthropic_base_url),
            ProviderKind::Ollama => ("OLLAMA_BASE_URL", &self.ollama_base_url),
            ProviderKind::Bedrock | ProviderKind::Offline => ("", &None),
        };
        check_url(variable, base_url.as_deref())?;
        if needs_key(kind, base_url.as_deref()) && !self.has_key(kind) {
            return Err(SetupError::NoKey(kind));
        }
        Ok(())
    }

    /// Whether a task can be answered. One listed provider without its key stops the executor, and
    /// so the tasks for all providers.
    ///
    /// # Errors
    /// [`SetupError`]: what is missing.
    pub fn check_deployment(&self) -> Result<(), SetupError> {
        let model_id = self.model_id.as_deref();
        ModelNames::new(self.model_provider, model_id, self.further_providers())?;
        self.listed().try_for_each(|kind| self.check_provider(kind))
    }

    fn listed(&self) -> impl Iterator<Item = ProviderKind> {
        let further = self.further_providers().iter().copied();
        [ProviderKind::Offline, self.model_provider]
            .into_iter()
            .chain(further)
    }

    fn has_key(&self, kind: ProviderKind) -> bool {
        let told = self.model_keys.as_ref();
        told.is_some_and(|list| list.0.contains(&kind))
            || match kind {
                ProviderKind::OpenAi => {
                    self.openai_api_key.is_some() || self.openai_api_key_secret.is_some()
                }
                ProviderKind::Anthropic => {
                    self.anthropic_api_key.is_some() || self.anthropic_api_key_secret.is_some()
                }
                _ => false,
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Agents;
    use ProviderKind::{Anthropic, Bedrock, Offline, OpenAi};

    fn settings(pairs: &[(&str, &str)]) -> ModelSettings {
        let read = ModelSettings::read(|name| {
            let pair = pairs.iter().find(|(key, _)| *key == name)?;
            Some(pair.1.to_owned())
        });
        read.unwrap()
    }

    #[test]
    fn a_deployment_is_set_up_exactly_where_its_executor_starts() {
        let openai = [("MODEL_PROVIDER", "openai"), ("MODEL_ID", "m")];
        let key = ("OPENAI_API_KEY", "k");
        for (pairs, starts) in [
            (vec![], true),
            (vec![("MODEL_PROVIDER", "ollama"), ("MODEL_ID", "m")], true),
            (vec![("MODEL_PROVIDER", "ollama")], false),
            (openai.to_vec(), false),
            ([&openai[..], &[key]].concat(), true),
            (
                [&openai[..], &[("OPENAI_BASE_URL", "https://h/v1")]].concat(),
                true,
            ),
            (
                [&openai[..], &[key, ("OPENAI_BASE_URL", "http://h/v1")]].concat(),
                false,
            ),
            (
                [
                    &openai[..],
                    &[("OPENAI_BASE_URL", "https://api.openai.com/v1/")],
                ]
                .concat(),
                false,
            ),
            (
                [&openai[..], &[key, ("MODEL_PROVIDERS", "anthropic")]].concat(),
                false,
            ),
            (
                vec![("MODEL_PROVIDERS", "anthropic"), ("ANTHROPIC_API_KEY", "k")],
                true,
            ),
            (
                vec![("MODEL_PROVIDER", "openai"), ("MODEL_ID", "bedrock/m"), key],
                false,
            ),
        ] {
            let settings = settings(&pairs);
            assert_eq!(settings.check_deployment().is_ok(), starts, "{pairs:?}");
            assert_eq!(Agents::new(settings.config()).is_ok(), starts, "{pairs:?}");
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let settings = settings(&[("MODEL_PROVIDER", "openai"), ("MODEL_ID", "m")]);
        let told = |kind| {
            settings
                .check_provider(kind)
                .map_err(|error| error.to_string())
        };
        assert_eq!(told(Offline), Ok(()));
        assert_eq!(
            told(OpenAi).unwrap_err(),
            "the provider `openai` is listed in this deployment, but has no key"
        );
        assert_eq!(
            told(Bedrock).unwrap_err(),
            "the provider `bedrock` is not set up in this deployment"
        );
    }

    #[test]
    fn the_list_of_keys_stands_for_the_keys() {
        let settings = settings(&[
            ("MODEL_PROVIDER", "openai"),
            ("MODEL_ID", "m"),
            ("MODEL_PROVIDERS", "anthropic"),
            ("MODEL_KEYS", "openai,,"),
        ]);
        assert!(settings.check_provider(OpenAi).is_ok());
        assert!(settings.check_provider(Anthropic).is_err());
        assert!(settings.check_deployment().is_err());
    }
}
