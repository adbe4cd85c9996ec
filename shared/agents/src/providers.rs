//! The providers of a deployment. Creating them checks their settings. Connections are opened and
//! certificates read at the first use.

mod anthropic;
mod bedrock;
mod key;
mod openai;
mod reply;
mod stored_key;
mod transport;

use http::HeaderValue;

use anthropic::{ANTHROPIC, Anthropic};
use bedrock::Bedrock;
use key::Keyring;
use openai::{OPENAI, OpenAi};
use transport::{Http, KeyHeader, Transport, base_url};

pub use key::{Fetching, Key, KeyError, KeyStore};
pub(crate) use stored_key::StoredKey;

use crate::{
    ModelConfig, ModelConfigError, ModelNames, ProviderKind, config::ServiceSettings,
    offline::Offline, provider::Provider,
};

/// The default address of an Ollama server.
const OLLAMA: &str = "http://localhost:11434/v1";

/// The most tokens of an answer, with its thoughts, unless `MODEL_MAX_OUTPUT_TOKENS` sets it. A
/// longer answer would hardly end within the timeout, and services refuse what exceeds a model's
/// own limit.
const MAX_TOKENS: u32 = 16_000;

/// The same for Bedrock, whose models have lower limits: Amazon Nova's is 10,000
/// (<https://docs.aws.amazon.com/nova/latest/userguide/what-is-nova.html>).
const BEDROCK_MAX_TOKENS: u32 = 8_000;

/// All available providers.
#[derive(Debug)]
pub(crate) struct Providers(Vec<(ProviderKind, Box<dyn Provider>)>);

impl Providers {
    /// # Errors
    /// A missing or invalid setting of a provider.
    pub(crate) fn new(config: &ModelConfig, names: &ModelNames) -> Result<Self, ModelConfigError> {
        let http = Http::default();
        let kinds = names.available().iter();
        kinds
            .map(|&kind| Ok((kind, make(kind, config, &http)?)))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    pub(crate) fn get(&self, kind: ProviderKind) -> Option<&dyn Provider> {
        let found = self.0.iter().find(|(known, _)| *known == kind);
        found.map(|(_, provider)| provider.as_ref())
    }
}

fn make(
    kind: ProviderKind,
    config: &ModelConfig,
    http: &Http,
) -> Result<Box<dyn Provider>, ModelConfigError> {
    Ok(match kind {
        ProviderKind::Offline => Box::new(Offline {
            latency: config.offline_latency,
        }),
        ProviderKind::OpenAi => Box::new(openai(config, http)?),
        ProviderKind::Anthropic => Box::new(anthropic(config, http)?),
        ProviderKind::Bedrock => Box::new(Bedrock {
            client: config.bedrock.clone().ok_or(ModelConfigError::NoClient)?,
            max_tokens: limit(config, BEDROCK_MAX_TOKENS)
                .try_into()
                .unwrap_or(i32::MAX),
        }),
        ProviderKind::Ollama => {
            let url = config.ollama_base_url.as_deref();
            let url = base_url("OLLAMA_BASE_URL", url, OLLAMA)?;
            let transport = transport(http, None, KeyHeader::Bearer);
            Box::new(OpenAi::new(url, transport, limit(config, MAX_TOKENS)))
        }
    })
}

fn limit(config: &ModelConfig, default: u32) -> u32 {
    config.max_output_tokens.unwrap_or(default)
}

/// Checks the address of a provider, if one is configured.
///
/// # Errors
/// [`ModelConfigError::BadUrl`].
pub(crate) fn check_url(
    variable: &'static str,
    configured: Option<&str>,
) -> Result<(), ModelConfigError> {
    base_url(variable, configured, OLLAMA).map(drop)
}

/// Whether a provider requires a key: a vendor's own service does.
pub(crate) fn needs_key(kind: ProviderKind, base_url: Option<&str>) -> bool {
    let vendors = match kind {
        ProviderKind::OpenAi => OPENAI,
        ProviderKind::Anthropic => ANTHROPIC,
        _ => return false,
    };
    base_url.is_none_or(|url| url.trim_end_matches('/') == vendors)
}

fn openai(config: &ModelConfig, http: &Http) -> Result<OpenAi, ModelConfigError> {
    let service = &config.openai;
    let url = base_url("OPENAI_BASE_URL", service.base_url.as_deref(), OPENAI)?;
    let keys = keyring("OPENAI_API_KEY", service, config)?;
    if keys.is_none() && needs_key(ProviderKind::OpenAi, Some(&url)) {
        return Err(ModelConfigError::NoKey("OPENAI_API_KEY"));
    }
    let transport = transport(http, keys, KeyHeader::Bearer);
    Ok(OpenAi::new(url, transport, limit(config, MAX_TOKENS)))
}

fn anthropic(config: &ModelConfig, http: &Http) -> Result<Anthropic, ModelConfigError> {
    let service = &config.anthropic;
    let url = base_url("ANTHROPIC_BASE_URL", service.base_url.as_deref(), ANTHROPIC)?;
    let keys = keyring("ANTHROPIC_API_KEY", service, config)?;
    if keys.is_none() && needs_key(ProviderKind::Anthropic, Some(&url)) {
        return Err(ModelConfigError::NoKey("ANTHROPIC_API_KEY"));
    }
    Ok(Anthropic {
        base_url: url,
        transport: transport(http, keys, KeyHeader::XApiKey),
        max_tokens: limit(config, MAX_TOKENS),
    })
}

fn transport(http: &Http, keys: Option<Keyring>, key_header: KeyHeader) -> Transport {
    Transport {
        http: http.clone(),
        keys,
        key_header,
    }
}

fn keyring(
    variable: &'static str,
    service: &ServiceSettings,
    config: &ModelConfig,
) -> Result<Option<Keyring>, ModelConfigError> {
    if let Some(Key::Given(secret)) = &service.key {
        HeaderValue::from_str(secret.expose()).map_err(|_| ModelConfigError::BadKey(variable))?;
    }
    let key = service.key.clone();
    Ok(key.map(|key| Keyring::new(key, config.key_ttl)))
}
