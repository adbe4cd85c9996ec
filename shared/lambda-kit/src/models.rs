//! What a client may ask of the models: settings that parse, a model with a price where there is a budget.
//!
//! This is the deployment's choice of a model without the client that talks to it: whoever only writes a name down opens no
//! connection.

use agents::{OFFLINE_MODEL, ProviderKind, has_price};
use session::Mode;
use workflow::Settings;

use crate::config::ConfigError;
use crate::{ClientConfig, Code, Config, Problem};

/// The deployment's models, by name.
#[derive(Debug, Clone)]
pub struct Models {
    /// The model of every call, whatever it asks for.
    only: Option<&'static str>,
    default: String,
}

impl Models {
    /// By `MODEL_PROVIDER` and `MODEL_ID`.
    ///
    /// # Errors
    /// When a provider needs a `MODEL_ID` and there is none.
    pub fn new(config: &Config) -> Result<Self, ConfigError> {
        let (only, default) = match config.model_provider {
            ProviderKind::Offline => (Some(OFFLINE_MODEL), OFFLINE_MODEL.to_owned()),
            ProviderKind::OpenAi => {
                let id = crate::config::required("MODEL_ID", &config.model_id)?;
                (None, id.to_owned())
            }
        };
        Ok(Self { only, default })
    }

    /// The model that answers a call which asks for `chosen`.
    pub fn name<'a>(&'a self, chosen: Option<&'a str>) -> &'a str {
        self.only.or(chosen).unwrap_or(&self.default)
    }

    /// Reads a config for a mode.
    ///
    /// # Errors
    /// `invalid_config`, which names the key.
    pub fn settings(&self, mode: Mode, config: &ClientConfig) -> Result<Settings, Problem> {
        let settings = Settings::parse(mode, &config.value()?)
            .map_err(|error| Problem::new(Code::InvalidConfig, error.to_string()))?;
        if settings.max_cost_usd.is_some() {
            let chosen = settings.models();
            let mut names = chosen.iter().map(|model| self.name(*model));
            if let Some(unpriced) = names.find(|name| !has_price(name)) {
                let detail =
                    format!("`maxCostUsd` needs a model with a known price; {unpriced} has none.");
                return Err(Problem::new(Code::InvalidConfig, detail));
            }
        }
        Ok(settings)
    }
}
