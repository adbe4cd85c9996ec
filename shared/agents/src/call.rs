//! One call of an agent. An invalid answer is returned to the model with its fault until an answer
//! is valid or the attempts are used up. Below that, a request that the provider failed is repeated
//! as long as a whole call and the margin fit before the deadline. If they no longer fit, the error
//! asks for a new invocation.

use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use workflow::{AgentRequest, Usage};

use crate::{
    Agent, CallError, CallFailure, Content, ModelAnswer, ModelConfig, ModelConfigError, ModelNames,
    NotSetUp, PaperBrief, Prices, ProviderError, ProviderKind, UnknownAgent,
    form::{AnswerSchema, Misfit},
    prompt,
    provider::{ChatMessage, Completion, ModelRequest, Provider},
    providers::Providers,
    usage::estimate_tokens,
};

/// The longest pause of the own backoff. A provider's `Retry-After` may be longer.
const LONGEST_BACKOFF: Duration = Duration::from_secs(20);

/// The longest time of the offline engine besides its latency, generous for a slow machine.
const LONGEST_OFFLINE_WORK: Duration = Duration::from_secs(2);

/// The agents of a process, created once.
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
    /// Checks the settings and creates the clients. Opens no connection.
    ///
    /// # Errors
    /// A missing or invalid setting; the message names its variable.
    pub fn new(config: ModelConfig) -> Result<Self, ModelConfigError> {
        let names = ModelNames::new(config.provider, config.model_id.as_deref(), &config.also)?;
        let (call_timeout, variable) = longest_call(&config, &names);
        // Equality is refused too: an invocation spends some time before its first call.
        if call_timeout.saturating_add(config.margin) >= config.invocation {
            return Err(ModelConfigError::NoTime { call: variable });
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

    /// The model that answers a call for `model`.
    pub fn model<'a>(&'a self, model: Option<&'a str>) -> &'a str {
        self.names.name(model)
    }

    /// The minimum time before a deadline at which a call may begin: a whole call and the margin.
    pub fn time_for_a_call(&self) -> Duration {
        self.call_timeout + self.margin
    }

    /// Calls an agent. Makes at most `max_attempts` requests (at least one) until the answer is
    /// valid. Makes no further request once the answers have cost `max_cost_usd`.
    ///
    /// # Errors
    /// [`CallError`]: an unknown agent, not enough time, a provider that fails or refuses, or no
    /// valid answer.
    pub async fn call(
        &self,
        call: &AgentRequest,
        deadline: Instant,
    ) -> Result<ModelAnswer, CallError> {
        self.ask(call, None, deadline).await
    }

    /// Calls the summarizer for a paper, as [`Agents::call`] does.
    ///
    /// # Errors
    /// As [`Agents::call`].
    pub async fn summarize(
        &self,
        call: &AgentRequest,
        paper: &PaperBrief,
        deadline: Instant,
    ) -> Result<ModelAnswer, CallError> {
        self.ask(call, Some(paper), deadline).await
    }

    async fn ask(
        &self,
        call: &AgentRequest,
        paper: Option<&PaperBrief>,
        deadline: Instant,
    ) -> Result<ModelAnswer, CallError> {
        let agent = agent_of(call).map_err(CallError::unknown_agent)?;
        let form = AnswerSchema::of(agent, &call.brief, paper);
        let name = self.model(call.model.as_deref());
        let mut request = ModelRequest {
            asked: agent.id(),
            name,
            model: self.called(name),
            messages: prompt::messages(agent, &call.brief, paper, form.schema()),
            schema: Some(form.for_provider()),
            brief: Some((agent, &call.brief)),
            paper,
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
                    return Ok(ModelAnswer {
                        content,
                        model: request.name.to_owned(),
                        attempts,
                        usages,
                    });
                }
                Err(misfit) if attempts >= call.max_attempts || is_spent(call, &usages) => {
                    break CallFailure::Misfit(misfit);
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
            asked: agent.id(),
            failure,
            attempts,
            usages,
        })
    }

    /// One model answer, with as many retries as fit before the deadline.
    pub(crate) async fn complete_before(
        &self,
        deadline: Instant,
        request: &ModelRequest<'_>,
    ) -> Result<Completion, CallFailure> {
        let provider = self.provider(request).map_err(CallFailure::Rejected)?;
        if !self.fits(Duration::ZERO, deadline) {
            return Err(CallFailure::OutOfTime);
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
                return Err(CallFailure::Rejected(error));
            }
            let retry_after = error.retry_after();
            let pause = backoffs
                .next()
                .unwrap_or(LONGEST_BACKOFF)
                .max(retry_after.unwrap_or_default());
            let again = self.fits(pause, deadline);
            warn!(agent = request.asked, model = request.name, %error, again, "model call failed");
            if !again {
                return Err(CallFailure::Transient {
                    retry_after,
                    source: error,
                });
            }
            sleep(pause).await;
        }
    }

    /// The name of a model at its provider.
    pub(crate) fn called<'a>(&self, name: &'a str) -> &'a str {
        self.names.route(name).map_or(name, |(_, model)| model)
    }

    /// The provider of a request's model.
    fn provider(&self, request: &ModelRequest<'_>) -> Result<&dyn Provider, ProviderError> {
        let (kind, _) = self.names.route(request.name)?;
        let provider = self.providers.get(kind);
        provider.ok_or(ProviderError::NotSetUp(NotSetUp(kind)))
    }

    /// The usage of a completion, estimated if the provider does not report it.
    pub(crate) fn usage_of(&self, request: &ModelRequest<'_>, completion: &Completion) -> Usage {
        let (input_tokens, output_tokens) = match completion.tokens {
            Some(counted) => counted,
            None => {
                let told = request.messages.iter().map(ChatMessage::text);
                (
                    told.map(estimate_tokens).sum(),
                    estimate_tokens(&completion.text),
                )
            }
        };
        let price = self.prices.of(&self.names, request.name, input_tokens);
        Usage {
            model: request.name.to_owned(),
            input_tokens,
            output_tokens,
            cost_usd: price.map(|price| price.cost(input_tokens, output_tokens)),
        }
    }

    fn fits(&self, pause: Duration, deadline: Instant) -> bool {
        Instant::now() + pause + self.time_for_a_call() <= deadline
    }
}

/// The longest time of a call, and the variable that sets it. The offline engine counts only if it
/// is the default.
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

/// The agent of a request, if it and every agent in its brief exist.
fn agent_of(call: &AgentRequest) -> Result<Agent, UnknownAgent> {
    let brief = &call.brief;
    let steps = brief.plan.iter().chain(&brief.step);
    let workers = steps.map(|step| &step.sub_task_agent).chain(&brief.team);
    for worker in workers {
        let agent: Agent = worker.parse()?;
        agent.step_description().ok_or(UnknownAgent)?;
    }
    call.agent.parse()
}

fn is_spent(call: &AgentRequest, usages: &[Usage]) -> bool {
    let cost: f64 = usages.iter().filter_map(|usage| usage.cost_usd).sum();
    call.max_cost_usd.is_some_and(|most| cost >= most)
}

fn read(
    form: &AnswerSchema,
    request: &ModelRequest<'_>,
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
