//! What a client may ask of the models: settings that parse, a model with a price where there is a budget.
//!
//! This is the deployment's choice of a model without the client that talks to it: whoever only writes a name down opens no
//! connection.

use agents::{ConfigError, ModelNames, has_price};
use session::Mode;
use workflow::{Settings, SettingsError};

use crate::{ClientConfig, Code, Config, Problem};

/// The deployment's models, by name.
#[derive(Debug, Clone)]
pub struct Models(ModelNames);

impl Models {
    /// By `MODEL_PROVIDER` and `MODEL_ID`.
    ///
    /// # Errors
    /// When a provider needs a `MODEL_ID` and there is none.
    pub fn new(config: &Config) -> Result<Self, ConfigError> {
        ModelNames::new(config.model_provider, config.model_id.as_deref()).map(Self)
    }

    /// The model that answers a call which asks for `chosen`.
    pub fn name<'a>(&'a self, chosen: Option<&'a str>) -> &'a str {
        self.0.name(chosen)
    }

    /// Reads a config with which a run is to start now.
    ///
    /// # Errors
    /// `invalid_config`, which names the key, also one that is missing.
    pub fn settings_to_start(
        &self,
        mode: Mode,
        config: &ClientConfig,
    ) -> Result<Settings, Problem> {
        let settings = self.settings(mode, config)?;
        settings.check_start().map_err(|error| invalid(&error))?;
        Ok(settings)
    }

    /// Reads a config for a mode.
    ///
    /// # Errors
    /// `invalid_config`, which names the key.
    pub fn settings(&self, mode: Mode, config: &ClientConfig) -> Result<Settings, Problem> {
        let settings = Settings::parse(mode, &config.value()?)
            .map_err(|error| invalid(&error))?;
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

fn invalid(error: &SettingsError) -> Problem {
    Problem::new(Code::InvalidConfig, error.to_string())
}
