//! Descriptions of the routes, beside their handlers. `make api` makes `infra/openapi.json` from
//! them and from the handlers' documentation.
//!
//! An [`Operation`] names types, codes and limits of the code, so that it cannot differ from it.
//! [`Operation::codes`] adds the codes that follow from an id in the path, a query or a body. No
//! handler calls this module, and the linker leaves it out of every function.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::json;
use session::Seq;
use session_manager::RunCosts;

use crate::http::MARKDOWN;
use crate::{Action, Code};

pub use workflow::{Modifications, RunConfig};

/// The session of an action's example.
const SESSION: &str = "01936e5c-7d2a-7b4e-9c61-2f0a8d3b5e17";

/// How a type's schema is made.
pub type Shape = Box<dyn Fn(&mut SchemaGenerator) -> Schema>;

/// One route of the HTTP API.
pub struct Operation {
    /// The function behind it, which is also its folder.
    pub function: &'static str,
    /// Method and path, as the template has them: `GET /api/sessions`.
    pub route: &'static str,
    /// What its query may hold.
    pub query: Vec<Parameter>,
    /// The body that it takes.
    pub takes: Option<BodySchema>,
    /// Whether it takes an `Idempotency-Key`.
    pub once: bool,
    /// The status of a success.
    pub status: u16,
    /// The body of a success.
    pub answers: BodySchema,
    /// Whether a success may be a redirect to a link instead.
    pub redirects: bool,
    /// Whether it reads a body, if only to refuse one that is no JSON object.
    reads: bool,
    refuses: &'static [Code],
}

/// A body: its form and an example of it.
pub struct BodySchema {
    /// The form.
    pub shape: Shape,
    /// JSON.
    pub example: Cow<'static, str>,
    /// Whether it must be there.
    pub required: bool,
    /// Its media type.
    pub media_type: &'static str,
}

/// A value of the query.
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// What it may be.
    pub shape: Shape,
    /// Whether it must be there.
    pub required: bool,
    refuses: Code,
}

const COSTS: &str = r#"{
    "run_id": "01936e5c-8b10-7c52-8f3e-6a1d4e9b7c20",
    "total_cost_usd": 0.0,
    "total_tokens": 180,
    "total_prompt_tokens": 150,
    "total_completion_tokens": 30,
    "record_count": 1,
    "unpriced_records": 0,
    "estimated_records": 1,
    "model_breakdown": [{"model": "offline/extract-1", "tokens": 180, "input_tokens": 150, "output_tokens": 30, "cost_usd": 0.0, "prompt_tokens": 150, "completion_tokens": 30, "cost": 0.0, "call_count": 1, "estimated": true}],
    "agent_breakdown": [{"agent": "planner", "model": "offline/extract-1", "tokens": 180, "input_tokens": 150, "output_tokens": 30, "cost_usd": 0.0, "prompt_tokens": 150, "completion_tokens": 30, "cost": 0.0, "call_count": 1, "estimated": true}],
    "step_breakdown": [{"step_id": "planning", "tokens": 180, "input_tokens": 150, "output_tokens": 30, "cost_usd": 0.0, "prompt_tokens": 150, "completion_tokens": 30, "cost": 0.0, "call_count": 1, "estimated": true}],
    "truncated": false
}"#;

impl BodySchema {
    /// A body of this type.
    pub fn of<T: JsonSchema + 'static>(example: &'static str) -> Self {
        Self {
            shape: Box::new(SchemaGenerator::subschema_for::<T>),
            example: example.into(),
            required: true,
            media_type: "application/json",
        }
    }

    /// The costs of a run, which two routes show.
    pub fn run_costs() -> Self {
        Self::of::<RunCosts>(COSTS)
    }

    /// A Markdown text. The example is a JSON string.
    pub fn markdown(example: &'static str) -> Self {
        Self {
            media_type: MARKDOWN,
            ..Self::of::<String>(example)
        }
    }

    /// The answer to an action that was done, with its sentence.
    pub fn done(message: &str) -> Self {
        let example = json!({"success": true, "session_id": SESSION, "message": message});
        Self {
            example: example.to_string().into(),
            ..Self::of::<Action>("")
        }
    }

    /// The same where it may be missing.
    #[must_use]
    pub fn optional(self) -> Self {
        Self {
            required: false,
            ..self
        }
    }
}

impl Parameter {
    /// A word of this type.
    pub fn word<T: JsonSchema + 'static>(name: &'static str, about: &'static str) -> Self {
        Self {
            name,
            about,
            shape: Box::new(SchemaGenerator::subschema_for::<T>),
            required: false,
            refuses: Code::InvalidQuery,
        }
    }

    /// The same, where it must be there.
    #[must_use]
    pub fn required(self) -> Self {
        Self {
            required: true,
            ..self
        }
    }

    /// A word of this pattern.
    pub fn text(name: &'static str, about: &'static str, pattern: &'static str) -> Self {
        Self {
            name,
            about,
            shape: Box::new(move |_| json_schema!({"type": "string", "pattern": pattern})),
            required: false,
            refuses: Code::InvalidQuery,
        }
    }

    /// `limit`, from 1.
    pub fn limit(max: u16, default: u16) -> Self {
        Self::count("limit", "The most that a page holds.", max, default)
    }

    /// A number of something, from 1.
    pub fn count(name: &'static str, about: &'static str, max: u16, default: u16) -> Self {
        let schema =
            json_schema!({"type": "integer", "minimum": 1, "maximum": max, "default": default});
        Self {
            name,
            about,
            shape: Box::new(move |_| schema.clone()),
            required: false,
            refuses: Code::InvalidQuery,
        }
    }

    /// A place in a session's record, from `first` on.
    pub fn seq(name: &'static str, about: &'static str, first: u64) -> Self {
        let schema = json_schema!({"type": "integer", "minimum": first, "maximum": Seq::MAX});
        Self {
            name,
            about,
            shape: Box::new(move |_| schema.clone()),
            required: false,
            refuses: Code::InvalidQuery,
        }
    }

    /// `cursor`, where the next page begins.
    pub fn cursor() -> Self {
        Self {
            name: "cursor",
            about: "The `next_cursor` of the page before, with the same filter.",
            shape: Box::new(|_| json_schema!({"type": "string"})),
            required: false,
            refuses: Code::BadCursor,
        }
    }
}

impl Operation {
    /// A route of a function, and what it answers.
    pub const fn new(function: &'static str, route: &'static str, answers: BodySchema) -> Self {
        Self {
            function,
            route,
            query: Vec::new(),
            takes: None,
            once: false,
            status: 200,
            answers,
            redirects: false,
            reads: false,
            refuses: &[],
        }
    }

    /// With values in the query.
    #[must_use]
    pub fn query(self, query: impl Into<Vec<Parameter>>) -> Self {
        let query = query.into();
        Self { query, ..self }
    }

    /// With a body.
    #[must_use]
    pub fn takes(self, body: BodySchema) -> Self {
        Self {
            takes: Some(body),
            reads: true,
            ..self
        }
    }

    /// Without a body; but one that comes all the same must be a JSON object.
    #[must_use]
    pub fn takes_nothing(self) -> Self {
        Self {
            reads: true,
            ..self
        }
    }

    /// With an `Idempotency-Key`.
    #[must_use]
    pub fn once(self) -> Self {
        Self { once: true, ..self }
    }

    /// With 202 for a success: what was asked for has only begun.
    #[must_use]
    pub fn accepted(self) -> Self {
        Self {
            status: 202,
            ..self
        }
    }

    /// With a redirect to a link as another success.
    #[must_use]
    pub fn redirects(self) -> Self {
        Self {
            redirects: true,
            ..self
        }
    }

    /// With these refusals, beside those that follow from the form of its requests.
    #[must_use]
    pub fn refuses(self, refuses: &'static [Code]) -> Self {
        Self { refuses, ..self }
    }

    /// Every error that it may answer with, in the order of [`Code::ALL`].
    pub fn codes(&self) -> Vec<Code> {
        let may = |code| match code {
            // Any route refuses a query parameter that is given twice.
            Code::InvalidQuery => true,
            Code::Unauthenticated | Code::Internal | Code::Unavailable => true,
            Code::SessionNotFound => self.route.contains("{session_id}"),
            Code::RunNotFound => self.route.contains("{run_id}"),
            Code::ApprovalNotFound => self.route.contains("{approval_id}"),
            Code::MalformedJson | Code::TooLarge => self.reads,
            Code::InvalidField => self.reads || self.once,
            Code::KeyReused => self.once,
            code => self.query.iter().any(|value| value.refuses == code),
        };
        let all = Code::ALL.iter().copied();
        all.filter(|code| may(*code) || self.refuses.contains(code))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_of_a_request_tells_what_can_be_wrong_with_it() {
        let words = |operation: &Operation| {
            let codes = operation.codes().into_iter().map(Code::word);
            codes.collect::<Vec<_>>().join(" ")
        };
        let plain = Operation::new("f", "GET /api/health", BodySchema::of::<bool>("true"));
        let every = "unauthenticated invalid_query internal unavailable";
        assert_eq!(words(&plain), every);
        let paged = Operation::new("f", "GET /a/{session_id}", BodySchema::of::<bool>("true"))
            .query([Parameter::limit(200, 50), Parameter::cursor()]);
        assert_eq!(
            words(&paged),
            "bad_cursor unauthenticated session_not_found invalid_query internal unavailable"
        );
        let made = Operation::new("f", "POST /a", BodySchema::of::<bool>("true"))
            .takes(BodySchema::of::<bool>("true"))
            .once()
            .refuses(&[Code::EmptyTask]);
        assert_eq!(
            words(&made),
            "malformed_json unauthenticated too_large invalid_field invalid_query empty_task idempotency_key_reused internal unavailable"
        );
    }
}
