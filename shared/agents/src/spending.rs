//! What a call has spent, and whether it may spend more.

use workflow::{AgentRequest, MAX_CALLS, Usage};

use crate::{CallError, CallFailure};

/// The provider calls of one request, and the usage of every reply, usable or not.
#[derive(Debug)]
pub(crate) struct Spending {
    pub calls: u32,
    pub usages: Vec<Usage>,
    pub earlier_calls: u32,
    max_cost_usd: Option<f64>,
}

impl Spending {
    pub(crate) fn of(call: &AgentRequest) -> Self {
        Self {
            calls: 0,
            usages: Vec::new(),
            earlier_calls: call.earlier_calls,
            max_cost_usd: call.max_cost_usd,
        }
    }

    /// Whether neither the calls nor the budget are used up.
    pub(crate) fn allows_another_call(&self) -> bool {
        let cost: f64 = self.usages.iter().filter_map(|usage| usage.cost_usd).sum();
        let is_affordable = self.max_cost_usd.is_none_or(|most| cost < most);
        self.may_call_again() && is_affordable
    }

    fn may_call_again(&self) -> bool {
        self.earlier_calls.saturating_add(self.calls) < MAX_CALLS
    }

    pub(crate) fn error(
        self,
        asked: &'static str,
        failure: CallFailure,
        attempts: u32,
    ) -> CallError {
        CallError {
            asked,
            failure,
            attempts,
            calls: self.calls,
            may_call_again: self.may_call_again(),
            usages: self.usages,
        }
    }
}
