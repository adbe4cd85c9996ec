//! The form of an answer: the JSON schema of the answer's type, the part of it that a provider
//! receives, and the parsing of the answer. An answer that does not match becomes a [`Misfit`],
//! which describes the fault to the model.

use jsonschema::{ValidationError, Validator};
use schemars::{JsonSchema, generate::SchemaSettings};
use serde::Serialize;
use serde_json::{Value, json};

use workflow::Brief;

use crate::{
    Agent, Content, Ideas, PaperBrief, PaperSummary, Plan, Program, Report, Review, RouteAnswer,
    TaskAgent, answer_text,
    provider::{Completion, CompletionEnd},
    route::allowed_routes,
};

/// The maximum number of faults in one request for a corrected answer.
const MAX_FAULTS_NAMED: usize = 8;

/// The maximum size of a plan as compact JSON, in bytes: 64 KiB, which fits into a stored event.
/// The schema limits each step, but fifty steps of maximum length would exceed this.
const MAX_PLAN_BYTES: usize = 64 * 1024;

/// Schema keywords that OpenAI's strict mode or the grammars of local servers do not support. The
/// answer is validated against them anyway.
const LIMITS: [&str; 7] = [
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
    "$schema",
    "title",
];

/// Why an answer is invalid. `Display` is for the log and contains nothing of the answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// The answer is empty.
    #[error("the answer is empty")]
    Empty,
    /// The model reached its output limit.
    #[error("the answer was cut by the length limit")]
    Cut,
    /// The model or a content filter refused to answer.
    #[error("the model refused to answer")]
    Refused,
    /// The answer is not JSON.
    #[error("the answer is not JSON: line {line}, column {column}")]
    NotJson {
        /// Line of the fault, from 1.
        line: usize,
        /// Column of the fault, from 1.
        column: usize,
    },
    /// A plan whose steps are valid, but whose total size is not.
    #[error("the plan has {bytes} bytes; at most {MAX_PLAN_BYTES} fit")]
    PlanTooLarge {
        /// The size of the steps as compact JSON.
        bytes: usize,
    },
    /// JSON that does not match the schema.
    #[error("the answer does not fit its schema: {masked}")]
    Schema {
        /// The faults without values.
        masked: String,
        /// The faults, for the model.
        full: String,
    },
}

impl Misfit {
    /// How often the model is asked at most until its answer is none of these. Without a fault to
    /// name, a second answer tells whether another one would help.
    pub(crate) const fn most_attempts(&self) -> u32 {
        match self {
            Self::Empty | Self::Cut | Self::Refused => 2,
            Self::NotJson { .. } | Self::PlanTooLarge { .. } | Self::Schema { .. } => u32::MAX,
        }
    }

    /// The `code` of the error that the client sees.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Empty => "answer_empty",
            Self::Cut => "answer_cut",
            Self::Refused => "answer_refused",
            Self::NotJson { .. } => "answer_not_json",
            Self::PlanTooLarge { .. } | Self::Schema { .. } => "answer_misfit",
        }
    }

    /// The message for the client.
    pub const fn for_client(&self) -> &'static str {
        match self {
            Self::Empty => "The model's answer was empty.",
            Self::Cut => "The model's answer was cut by the length limit.",
            Self::Refused => "The model refused to answer.",
            Self::NotJson { .. } => "The model's answers were not JSON.",
            Self::PlanTooLarge { .. } | Self::Schema { .. } => {
                "The model's answers did not have the required form."
            }
        }
    }

    /// The message to the model that asks for a corrected answer.
    pub(crate) fn for_model(&self) -> String {
        match self {
            Self::Empty => "Your answer was empty.".to_owned(),
            Self::Cut => "Your answer reached the limit of its length, thoughts included, before it ended. Think less, and give a much shorter one.".to_owned(),
            Self::Refused => "You gave no answer. Answer as far as you can, and say in the answer what you leave out.".to_owned(),
            Self::NotJson { line, column } => {
                format!("Your answer is not valid JSON: line {line}, column {column}.")
            }
            Self::PlanTooLarge { bytes } => format!(
                "Your plan has {bytes} bytes, and at most {MAX_PLAN_BYTES} fit. Give fewer steps, or shorter ones."
            ),
            Self::Schema { full, .. } => format!("Your answer does not fit the schema:\n{full}"),
        }
    }
}

/// The form of the answer to one call.
pub(crate) struct AnswerSchema {
    agent: Agent,
    schema: Value,
    validator: Validator,
    /// Answer fields that the brief determines and that no model is asked for.
    known: Vec<(&'static str, Value)>,
}

impl AnswerSchema {
    /// The form of an agent's answer, narrowed by the brief: the number and the agents of a plan's
    /// steps, whether a route may ask the user, and the known fields of a paper.
    pub(crate) fn of(agent: Agent, brief: &Brief, paper: Option<&PaperBrief>) -> Self {
        let mut schema = match agent {
            Agent::Planner => schema_of::<Plan>(),
            Agent::PlanReviewer => schema_of::<Review>(),
            Agent::Researcher | Agent::IdeaHater => schema_of::<Report>(),
            Agent::Engineer => schema_of::<Program>(),
            Agent::IdeaMaker => schema_of::<Ideas>(),
            Agent::CopilotControl => schema_of::<RouteAnswer>(),
            Agent::Summarizer => schema_of::<PaperSummary>(),
        };
        let mut known = Vec::new();
        match agent {
            Agent::Planner => {
                let steps = &mut schema["properties"]["steps"];
                steps["maxItems"] = json!(brief.max_steps.max(1));
                allow_only(
                    &mut steps["items"]["properties"]["sub_task_agent"],
                    &brief.team,
                );
            }
            Agent::CopilotControl => {
                let fields = &mut schema["properties"];
                allow_only(&mut fields["route"], allowed_routes(brief.may_ask));
                allow_only(&mut fields["agent"], &TaskAgent::ALL);
            }
            Agent::Summarizer => {
                known = paper.map(PaperBrief::known).unwrap_or_default();
                leave_out(&mut schema, &known);
            }
            _ => {}
        }
        let validator = jsonschema::validator_for(&schema)
            .expect("a schema made from our own types compiles, and a test makes each");
        Self {
            agent,
            schema,
            validator,
            known,
        }
    }

    /// The complete schema, which validates the answer.
    pub(crate) fn schema(&self) -> &Value {
        &self.schema
    }

    /// The schema without the keywords that some providers refuse.
    pub(crate) fn for_provider(&self) -> Value {
        without_limits(self.schema.clone())
    }

    /// Parses a model's answer.
    pub(crate) fn read(&self, completion: &Completion) -> Result<Content, Misfit> {
        match completion.end {
            // An answer may be whole when the limit cuts what would have followed.
            CompletionEnd::CutByLength => self.fit(&completion.text).map_err(|_| Misfit::Cut),
            CompletionEnd::Refused => Err(Misfit::Refused),
            CompletionEnd::OnlyThoughts => Err(Misfit::Empty),
            CompletionEnd::Finished if completion.text.is_empty() => Err(Misfit::Empty),
            CompletionEnd::Finished => self.fit(&completion.text),
        }
    }

    fn fit(&self, text: &str) -> Result<Content, Misfit> {
        let mut value = answer_text::json(text)?;
        self.forget_known(&mut value);
        self.check(&value)?;
        for (field, known) in &self.known {
            value[*field] = known.clone();
        }
        let content = self.content(value).map_err(|e| Misfit::Schema {
            masked: "another type".to_owned(),
            full: e.to_string(),
        })?;
        if let Content::Plan(plan) = &content {
            check_size(plan)?;
        }
        Ok(content)
    }

    /// Removes the known fields from an answer, even if the model returns them.
    fn forget_known(&self, value: &mut Value) {
        if let Some(fields) = value.as_object_mut() {
            for (field, _) in &self.known {
                fields.remove(*field);
            }
        }
    }

    fn check(&self, value: &Value) -> Result<(), Misfit> {
        let faults: Vec<ValidationError<'_>> = self
            .validator
            .iter_errors(value)
            .take(MAX_FAULTS_NAMED)
            .collect();
        if faults.is_empty() {
            return Ok(());
        }
        let list = |name: fn(&ValidationError<'_>) -> String| {
            faults.iter().map(name).collect::<Vec<_>>().join("\n")
        };
        Err(Misfit::Schema {
            masked: list(|fault| format!("{}: {}", place(fault), fault.schema_path())),
            full: list(|fault| format!("- {}: {}", place(fault), shorten(&fault.to_string()))),
        })
    }

    fn content(&self, value: Value) -> serde_json::Result<Content> {
        match self.agent {
            Agent::Planner => serde_json::from_value(value).map(Content::Plan),
            Agent::PlanReviewer => serde_json::from_value(value).map(Content::Review),
            Agent::Researcher | Agent::IdeaHater => {
                serde_json::from_value(value).map(Content::Report)
            }
            Agent::Engineer => serde_json::from_value(value).map(Content::Program),
            Agent::IdeaMaker => serde_json::from_value(value).map(Content::Ideas),
            Agent::CopilotControl => serde_json::from_value(value).map(Content::Route),
            Agent::Summarizer => serde_json::from_value(value).map(Content::PaperSummary),
        }
    }
}

/// A schema can limit the parts of a plan, but not their sum.
fn check_size(plan: &Plan) -> Result<(), Misfit> {
    let bytes = serde_json::to_string(&plan.steps).map_or(usize::MAX, |text| text.len());
    if bytes > MAX_PLAN_BYTES {
        return Err(Misfit::PlanTooLarge { bytes });
    }
    Ok(())
}

fn schema_of<T: JsonSchema>() -> Value {
    SchemaSettings::draft2020_12()
        .with(|settings| settings.inline_subschemas = true)
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value()
}

/// Restricts a property to these values and keeps its description. The values have no descriptions
/// of their own, because those would make it a `oneOf`, which strict modes do not support. The
/// prompt describes the values.
fn allow_only<T: Serialize>(property: &mut Value, values: &[T]) {
    let description = property["description"].take();
    *property = json!({"description": description, "type": "string", "enum": values});
}

/// Removes properties from a schema.
fn leave_out(schema: &mut Value, fields: &[(&'static str, Value)]) {
    let is_left_out = |name: &str| fields.iter().any(|(field, _)| *field == name);
    if let Some(properties) = schema["properties"].as_object_mut() {
        properties.retain(|name, _| !is_left_out(name));
    }
    if let Some(required) = schema["required"].as_array_mut() {
        required.retain(|name| !name.as_str().is_some_and(is_left_out));
    }
}

fn without_limits(schema: Value) -> Value {
    match schema {
        Value::Object(fields) => fields
            .into_iter()
            .filter(|(key, _)| !LIMITS.contains(&key.as_str()))
            .map(|(key, value)| (key, without_limits(value)))
            .collect(),
        Value::Array(items) => items.into_iter().map(without_limits).collect(),
        other => other,
    }
}

fn place(fault: &ValidationError<'_>) -> String {
    let pointer = fault.instance_path().to_string();
    if pointer.is_empty() {
        "the answer".to_owned()
    } else {
        pointer
    }
}

/// A fault quotes the invalid value, which may be a whole report.
fn shorten(text: &str) -> String {
    const LONGEST: usize = 300;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_compiles_and_is_accepted_by_strict_modes() {
        for agent in Agent::ALL {
            let form = AnswerSchema::of(agent, &Brief::default(), None);
            let text = form.for_provider().to_string();
            for construct in ["oneOf", "$ref", "maxLength", "pattern"] {
                assert!(!text.contains(construct), "{agent}: {construct} in {text}");
            }
        }
    }

    #[test]
    fn a_brief_narrows_the_choices_of_the_schema() {
        let brief = Brief {
            team: ["idea_maker", "idea_hater"].map(str::to_owned).to_vec(),
            may_ask: false,
            ..Brief::default()
        };
        let plan = AnswerSchema::of(Agent::Planner, &brief, None);
        let step = &plan.schema()["properties"]["steps"]["items"]["properties"];
        assert_eq!(
            step["sub_task_agent"]["enum"],
            json!(["idea_maker", "idea_hater"])
        );
        let route = AnswerSchema::of(Agent::CopilotControl, &brief, None);
        let fields = &route.schema()["properties"];
        assert_eq!(fields["route"]["enum"], json!(["one_shot", "planned"]));
        assert_eq!(fields["agent"]["enum"], json!(["researcher", "engineer"]));
        assert_eq!(fields["route"]["description"], "How the turn is answered.");
    }
}
