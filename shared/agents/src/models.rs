//! Validates the models in a client's config: the settings parse, the provider is set up, and a
//! model under a budget has a price. [`Models`] has no clients and opens no connection.

use serde_json::Value;
use session::Mode;
use workflow::{RunSettings, RunSettingsError};

use crate::{
    ModelConfigError, ModelNames, ModelPatterns, ModelSettings, NotSetUp, OFFLINE_MODEL, Prices,
    ProviderKind,
};

/// The deployment's models, by name.
#[derive(Debug, Clone)]
pub struct Models {
    names: ModelNames,
    prices: Prices,
    allowed: Option<ModelPatterns>,
    costs_are_limited: bool,
}

impl Models {
    /// Uses `MODEL_PROVIDER`, `MODEL_ID`, `MODEL_PROVIDERS`, `MODEL_PRICES`, `ALLOWED_MODELS` and
    /// `MAX_COST_USD_PER_RUN`.
    ///
    /// # Errors
    /// A provider requires a `MODEL_ID` and there is none, or `MODEL_ID` names a model of another
    /// provider.
    pub fn new(settings: &ModelSettings) -> Result<Self, ModelConfigError> {
        let (provider, model_id) = (settings.model_provider, settings.model_id.as_deref());
        Ok(Self {
            names: ModelNames::new(provider, model_id, settings.further_providers())?,
            prices: settings.model_prices.clone().unwrap_or_default(),
            allowed: settings.allowed_models.clone(),
            costs_are_limited: settings.max_cost_usd_per_run.is_some(),
        })
    }

    /// Says that the deployment limits costs beside `MAX_COST_USD_PER_RUN`, so that every model
    /// needs a price.
    #[must_use]
    pub fn with_limited_costs(mut self, limited: bool) -> Self {
        self.costs_are_limited |= limited;
        self
    }

    /// The model that a list of runs shows: that of the run's agent.
    pub fn of_run<'a>(&'a self, settings: &'a RunSettings) -> &'a str {
        self.names.name(settings.model(settings.agent()))
    }

    /// Reads the config of a run that starts now.
    ///
    /// # Errors
    /// As [`Models::settings`], and for a missing key that a start requires.
    pub fn settings_to_start(
        &self,
        mode: Mode,
        config: &Value,
    ) -> Result<RunSettings, RunSettingsError> {
        let settings = self.settings(mode, config)?;
        settings.check_start()?;
        Ok(settings)
    }

    /// Reads a config for a mode.
    ///
    /// # Errors
    /// [`RunSettingsError`], which names the key, or the model.
    pub fn settings(&self, mode: Mode, config: &Value) -> Result<RunSettings, RunSettingsError> {
        let settings = RunSettings::parse(mode, config)?;
        for (key, chosen) in settings.models() {
            let name = self.names.name(chosen);
            let has_budget = settings.max_cost_usd.is_some();
            self.check(name, has_budget)
                .map_err(RunSettingsError::Model)?;
            if let Some(allowed) = self.allowed.as_ref().filter(|_| !self.allows(name)) {
                let must_be = format!("a model that this deployment allows: {allowed}");
                return Err(RunSettingsError::Invalid { key, must_be });
            }
        }
        Ok(settings)
    }

    /// The model of calls that name none.
    pub fn default_model(&self) -> &str {
        self.names.name(None)
    }

    /// The models that a config may name, without repetition: the default, the priced models of the
    /// providers that are set up, and the offline engine. A provider may know further ones, which
    /// are accepted too.
    pub fn available(&self) -> Vec<String> {
        let mut names = vec![self.default_model().to_owned()];
        let priced = self.prices.models().map(|name| self.names.shortest(name));
        for name in priced.chain([OFFLINE_MODEL]) {
            let usable = self.check(name, false).is_ok() && self.allows(name);
            if usable && !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
        names
    }

    /// A model's name at its provider, and the provider.
    pub fn provider_of<'a>(&self, name: &'a str) -> (ProviderKind, &'a str) {
        self.names.kind(name)
    }

    /// Whether a config may name this model, under whichever of its names.
    fn allows(&self, name: &str) -> bool {
        let Some(allowed) = &self.allowed else {
            return true;
        };
        let (kind, model) = self.names.kind(name);
        let whole = format!("{kind}/{model}");
        let is_default = self.names.kind(self.default_model()) == (kind, model);
        is_default || allowed.allow(&whole) || allowed.allow(self.names.shortest(&whole))
    }

    fn check(&self, name: &str, has_budget: bool) -> Result<(), String> {
        if let Err(NotSetUp(kind)) = self.names.route(name) {
            return Err(format!(
                "{name} is a model of `{kind}`, a provider that this deployment has not set up."
            ));
        }
        if self.prices.knows(&self.names, name) {
            return Ok(());
        }
        if has_budget {
            return Err(format!(
                "`maxCostUsd` needs a model with a known price; {name} has none."
            ));
        }
        if self.costs_are_limited {
            return Err(format!(
                "This deployment limits costs, so a model needs a known price; {name} has none."
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use session::MODES;

    use super::*;

    fn models(pairs: &[(&str, &str)]) -> Models {
        let settings = ModelSettings::read(|name| {
            let pair = pairs.iter().find(|(key, _)| *key == name)?;
            Some(pair.1.to_owned())
        });
        Models::new(&settings.unwrap()).unwrap()
    }

    fn refusal(models: &Models, config: Value) -> Option<String> {
        let error = models.settings(Mode::PlanningControl, &config).err()?;
        Some(error.to_string())
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
    fn a_budget_needs_a_price_in_the_deployments_table() {
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
            "a model without a row has no price"
        );
    }

    #[test]
    fn only_allowed_models_and_the_default_may_be_named_under_any_name() {
        let allowed = ("ALLOWED_MODELS", "gpt-4o*, anthropic/claude-opus*");
        let also = ("MODEL_PROVIDERS", "anthropic");
        let models = models(&[OPENAI[0], OPENAI[1], also, allowed]);
        for name in [
            "gpt-4o-mini",
            "openai/gpt-4o",
            "anthropic/claude-opus-5-5",
            "gpt-5-mini",
            "openai/gpt-5-mini",
        ] {
            assert_eq!(refusal(&models, json!({"model": name})), None, "{name}");
        }
        for (key, name) in [
            ("model", "gpt-5.4"),
            ("plannerModel", "openai/gpt-5.4"),
            ("planReviewerModel", "anthropic/claude-haiku-5-5"),
            ("engineerModel", "offline/extract-1"),
            ("researcherModel", "anthropic/gpt-4o"),
        ] {
            let told = refusal(&models, json!({key: name}));
            let expected = format!(
                "config.{key} must be a model that this deployment allows: gpt-4o*, anthropic/claude-opus*."
            );
            assert_eq!(told, Some(expected), "{name}");
        }
        for name in models.available() {
            assert_eq!(refusal(&models, json!({"model": name})), None, "{name}");
        }
        assert!(models.available().contains(&"gpt-4o-mini".to_owned()));
        assert!(!models.available().contains(&"gpt-5.4".to_owned()));
    }

    #[test]
    fn where_the_deployment_limits_costs_every_model_needs_a_price() {
        let of = |pairs: &[(&str, &str)]| models(&[&OPENAI[..], pairs].concat());
        let ollama = ("MODEL_PROVIDERS", "ollama");
        let unpriced = json!({"model": "ollama/llama3.3"});
        assert_eq!(refusal(&of(&[ollama]), unpriced.clone()), None);
        for models in [
            of(&[ollama, ("MAX_COST_USD_PER_RUN", "0.5")]),
            of(&[ollama]).with_limited_costs(true),
        ] {
            let told = refusal(&models, unpriced.clone()).unwrap();
            assert!(told.starts_with("This deployment limits costs"), "{told}");
            assert_eq!(refusal(&models, json!({})), None);
        }
    }

    #[test]
    fn every_available_model_is_accepted_in_every_mode() {
        let own = r#"[{"model": "openai/openai/gpt-oss", "input_usd_per_million": 1,
            "output_usd_per_million": 1, "as_of": "2026-11-23", "source": "s"},
            {"model": "ollama/llama3.3", "input_usd_per_million": 0, "output_usd_per_million": 0,
            "as_of": "2026-11-23", "source": "s"}]"#;
        let with = |further: &[(&str, &str)]| models(&[&OPENAI[..], further].concat());
        let ollama = ("MODEL_PROVIDERS", "ollama");
        for (models, some) in [
            (models(&[]), vec!["offline/extract-1"]),
            (
                with(&[]),
                vec!["gpt-5-mini", "gpt-5.4", "offline/extract-1"],
            ),
            (
                with(&[("MODEL_PROVIDERS", "anthropic")]),
                vec!["gpt-5-mini", "anthropic/claude-opus-5-5"],
            ),
            (
                with(&[ollama, ("MODEL_PRICES", own)]),
                vec!["gpt-5-mini", "openai/openai/gpt-oss", "ollama/llama3.3"],
            ),
        ] {
            let available = models.available();
            assert_eq!(available[0], models.default_model());
            for name in some {
                let times = available.iter().filter(|known| *known == name).count();
                assert_eq!(times, 1, "{name} in {available:?}");
            }
            for (name, mode) in available
                .iter()
                .flat_map(|name| MODES.map(|info| (name, info.id)))
            {
                let keys = RunSettings::keys(mode).into_iter();
                let of_models = keys.filter(|key| key.to_lowercase().ends_with("model"));
                let config: Value = of_models.map(|key| (key, name.as_str())).collect();
                assert!(models.settings(mode, &config).is_ok(), "{config}");
            }
        }
    }

    #[test]
    fn a_model_of_a_provider_that_is_not_set_up_is_not_available() {
        let available = models(&OPENAI).available();
        let foreign =
            |name: &&String| name.starts_with("anthropic/") || name.starts_with("bedrock/");
        assert_eq!(available.iter().find(foreign), None);
        assert_eq!(models(&[]).available(), [OFFLINE_MODEL]);
    }

    #[test]
    fn a_run_shows_the_model_of_its_agent() {
        let settings = RunSettings::defaults(Mode::OneShot);
        assert_eq!(models(&[]).of_run(&settings), crate::OFFLINE_MODEL);
        assert_eq!(models(&OPENAI).of_run(&settings), "gpt-5-mini");
    }
}
