//! One call: ask, read, ask again with the fault until the answer fits or the attempts are used up; and beneath it,
//! repeat what the provider failed to do, as long as a whole call and the margin still fit before the deadline.
//! What can't be done in time is for a new invocation, and the error says so.

use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use crate::{
    AgentCall, Answer, CallError, ConfigError, Content, Failure, ModelConfig, ModelNames, NotSetUp,
    Prices, ProviderError, ProviderKind,
    form::{Form, Misfit},
    prompt,
    provider::{Completion, Message, Provider, Request},
    providers::Providers,
    usage::{Tokens, Usage, estimate_tokens},
};

/// The longest pause that we choose ourselves; a provider's `Retry-After` may ask for more.
const LONGEST_BACKOFF: Duration = Duration::from_secs(20);

/// What the offline engine needs beside its latency, with room for a slow machine.
const LONGEST_OFFLINE_WORK: Duration = Duration::from_secs(2);

/// The agents, ready to be asked. Made once per process.
#[derive(Debug)]
pub struct Agents {
    providers: Providers,
    names: ModelNames,
    prices: Prices,
    call_timeout: Duration,
    margin: Duration,
    first_backoff: Duration,
}

impl Agents {
    /// Checks the settings and makes the clients. Nothing is sent yet, and nothing opened.
    ///
    /// # Errors
    /// A setting that is missing or can't be used; the message names its variable.
    pub fn new(config: ModelConfig) -> Result<Self, ConfigError> {
        let names = ModelNames::new(config.provider, config.model_id.as_deref(), &config.also)?;
        let (call_timeout, variable) = longest_call(&config, &names);
        // Equal is too little as well: an invocation spends some of its time before its first call.
        if call_timeout.saturating_add(config.margin) >= config.invocation {
            return Err(ConfigError::NoTime { call: variable });
        }
        Ok(Self {
            providers: Providers::new(&config, &names)?,
            names,
            prices: config.prices,
            call_timeout,
            margin: config.margin,
            first_backoff: config.first_backoff,
        })
    }

    /// The model that answers a call which asks for `model`.
    pub fn model<'a>(&'a self, model: Option<&'a str>) -> &'a str {
        self.names.name(model)
    }

    /// The time that must be left before a deadline for a call to begin: a whole call and the margin.
    pub fn time_for_a_call(&self) -> Duration {
        self.call_timeout + self.margin
    }

    /// Asks an agent, at most `max_attempts` times (at least once) until its answer has the required form, and not again once
    /// its answers have cost what they may.
    ///
    /// # Errors
    /// [`CallError`]: out of time, the provider failing or refusing, or no answer of the required form.
    pub async fn call(
        &self,
        call: &AgentCall,
        deadline: Instant,
        max_attempts: u32,
    ) -> Result<Answer, CallError> {
        let form = Form::of(call.agent, &call.brief);
        let name = self.model(call.model.as_deref());
        let mut request = Request {
            asked: call.agent.id(),
            name,
            model: self.called(name),
            messages: prompt::messages(call.agent, &call.brief, form.schema()),
            schema: Some(form.for_provider()),
            brief: Some((call.agent, &call.brief)),
        };
        let question = request.messages.len();
        let mut usages = Vec::new();
        let mut attempts = 0;
        let failure = loop {
            let completion = match self.complete_before(deadline, &request).await {
                Ok(completion) => completion,
                Err(failure) => break failure,
            };
            attempts += 1;
            usages.push(self.usage_of(&request, &completion));
            match read(&form, &request, &completion, attempts) {
                Ok(content) => {
                    return Ok(Answer {
                        content,
                        model: request.name.to_owned(),
                        attempts,
                        usages,
                    });
                }
                Err(misfit) if attempts >= max_attempts || is_spent(call, &usages) => {
                    break Failure::Misfit(misfit);
                }
                Err(misfit) => {
                    request.messages.truncate(question);
                    request
                        .messages
                        .extend(prompt::ask_again(&completion.text, &misfit));
                }
            }
        };
        Err(CallError {
            asked: call.agent.id(),
            failure,
            attempts,
            usages,
        })
    }

    /// One model answer, with as many repetitions as the time before the deadline allows.
    pub(crate) async fn complete_before(
        &self,
        deadline: Instant,
        request: &Request<'_>,
    ) -> Result<Completion, Failure> {
        let provider = self.provider(request).map_err(Failure::Rejected)?;
        if !self.fits(Duration::ZERO, deadline) {
            return Err(Failure::OutOfTime);
        }
        let mut backoffs = ExponentialBuilder::default()
            .with_min_delay(self.first_backoff)
            .with_max_delay(LONGEST_BACKOFF)
            .with_jitter()
            .without_max_times()
            .build();
        loop {
            let error = match timeout(self.call_timeout, provider.complete(request)).await {
                Ok(Ok(completion)) => return Ok(completion),
                Ok(Err(error)) => error,
                Err(_) => ProviderError::Timeout(self.call_timeout),
            };
            if !error.is_transient() {
                return Err(Failure::Rejected(error));
            }
            let retry_after = error.retry_after();
            let pause = backoffs
                .next()
                .unwrap_or(LONGEST_BACKOFF)
                .max(retry_after.unwrap_or_default());
            let again = self.fits(pause, deadline);
            warn!(agent = request.asked, model = request.name, %error, again, "model call failed");
            if !again {
                return Err(Failure::Transient {
                    retry_after,
                    source: error,
                });
            }
            sleep(pause).await;
        }
    }

    /// What a model is called by its provider.
    pub(crate) fn called<'a>(&self, name: &'a str) -> &'a str {
        self.names.route(name).map_or(name, |(_, model)| model)
    }

    /// The provider of a request's model.
    fn provider(&self, request: &Request<'_>) -> Result<&dyn Provider, ProviderError> {
        let (kind, _) = self.names.route(request.name)?;
        let provider = self.providers.get(kind);
        provider.ok_or(ProviderError::NotSetUp(NotSetUp(kind)))
    }

    /// What a completion used, estimated where the provider doesn't say.
    pub(crate) fn usage_of(&self, request: &Request<'_>, completion: &Completion) -> Usage {
        let tokens = match completion.tokens {
            Some((input, output)) => Tokens {
                input,
                output,
                estimated: false,
            },
            None => Tokens {
                input: request
                    .messages
                    .iter()
                    .map(Message::text)
                    .map(estimate_tokens)
                    .sum(),
                output: estimate_tokens(&completion.text),
                estimated: true,
            },
        };
        let price = self.prices.of(&self.names, request.name, tokens.input);
        Usage::new(request.name, tokens, price)
    }

    fn fits(&self, pause: Duration, deadline: Instant) -> bool {
        Instant::now() + pause + self.time_for_a_call() <= deadline
    }
}

/// The longest that a call may take, and the variable that says so. The offline engine counts where it is the default.
fn longest_call(config: &ModelConfig, names: &ModelNames) -> (Duration, &'static str) {
    let services = (config.call_timeout, "MODEL_TIMEOUT_SECONDS");
    if config.provider != ProviderKind::Offline {
        return services;
    }
    let offline = config.offline_latency + LONGEST_OFFLINE_WORK;
    let is_alone = names.available() == [ProviderKind::Offline];
    if is_alone || offline > config.call_timeout {
        (offline, "OFFLINE_LATENCY_MS")
    } else {
        services
    }
}

fn is_spent(call: &AgentCall, usages: &[Usage]) -> bool {
    let cost: f64 = usages.iter().filter_map(|usage| usage.cost_usd).sum();
    call.max_cost_usd.is_some_and(|most| cost >= most)
}

fn read(
    form: &Form,
    request: &Request<'_>,
    completion: &Completion,
    attempt: u32,
) -> Result<Content, Misfit> {
    let content = form.read(completion);
    let (agent, model) = (request.asked, request.name);
    match &content {
        Ok(_) => info!(agent, model, attempt, "model answered"),
        Err(misfit) => warn!(agent, model, attempt, %misfit, "model answer does not fit"),
    }
    content
}
