//! The deployment's models, from both sides: what a client may ask of them (settings that parse, a provider that is set up, a
//! price where there is a budget), and what the agents need to know of them.
//!
//! [`Models`] is the deployment's choice of a model without the clients that talk to it: whoever only writes a name down
//! opens no connection.

use std::sync::Arc;

use agents::{ConfigError, Key, ModelConfig, ModelNames, NotSetUp, Prices, ProviderKind, Service};
use aws_config::SdkConfig;
use session::Mode;
use workflow::{RunSettings, RunSettingsError};

use crate::config::ApiKey;
use crate::secrets::StoredKey;
use crate::{ClientConfig, Code, Config, Problem};

/// The deployment's models, by name.
#[derive(Debug, Clone)]
pub struct Models {
    names: ModelNames,
    prices: Prices,
}

impl Models {
    /// By `MODEL_PROVIDER`, `MODEL_ID`, `MODEL_PROVIDERS` and `MODEL_PRICES`.
    ///
    /// # Errors
    /// When a provider needs a `MODEL_ID` and there is none, or it names a model of another provider.
    pub fn new(config: &Config) -> Result<Self, ConfigError> {
        let model_id = config.model_id.as_deref();
        Ok(Self {
            names: ModelNames::new(config.model_provider, model_id, config.further_providers())?,
            prices: config.model_prices.clone().unwrap_or_default(),
        })
    }

    /// The model that answers a call which asks for `chosen`.
    pub fn name<'a>(&'a self, chosen: Option<&'a str>) -> &'a str {
        self.names.name(chosen)
    }

    /// Reads a config with which a run is to start now.
    ///
    /// # Errors
    /// `invalid_config`, which names the key, also one that is missing, or the model.
    pub fn settings_to_start(
        &self,
        mode: Mode,
        config: &ClientConfig,
    ) -> Result<RunSettings, Problem> {
        let settings = self.settings(mode, config)?;
        settings.check_start().map_err(|error| invalid(&error))?;
        Ok(settings)
    }

    /// Reads a config for a mode.
    ///
    /// # Errors
    /// `invalid_config`, which names the key, or the model.
    pub fn settings(&self, mode: Mode, config: &ClientConfig) -> Result<RunSettings, Problem> {
        let settings =
            RunSettings::parse(mode, &config.value()?).map_err(|error| invalid(&error))?;
        let chosen = settings.models();
        for name in chosen.iter().map(|model| self.name(*model)) {
            self.check(name, settings.max_cost_usd.is_some())
                .map_err(|detail| Problem::new(Code::InvalidConfig, detail))?;
        }
        Ok(settings)
    }

    fn check(&self, name: &str, has_budget: bool) -> Result<(), String> {
        if let Err(NotSetUp(kind)) = self.names.route(name) {
            return Err(format!(
                "{name} is a model of `{kind}`, a provider that this deployment has not set up."
            ));
        }
        if has_budget && !self.prices.knows(&self.names, name) {
            return Err(format!(
                "`maxCostUsd` needs a model with a known price; {name} has none."
            ));
        }
        Ok(())
    }
}

fn invalid(error: &RunSettingsError) -> Problem {
    Problem::new(Code::InvalidConfig, error.to_string())
}

impl Config {
    /// Who can be asked beside `MODEL_PROVIDER`.
    pub(crate) fn further_providers(&self) -> &[ProviderKind] {
        self.model_providers.as_ref().map_or(&[], |list| &list.0)
    }

    /// What the agents need to know, as far as the environment alone says it.
    pub fn models(&self) -> ModelConfig {
        let service = |base_url: &Option<String>, key: &Option<ApiKey>| Service {
            base_url: base_url.clone(),
            key: key.clone().map(|key| Key::Given(key.0)),
        };
        ModelConfig {
            provider: self.model_provider,
            model_id: self.model_id.clone(),
            also: self.further_providers().to_vec(),
            openai: service(&self.openai_base_url, &self.openai_api_key),
            anthropic: service(&self.anthropic_base_url, &self.anthropic_api_key),
            ollama_base_url: self.ollama_base_url.clone(),
            key_ttl: self.model_key_ttl.0,
            prices: self.model_prices.clone().unwrap_or_default(),
            offline_latency: self.offline_latency.0,
            call_timeout: self.model_timeout.0,
            margin: self.step_margin.0,
            invocation: self.function_timeout.0,
            ..ModelConfig::default()
        }
    }
}

/// What the agents need to know, with the clients of AWS that some providers and keys need. A key in the environment comes
/// before one in Secrets Manager.
pub(crate) fn with_clients(config: &Config, aws: &SdkConfig) -> ModelConfig {
    let mut models = config.models();
    let stored = |secret: &Option<String>| {
        let id = secret.as_deref()?;
        Some(Key::Kept(Arc::new(StoredKey::new(aws, id))))
    };
    models.openai.key = models
        .openai
        .key
        .or_else(|| stored(&config.openai_api_key_secret));
    models.anthropic.key = models
        .anthropic
        .key
        .or_else(|| stored(&config.anthropic_api_key_secret));
    if models.provider == ProviderKind::Bedrock || models.also.contains(&ProviderKind::Bedrock) {
        models.bedrock = Some(agents::BedrockClient::new(aws));
    }
    models
}

#[cfg(test)]
mod tests {
    use aws_config::BehaviorVersion;
    use serde_json::{Value, json};

    use super::*;

    fn models(pairs: &[(&str, &str)]) -> Models {
        let config = Config::read(|name| {
            let pair = pairs.iter().find(|(key, _)| *key == name)?;
            Some(pair.1.to_owned())
        });
        Models::new(&config.unwrap()).unwrap()
    }

    fn refusal(models: &Models, config: Value) -> Option<String> {
        let config = ClientConfig::stored(config.to_string());
        let problem = models.settings(Mode::PlanningControl, &config).err()?;
        assert_eq!(problem.code(), Code::InvalidConfig);
        Some(problem.to_string())
    }

    const OPENAI: [(&str, &str); 2] = [("MODEL_PROVIDER", "openai"), ("MODEL_ID", "gpt-5-mini")];

    #[test]
    fn a_model_of_a_provider_that_is_not_set_up_is_refused_by_name() {
        let models = models(&[OPENAI[0], OPENAI[1], ("MODEL_PROVIDERS", "anthropic")]);
        for config in [
            json!({}),
            json!({"model": "gpt-5"}),
            json!({"plannerModel": "anthropic/claude-opus-5-5", "model": "offline/extract-1"}),
        ] {
            assert_eq!(refusal(&models, config.clone()), None, "{config}");
        }
        let told = refusal(
            &models,
            json!({"engineerModel": "bedrock/amazon.nova-pro-v1:0"}),
        );
        let told = told.unwrap();
        assert!(
            told.starts_with("bedrock/amazon.nova-pro-v1:0 is a model of `bedrock`"),
            "{told}"
        );
    }

    #[test]
    fn a_budget_needs_prices_by_the_table_that_counts_here() {
        let budget = |model: &str| json!({"model": model, "maxCostUsd": 1});
        let shipped = models(&[OPENAI[0], OPENAI[1], ("MODEL_PROVIDERS", "ollama")]);
        assert_eq!(refusal(&shipped, budget("gpt-5-mini")), None);
        let told = refusal(&shipped, budget("ollama/llama3.3")).unwrap();
        assert_eq!(
            told,
            "`maxCostUsd` needs a model with a known price; ollama/llama3.3 has none."
        );
        let own = r#"[{"model": "ollama/llama3.3", "input_usd_per_million": 0.1, "output_usd_per_million": 0.1,
            "as_of": "2026-11-23", "source": "our power bill"}]"#;
        let own = models(&[
            OPENAI[0],
            OPENAI[1],
            ("MODEL_PROVIDERS", "ollama"),
            ("MODEL_PRICES", own),
        ]);
        assert_eq!(refusal(&own, budget("ollama/llama3.3")), None);
        assert!(
            refusal(&own, budget("gpt-5-mini")).is_some(),
            "what the table leaves out has no price"
        );
    }

    #[test]
    fn what_a_provider_needs_of_aws_is_made_only_where_it_is_named() {
        let config = |pairs: &[(&str, &str)]| {
            let config = Config::read(|name| {
                let pair = pairs.iter().find(|(key, _)| *key == name)?;
                Some(pair.1.to_owned())
            });
            let aws = SdkConfig::builder().behavior_version(BehaviorVersion::latest());
            with_clients(&config.unwrap(), &aws.build())
        };
        let offline = config(&[]);
        assert!(offline.bedrock.is_none() && offline.openai.key.is_none());
        let named = config(&[
            ("MODEL_PROVIDERS", "bedrock"),
            ("OPENAI_API_KEY_SECRET", "openai"),
            ("ANTHROPIC_API_KEY_SECRET", "anthropic"),
            ("ANTHROPIC_API_KEY", "sk-local"),
        ]);
        assert!(named.bedrock.is_some());
        assert!(matches!(named.openai.key, Some(Key::Kept(_))));
        assert!(
            matches!(named.anthropic.key, Some(Key::Given(_))),
            "the environment comes first"
        );
    }
}
