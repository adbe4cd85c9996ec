//! The costs of a run by model, agent and step: the sums of the `cost_update` events in its record.
//!
//! The record is read page by page, and only the sums are kept. Amounts are summed in whole
//! billionths of a dollar, to which each cost is rounded, so that the parts add up to the total.

use schemars::JsonSchema;
use serde::{Serialize, Serializer};
use session::{Envelope, EventBody, RunId, SessionId, StoredEventBody};

use crate::{Actor, FoundRun, ReadError, SessionManager};

/// The number of queries that read the record. Each reads at most 1 MiB.
const QUERIES: usize = 8;

/// The parts of a dollar.
const PARTS: f64 = 1e9;

/// The costs of a run so far. Its JSON is the reply to a client.
///
/// Each breakdown adds up to the totals. Its rows are in the order in which they first appear in
/// the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RunCosts {
    /// Which run.
    pub run_id: RunId,
    /// US dollars, of the calls with a known price.
    pub total_cost_usd: UsdAmount,
    /// Tokens of questions and answers.
    pub total_tokens: u64,
    /// Tokens of questions.
    pub total_prompt_tokens: u64,
    /// Tokens of answers.
    pub total_completion_tokens: u64,
    /// How many calls were recorded.
    pub record_count: u64,
    /// How many of them have no known price: their tokens count, their cost is 0.
    pub unpriced_records: u64,
    /// For how many of them the tokens are estimated, because the provider counted none.
    pub estimated_records: u64,
    /// By model.
    pub model_breakdown: Vec<CostShare<ByModel>>,
    /// By agent.
    pub agent_breakdown: Vec<CostShare<ByAgent>>,
    /// By step.
    pub step_breakdown: Vec<CostShare<ByStep>>,
    /// Whether the record is longer than the 8 MiB that were read: all sums leave out its later
    /// calls.
    pub truncated: bool,
}

/// The tokens and costs of one model, agent or step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "{T}Share")]
pub struct CostShare<T> {
    /// The model, agent or step.
    #[serde(flatten)]
    pub of: T,
    /// Its tokens and costs.
    #[serde(flatten)]
    pub sums: UsageTotals,
}

/// A share by model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Model")]
pub struct ByModel {
    /// The model's name.
    pub model: String,
}

/// A share by agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Agent")]
pub struct ByAgent {
    /// The agent's id.
    pub agent: String,
    /// The model of its newest call.
    pub model: String,
}

/// A share by step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Step")]
pub struct ByStep {
    /// The DAG node; null for calls that belong to none.
    pub step_id: Option<String>,
}

/// The tokens and costs of a number of calls. Tokens and costs have two names each: the contract's
/// own, and those that existing clients read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct UsageTotals {
    /// Tokens of questions and answers.
    pub tokens: u64,
    /// Tokens of questions.
    pub input_tokens: u64,
    /// Tokens of answers.
    pub output_tokens: u64,
    /// US dollars.
    pub cost_usd: UsdAmount,
    /// The same as `input_tokens`.
    pub prompt_tokens: u64,
    /// The same as `output_tokens`.
    pub completion_tokens: u64,
    /// The same as `cost_usd`.
    pub cost: UsdAmount,
    /// How many calls they are.
    pub call_count: u64,
    /// Whether the tokens of at least one of them are estimated.
    pub estimated: bool,
}

/// An amount of US dollars, in whole billionths; as JSON in dollars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, JsonSchema)]
#[schemars(rename = "Dollars")]
pub struct UsdAmount(#[schemars(with = "f64", range(min = 0))] u64);

impl SessionManager {
    /// The costs of a run so far. The costs of a failed run that it took over from are not
    /// included.
    ///
    /// # Errors
    /// [`ReadError`]: `NoSuchSession` before `NoSuchRun`.
    pub async fn run_costs(
        &self,
        session: SessionId,
        actor: &Actor,
        run: RunId,
    ) -> Result<RunCosts, ReadError> {
        let run = self.run_of_session(session, actor, run).await?;
        self.costs_of(&run).await
    }

    /// The costs so far of a run that was found by its id.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`], [`ReadError::Malformed`].
    pub async fn costs_of(&self, run: &FoundRun) -> Result<RunCosts, ReadError> {
        let mut costs = RunCosts::none(run.row.id);
        let left = self.apply_first_events(run, QUERIES, |envelope| costs.add(envelope));
        costs.truncated = left.await?.is_some();
        Ok(costs)
    }
}

impl RunCosts {
    const fn none(run_id: RunId) -> Self {
        Self {
            run_id,
            total_cost_usd: UsdAmount(0),
            total_tokens: 0,
            total_prompt_tokens: 0,
            total_completion_tokens: 0,
            record_count: 0,
            unpriced_records: 0,
            estimated_records: 0,
            model_breakdown: Vec::new(),
            agent_breakdown: Vec::new(),
            step_breakdown: Vec::new(),
            truncated: false,
        }
    }

    /// Adds an event, if it is a cost of this run.
    fn add(&mut self, envelope: Envelope) {
        let StoredEventBody::Known(EventBody::CostUpdate {
            run_id,
            agent,
            step_id,
            model,
            tokens,
            input_tokens,
            output_tokens,
            cost,
            estimated,
            ..
        }) = envelope.body
        else {
            return;
        };
        if run_id != self.run_id {
            return;
        }
        let amount = UsdAmount::of(cost.cost_usd);
        let call = UsageTotals {
            tokens,
            input_tokens,
            output_tokens,
            cost_usd: amount,
            prompt_tokens: input_tokens,
            completion_tokens: output_tokens,
            cost: amount,
            call_count: 1,
            estimated,
        };
        self.total_cost_usd.0 += call.cost_usd.0;
        self.total_tokens += tokens;
        self.total_prompt_tokens += input_tokens;
        self.total_completion_tokens += output_tokens;
        self.record_count += 1;
        self.unpriced_records += u64::from(!cost.priced);
        self.estimated_records += u64::from(estimated);
        let by_agent = ByAgent {
            agent,
            model: model.clone(),
        };
        add_to_share(&mut self.model_breakdown, ByModel { model }, call);
        let same_agent = |one: &ByAgent, other: &ByAgent| one.agent == other.agent;
        add_to_share_of(&mut self.agent_breakdown, by_agent, call, same_agent);
        add_to_share(&mut self.step_breakdown, ByStep { step_id }, call);
    }
}

/// Adds a call to the share of its model or step.
fn add_to_share<T: PartialEq>(shares: &mut Vec<CostShare<T>>, of: T, call: UsageTotals) {
    add_to_share_of(shares, of, call, T::eq);
}

/// Adds a call to the share that is the same, which is then named as the call is.
fn add_to_share_of<T>(
    shares: &mut Vec<CostShare<T>>,
    of: T,
    call: UsageTotals,
    same: impl Fn(&T, &T) -> bool,
) {
    match shares.iter_mut().find(|share| same(&share.of, &of)) {
        Some(share) => {
            share.of = of;
            share.sums.add(call);
        }
        None => shares.push(CostShare { of, sums: call }),
    }
}

impl UsageTotals {
    fn add(&mut self, call: Self) {
        self.tokens += call.tokens;
        self.input_tokens += call.input_tokens;
        self.output_tokens += call.output_tokens;
        self.cost_usd.0 += call.cost_usd.0;
        self.prompt_tokens += call.prompt_tokens;
        self.completion_tokens += call.completion_tokens;
        self.cost.0 += call.cost.0;
        self.call_count += call.call_count;
        self.estimated |= call.estimated;
    }
}

impl UsdAmount {
    fn of(cost: f64) -> Self {
        // The cast turns a negative amount and NaN into 0.
        Self((cost * PARTS).round() as u64)
    }
}

impl Serialize for UsdAmount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0 as f64 / PARTS)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use session::{Seq, Timestamp};
    use uuid::Uuid;

    use super::*;

    fn run(n: u128) -> RunId {
        RunId::new(Uuid::from_u128(n))
    }

    fn call(of: RunId, agent: &str, step: Option<&str>, cost_usd: Option<f64>) -> Envelope {
        let body = EventBody::CostUpdate {
            run_id: of,
            agent: agent.into(),
            step_id: step.map(str::to_owned),
            model: if cost_usd.is_some() { "priced" } else { "own" }.into(),
            tokens: 15,
            input_tokens: 10,
            output_tokens: 5,
            cost: cost_usd.into(),
            total_cost_usd: 9.0,
            estimated: step == Some("planning"),
        };
        Envelope {
            timestamp: Timestamp::from_micros(0).unwrap(),
            run_id: Some(of),
            session_id: SessionId::new(Uuid::from_u128(7)),
            seq: Some(Seq(1)),
            body: body.into(),
        }
    }

    #[test]
    fn the_shares_add_up_in_the_order_in_which_they_appear_and_without_dust() {
        let mut costs = RunCosts::none(run(1));
        for envelope in [
            call(run(1), "planner", Some("planning"), Some(0.1)),
            call(run(1), "researcher", Some("step_2"), Some(0.2)),
            call(run(2), "researcher", Some("step_2"), Some(5.0)),
            call(run(1), "planner", Some("step_10"), None),
            call(run(1), "researcher", None, Some(0.000_000_001)),
        ] {
            costs.add(envelope);
        }
        let shares = |of, calls: u64, cost: f64, estimated: bool| {
            let mut of: serde_json::Value = of;
            of["tokens"] = json!(15 * calls);
            of["input_tokens"] = json!(10 * calls);
            of["output_tokens"] = json!(5 * calls);
            of["cost_usd"] = json!(cost);
            of["prompt_tokens"] = json!(10 * calls);
            of["completion_tokens"] = json!(5 * calls);
            of["cost"] = json!(cost);
            of["call_count"] = json!(calls);
            of["estimated"] = json!(estimated);
            of
        };
        assert_eq!(
            serde_json::to_value(&costs).unwrap(),
            json!({
                "run_id": run(1), "total_cost_usd": 0.300_000_001, "total_tokens": 60,
                "total_prompt_tokens": 40, "total_completion_tokens": 20,
                "record_count": 4, "unpriced_records": 1, "estimated_records": 1,
                "model_breakdown": [
                    shares(json!({"model": "priced"}), 3, 0.300_000_001, true),
                    shares(json!({"model": "own"}), 1, 0.0, false),
                ],
                "agent_breakdown": [
                    shares(json!({"agent": "planner", "model": "own"}), 2, 0.1, true),
                    shares(json!({"agent": "researcher", "model": "priced"}), 2, 0.200_000_001, false),
                ],
                "step_breakdown": [
                    shares(json!({"step_id": "planning"}), 1, 0.1, true),
                    shares(json!({"step_id": "step_2"}), 1, 0.2, false),
                    shares(json!({"step_id": "step_10"}), 1, 0.0, false),
                    shares(json!({"step_id": null}), 1, 0.000_000_001, false),
                ],
                "truncated": false,
            })
        );
    }
}
