//! `GET /api/models/config`: the models that a config may name, and the default of each key.

mod operation;

use std::collections::BTreeMap;

use agents::Models;
use lambda_kit::http::HttpReply;
use lambda_kit::{Authenticator, Problem, Request};
use schemars::JsonSchema;
use serde::Serialize;
use session::{MODES, Mode};
use workflow::RunSettings;

pub use operation::operation;

/// The models of a deployment.
#[derive(Serialize, JsonSchema)]
struct ModelsConfig {
    /// The default first, then the models of the price table whose provider is set up. A model
    /// without a price may be named too.
    available_models: Vec<ModelChoice>,
    global_defaults: DefaultModel,
    /// By mode: each of its config keys that names a model, with the model that is asked without
    /// the key. The key of an agent follows `model` where only that is given.
    workflow_defaults: BTreeMap<&'static str, BTreeMap<&'static str, String>>,
}

/// A model that a config may name.
#[derive(Serialize, JsonSchema)]
struct ModelChoice {
    /// The value of a config key.
    value: String,
    /// The model and its provider, for people.
    label: String,
}

/// The model of calls that name none.
#[derive(Serialize, JsonSchema)]
struct DefaultModel {
    model: String,
    provider: &'static str,
}

/// Answers with the models that `config.model` and the agents' own keys may name, and the defaults.
///
/// # Errors
/// `unauthenticated`.
pub async fn handle(
    authenticator: &Authenticator,
    models: &Models,
    request: Request,
) -> Result<HttpReply, Problem> {
    authenticator.caller(&request)?;
    let default = models.default_model();
    let choice = |value: String| {
        let (provider, model) = models.provider_of(&value);
        let label = format!("{model} ({provider})");
        ModelChoice { value, label }
    };
    HttpReply::ok(&ModelsConfig {
        available_models: models.available().into_iter().map(choice).collect(),
        global_defaults: DefaultModel {
            model: default.to_owned(),
            provider: models.provider_of(default).0.id(),
        },
        workflow_defaults: MODES
            .iter()
            .map(|mode| (mode.id.id(), defaults(mode.id, default)))
            .collect(),
    })
}

/// The config keys of a mode that name a model, with their default.
fn defaults(mode: Mode, default: &str) -> BTreeMap<&'static str, String> {
    let keys = RunSettings::keys(mode).into_iter();
    keys.filter(|key| *key == "model" || key.ends_with("Model"))
        .map(|key| (key, default.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use agents::ModelSettings;
    use lambda_kit::testing::{gate, get, success};
    use serde_json::{Value, json};

    use super::*;

    fn models(pairs: &[(&str, &str)]) -> Models {
        let settings = ModelSettings::read(|name| {
            let pair = pairs.iter().find(|(key, _)| *key == name)?;
            Some(pair.1.to_owned())
        });
        Models::new(&settings.unwrap()).unwrap()
    }

    async fn config(models: &Models) -> Value {
        success(handle(&gate(Some("local")), models, get("")).await)
    }

    #[tokio::test]
    async fn a_deployment_without_a_language_model_has_one_model() {
        let reply = config(&models(&[])).await;
        assert_eq!(
            reply["available_models"],
            json!([{"value": "offline/extract-1", "label": "extract-1 (offline)"}])
        );
        assert_eq!(
            reply["global_defaults"],
            json!({"model": "offline/extract-1", "provider": "offline"})
        );
        assert_eq!(
            reply["workflow_defaults"]["ocr"],
            json!({"model": "offline/extract-1"})
        );
    }

    #[tokio::test]
    async fn every_listed_value_is_accepted_where_it_is_listed() {
        let models = models(&[
            ("MODEL_PROVIDER", "openai"),
            ("MODEL_ID", "gpt-5-mini"),
            ("MODEL_PROVIDERS", "anthropic"),
        ]);
        let reply = config(&models).await;
        let available = reply["available_models"].as_array().unwrap();
        assert_eq!(
            available[0],
            json!({"value": "gpt-5-mini", "label": "gpt-5-mini (openai)"})
        );
        assert!(available.len() > 5, "{available:?}");
        for mode in MODES {
            let defaults = &reply["workflow_defaults"][mode.id.id()];
            assert!(models.settings(mode.id, defaults).is_ok(), "{defaults}");
            for choice in available {
                let keys = defaults.as_object().unwrap().keys();
                let config: Value = keys
                    .map(|key| (key.clone(), choice["value"].clone()))
                    .collect();
                assert!(models.settings(mode.id, &config).is_ok(), "{config}");
            }
        }
        let planned = reply["workflow_defaults"]["planning-control"]
            .as_object()
            .unwrap();
        assert_eq!(
            planned.keys().collect::<Vec<_>>(),
            [
                "engineerModel",
                "model",
                "planReviewerModel",
                "plannerModel",
                "researcherModel"
            ]
        );
    }

    #[tokio::test]
    async fn a_request_without_a_token_is_refused() {
        let refused = handle(&gate(None), &models(&[]), get("")).await;
        assert_eq!(refused.unwrap_err().status(), 401);
    }
}
