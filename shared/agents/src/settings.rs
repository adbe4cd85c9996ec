//! The environment variables of the models: providers, keys, prices and timeouts.

use std::{num::NonZeroU32, sync::Arc};

use aws_config::SdkConfig;
use environment::{Milliseconds, Seconds, Usd};

use crate::providers::StoredKey;
use crate::{
    BedrockClient, Key, ModelConfig, ModelPatterns, Prices, ProviderKind, ProviderList, Secret,
    ServiceSettings,
};

environment::settings! {
    /// The settings of the models. The fields have the meaning that
    /// [`VARIABLES`](ModelSettings::VARIABLES) describes.
    pub struct ModelSettings;
    "MODEL_PROVIDER" model_provider: ProviderKind = "offline",
        "The provider that answers: `offline`, `openai`, `anthropic`, `bedrock` or `ollama`.";
    "MODEL_ID" model_id: String, "The model for calls that name none; needed by all but `offline`.";
    "MODEL_PROVIDERS" model_providers: ProviderList,
        "Further providers, with commas between, for models that begin with `<provider>/`.";
    "MODEL_KEYS" model_keys: ProviderList,
        "The providers that have a key, with commas between; set by the template for functions that \
        may not read a key.";
    "MODEL_PRICES" model_prices: Prices,
        "What models cost, in place of `shared/agents/prices.json`: JSON in its form, or the path of a \
        file with it.";
    "MODEL_KEY_TTL_SECONDS" model_key_ttl: Seconds = "600",
        "How long a key from Secrets Manager is used before it is read again; a key that is refused is \
        read again at once.";
    "OPENAI_BASE_URL" openai_base_url: String,
        "An OpenAI-compatible service, up to and with its version; OpenAI's own when absent.";
    "OPENAI_API_KEY" openai_api_key: Secret, "The key for it; on your own machine.";
    "OPENAI_API_KEY_SECRET" openai_api_key_secret: String,
        "The secret in AWS Secrets Manager whose text is that key: its ARN.";
    "ANTHROPIC_BASE_URL" anthropic_base_url: String,
        "A service that speaks Anthropic's Messages API, without its version; Anthropic's own when \
        absent.";
    "ANTHROPIC_API_KEY" anthropic_api_key: Secret, "The key for it; on your own machine.";
    "ANTHROPIC_API_KEY_SECRET" anthropic_api_key_secret: String,
        "The secret in AWS Secrets Manager whose text is that key: its ARN.";
    "OLLAMA_BASE_URL" ollama_base_url: String,
        "An Ollama server, up to and with its version; this machine's when absent.";
    "ALLOWED_MODELS" allowed_models: ModelPatterns,
        "The models that a config may name, with commas between and `*` for any characters, such as \
        `gpt-4o*,anthropic/*`; all when absent. `MODEL_ID` is always allowed.";
    "MAX_COST_USD_PER_RUN" max_cost_usd_per_run: Usd,
        "What a run may cost, in US dollars; `maxCostUsd` can only be lower. No limit when absent.";
    "MODEL_WINDOW_TOKENS" model_window: u32 = "32000",
        "The tokens that a model can read at once: a paper's text is cut by its sections to fill three \
        quarters of them at most.";
    "MODEL_MAX_OUTPUT_TOKENS" model_max_output_tokens: NonZeroU32,
        "The most tokens of one answer, with its thoughts: 16000 when absent, 8000 with Bedrock. A model \
        with a lower limit of its own needs a lower value.";
    "OFFLINE_LATENCY_MS" offline_latency: Milliseconds = "0",
        "How long the offline engine waits before each answer.";
    "MODEL_TIMEOUT_SECONDS" model_timeout: Seconds = "90",
        "The longest that one model call may take.";
    "STEP_MARGIN_SECONDS" step_margin: Seconds = "30",
        "What must be left of an invocation beyond a model call for a step to begin.";
    "FUNCTION_TIMEOUT_SECONDS" function_timeout: Seconds = "180",
        "The executor's own time-out, where the runtime gives no usable deadline.";
}

impl ModelSettings {
    /// The providers besides `MODEL_PROVIDER`.
    pub(crate) fn further_providers(&self) -> &[ProviderKind] {
        self.model_providers.as_ref().map_or(&[], |list| &list.0)
    }

    /// The configuration of the agents from the environment alone.
    pub fn config(&self) -> ModelConfig {
        let service = |base_url: &Option<String>, key: &Option<Secret>| ServiceSettings {
            base_url: base_url.clone(),
            key: key.clone().map(Key::Given),
        };
        ModelConfig {
            provider: self.model_provider,
            model_id: self.model_id.clone(),
            also: self.further_providers().to_vec(),
            openai: service(&self.openai_base_url, &self.openai_api_key),
            anthropic: service(&self.anthropic_base_url, &self.anthropic_api_key),
            ollama_base_url: self.ollama_base_url.clone(),
            key_ttl: self.model_key_ttl.0,
            max_output_tokens: self.model_max_output_tokens.map(NonZeroU32::get),
            prices: self.model_prices.clone().unwrap_or_default(),
            offline_latency: self.offline_latency.0,
            call_timeout: self.model_timeout.0,
            margin: self.step_margin.0,
            invocation: self.function_timeout.0,
            ..ModelConfig::default()
        }
    }

    /// The configuration of the agents with the AWS clients that some providers and keys need. A
    /// key in the environment precedes one in Secrets Manager.
    pub fn config_with(&self, aws: &SdkConfig) -> ModelConfig {
        let mut config = self.config();
        for (service, secret) in [
            (&mut config.openai, &self.openai_api_key_secret),
            (&mut config.anthropic, &self.anthropic_api_key_secret),
        ] {
            if let (None, Some(id)) = (&service.key, secret) {
                service.key = Some(Key::Kept(Arc::new(StoredKey::new(aws, id))));
            }
        }
        if config.provider == ProviderKind::Bedrock || config.also.contains(&ProviderKind::Bedrock)
        {
            config.bedrock = Some(BedrockClient::new(aws));
        }
        config
    }
}

#[cfg(test)]
mod tests {
    use aws_config::BehaviorVersion;
    use environment::EnvironmentError;

    use super::*;
    use crate::{Agents, Models};

    fn with(pairs: &[(&str, &str)]) -> Result<ModelSettings, EnvironmentError> {
        ModelSettings::read(|name| {
            let pair = pairs.iter().find(|(key, _)| *key == name)?;
            Some(pair.1.to_owned())
        })
    }

    #[test]
    fn the_offline_engine_is_the_default() {
        let settings = with(&[]).unwrap();
        assert_eq!(settings.model_provider, ProviderKind::Offline);
    }

    #[test]
    fn an_invalid_value_is_reported_without_the_value() {
        for (name, value) in [
            ("OFFLINE_LATENCY_MS", "1.5"),
            ("MODEL_PROVIDER", "oracle"),
            ("MODEL_PROVIDERS", "openai,oracle"),
            ("MODEL_PRICES", "/no/such/table"),
            ("MAX_COST_USD_PER_RUN", "0"),
        ] {
            let error = with(&[(name, value)]).unwrap_err().to_string();
            assert!(error.starts_with(name), "{error}");
            assert!(!error.contains(value), "{error}");
        }
    }

    #[test]
    fn an_invalid_price_stops_the_cold_start_and_names_its_row() {
        let row = r#"{"model": "openai/m", "input_usd_per_million": -1,
            "output_usd_per_million": 1, "as_of": "2026-11-23", "source": "s"}"#;
        let error = with(&[("MODEL_PRICES", &format!("[{row}]"))]).unwrap_err();
        let text = error.to_string();
        assert!(
            text.starts_with("MODEL_PRICES cannot be used: row 1 (openai/m): a price"),
            "{text}"
        );
    }

    #[test]
    fn too_short_times_stop_only_a_program_that_calls_models() {
        let settings = with(&[
            ("FUNCTION_TIMEOUT_SECONDS", "120"),
            ("MODEL_PROVIDER", "openai"),
            ("MODEL_ID", "m"),
            ("OPENAI_API_KEY", "k"),
        ]);
        let settings = settings.unwrap();
        let error = Agents::new(settings.config()).unwrap_err();
        assert!(error.to_string().starts_with("FUNCTION_TIMEOUT_SECONDS"));
        assert!(Models::new(&settings).is_ok());
    }

    #[test]
    fn a_key_never_shows_itself() {
        let settings = with(&[("OPENAI_API_KEY", "sk-very-secret")]).unwrap();
        assert!(!format!("{settings:?}").contains("very-secret"));
    }

    #[test]
    fn aws_clients_are_created_only_if_the_settings_need_them() {
        let config = |pairs: &[(&str, &str)]| {
            let aws = SdkConfig::builder().behavior_version(BehaviorVersion::latest());
            with(pairs).unwrap().config_with(&aws.build())
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
