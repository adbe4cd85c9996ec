//! Which model answers a call: the one rule for whoever asks and for whoever only writes a name down.

use crate::{ConfigError, ProviderKind, offline};

/// A deployment's models, by name.
#[derive(Clone, Debug)]
pub struct ModelNames {
    /// The model of every call, whatever it asks for.
    only: Option<&'static str>,
    default: String,
}

impl ModelNames {
    /// By `MODEL_PROVIDER` and `MODEL_ID`.
    ///
    /// # Errors
    /// [`ConfigError::NoModel`] when the provider needs a model and there is none.
    pub fn new(provider: ProviderKind, model_id: Option<&str>) -> Result<Self, ConfigError> {
        let (only, default) = match provider {
            ProviderKind::Offline => (Some(offline::MODEL), offline::MODEL),
            ProviderKind::OpenAi => (None, model_id.ok_or(ConfigError::NoModel)?),
        };
        Ok(Self {
            only,
            default: default.to_owned(),
        })
    }

    /// The model that answers a call which asks for `chosen`.
    pub fn name<'a>(&'a self, chosen: Option<&'a str>) -> &'a str {
        self.only.or(chosen).unwrap_or(&self.default)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_may_choose_its_model_unless_there_is_only_one() {
        let openai = ModelNames::new(ProviderKind::OpenAi, Some("default")).unwrap();
        assert_eq!(openai.name(None), "default");
        assert_eq!(openai.name(Some("chosen")), "chosen");
        let offline = ModelNames::new(ProviderKind::Offline, Some("default")).unwrap();
        assert_eq!(offline.name(Some("chosen")), offline::MODEL);
        assert!(matches!(
            ModelNames::new(ProviderKind::OpenAi, None),
            Err(ConfigError::NoModel)
        ));
    }
}
