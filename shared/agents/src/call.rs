//! One call of an agent. An invalid answer is returned to the model with its fault until an answer
//! is valid or the attempts for such a fault are used up. Below that, a request that the provider
//! failed is repeated as long as a whole call and the margin fit before the deadline. If they no
//! longer fit, the error asks for a new invocation. No repetition exceeds the budget or the number
//! of calls that the stage has left.

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
    provider::{ChatMessage, Completion, FailedReply, ModelRequest, Provider},
    providers::Providers,
    spending::Spending,
    usage::{ReportedUsage, estimate_tokens},
};

/// The longest pause of the own backoff. A provider's `Retry-After` may be longer. The ten calls of
/// a stage then last for minutes, as the failures of a service do.
const LONGEST_BACKOFF: Duration = Duration::from_secs(40);

/// How often a reply in no known form is asked for again: each may have been billed.
const MAX_UNREADABLE: u32 = 2;

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

    /// Calls an agent. Asks at most `max_attempts` times (at least once) until the answer is valid.
    /// Makes no further request after [`MAX_CALLS`](workflow::MAX_CALLS) of the stage, or once the
    /// replies have cost `max_cost_usd`.
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
        let mut spending = Spending::of(call);
        let (mut attempts, mut last) = (0, None);
        let failure = loop {
            let completed = self.complete_before(deadline, &request, &mut spending);
            let completion = match completed.await {
                Ok(completion) => completion,
                Err(failure) => break failure.after(last),
            };
            attempts += 1;
            let misfit = match read(&form, &request, &completion, attempts) {
                Ok(content) => {
                    return Ok(ModelAnswer {
                        content,
                        model: request.name.to_owned(),
                        attempts,
                        calls: spending.calls,
                        usages: spending.usages,
                    });
                }
                Err(misfit) => misfit,
            };
            let most = call.max_attempts.min(misfit.most_attempts());
            if attempts >= most || !spending.allows_another_call() {
                break CallFailure::Misfit(misfit);
            }
            request.messages.truncate(question);
            let again = prompt::ask_again(&completion.text, &misfit);
            request.messages.extend(again);
            last = Some(misfit);
        };
        Err(spending.error(agent.id(), failure, attempts))
    }

    /// One model answer without its thoughts, with as many retries as fit before the deadline and
    /// are allowed.
    pub(crate) async fn complete_before(
        &self,
        deadline: Instant,
        request: &ModelRequest<'_>,
        spending: &mut Spending,
    ) -> Result<Completion, CallFailure> {
        let (kind, provider) = self.provider(request).map_err(CallFailure::Rejected)?;
        if !self.fits(Duration::ZERO, deadline) {
            return Err(CallFailure::OutOfTime);
        }
        let mut backoffs = ExponentialBuilder::default()
            .with_min_delay(self.first_backoff)
            .with_max_delay(LONGEST_BACKOFF)
            .with_jitter()
            .without_max_times()
            .build()
            .skip(spending.earlier_calls as usize);
        let mut unreadable = 0;
        loop {
            spending.calls += 1;
            let FailedReply { error, usage } =
                match timeout(self.call_timeout, provider.complete(request)).await {
                    Ok(Ok(completion)) => {
                        let usage = self.usage_of(request, completion.usage, &completion.text);
                        spending.usages.push(usage);
                        return Ok(completion.without_thoughts());
                    }
                    Ok(Err(failed)) => failed,
                    Err(_) => ProviderError::Timeout(self.call_timeout).into(),
                };
            let usage = usage.map(|usage| self.usage_of(request, usage, ""));
            spending.usages.extend(usage);
            unreadable += u32::from(matches!(error, ProviderError::Garbled));
            if !error.is_transient() || unreadable > MAX_UNREADABLE {
                return Err(CallFailure::Rejected(error));
            }
            let pause = backoffs
                .next()
                .unwrap_or(LONGEST_BACKOFF)
                .max(error.retry_after().unwrap_or_default());
            let again = spending.allows_another_call() && self.fits(pause, deadline);
            warn!(agent = request.asked, provider = %kind, %error, again, "model call failed");
            if !again {
                return Err(CallFailure::Transient {
                    retry_after: pause,
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
    fn provider(
        &self,
        request: &ModelRequest<'_>,
    ) -> Result<(ProviderKind, &dyn Provider), ProviderError> {
        let (kind, _) = self.names.route(request.name)?;
        let provider = self.providers.get(kind).ok_or(NotSetUp(kind))?;
        Ok((kind, provider))
    }

    /// The usage of a reply with this text.
    fn usage_of(&self, request: &ModelRequest<'_>, reported: ReportedUsage, text: &str) -> Usage {
        let prompt = request.messages.iter().map(ChatMessage::estimated_tokens);
        let tokens = reported.count(prompt.sum(), estimate_tokens(text));
        let price = self.prices.of(&self.names, request.name, tokens.input);
        Usage {
            model: request.name.to_owned(),
            input_tokens: tokens.input,
            output_tokens: tokens.output,
            cost_usd: price.map(|price| price.cost(tokens)),
            estimated: tokens.estimated,
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

fn read(
    form: &AnswerSchema,
    request: &ModelRequest<'_>,
    completion: &Completion,
    attempt: u32,
) -> Result<Content, Misfit> {
    let content = form.read(completion);
    let agent = request.asked;
    match &content {
        Ok(_) => info!(agent, attempt, "model answered"),
        Err(misfit) => warn!(agent, attempt, %misfit, "model answer does not fit"),
    }
    content
}
