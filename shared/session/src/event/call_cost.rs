//! The cost of a model call, with or without a known price.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The cost of one model call.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(from = "StoredCallCost")]
#[schemars(!from)]
pub struct CallCost {
    /// US dollars; 0 without a known price.
    pub cost_usd: f64,
    /// Whether the price of the model is known.
    pub priced: bool,
}

/// Also reads events without `priced`, whose `cost_usd` is null without a known price.
#[derive(Deserialize)]
struct StoredCallCost {
    cost_usd: Option<f64>,
    priced: Option<bool>,
}

impl From<StoredCallCost> for CallCost {
    fn from(stored: StoredCallCost) -> Self {
        let known = stored.priced.unwrap_or(true);
        Self::from(stored.cost_usd.filter(|_| known))
    }
}

impl From<Option<f64>> for CallCost {
    /// The cost by a known price, or `None`.
    fn from(cost_usd: Option<f64>) -> Self {
        Self {
            cost_usd: cost_usd.unwrap_or_default(),
            priced: cost_usd.is_some(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::{Event, StoredEventBody};

    fn shown(price: &Value) -> Value {
        let mut stored = json!({"event_type": "cost_update", "data": {
            "run_id": "01890a5d-ac96-774b-bcce-b302099a8057", "agent": "planner", "step_id": null,
            "model": "m", "tokens": 3, "input_tokens": 2, "output_tokens": 1, "total_cost_usd": 0.5,
        }});
        let fields = price.as_object().unwrap().clone();
        stored["data"].as_object_mut().unwrap().extend(fields);
        let event: Event = serde_json::from_value(stored).unwrap();
        assert!(matches!(event.body, StoredEventBody::Known(_)), "{event:?}");
        let data = &serde_json::to_value(event).unwrap()["data"];
        json!([data["cost_usd"], data["priced"], data["total_cost_usd"]])
    }

    #[test]
    fn amounts_are_numbers_also_in_events_that_were_stored_with_null() {
        for (stored, expected) in [
            (
                json!({"cost_usd": 0.25, "priced": true}),
                json!([0.25, true, 0.5]),
            ),
            (
                json!({"cost_usd": 0.0, "priced": true}),
                json!([0.0, true, 0.5]),
            ),
            (
                json!({"cost_usd": 0.0, "priced": false}),
                json!([0.0, false, 0.5]),
            ),
            (json!({"cost_usd": 0.25}), json!([0.25, true, 0.5])),
            (json!({"cost_usd": null}), json!([0.0, false, 0.5])),
        ] {
            assert_eq!(shown(&stored), expected, "{stored}");
        }
    }
}
