//! OpenAPI 3.1, whose schemas are JSON Schema 2020-12.

use std::collections::BTreeMap;

use lambda_kit::api::{BodySchema, Operation, Parameter};
use lambda_kit::{Code, ProblemBody};
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};
use session::{ApprovalId, RunId, SessionId};

use crate::schemas::Schemas;
use crate::{documented, operations};

/// The request id of every example.
const REQUEST_ID: &str = "8f5a4c1e-3f0b-4a7e-9d57-6f1f2b0c9e11";

/// The document.
///
/// # Errors
/// When the file of a handler cannot be read.
pub fn openapi() -> std::io::Result<Value> {
    let mut schemas = Schemas::new(SchemaSettings::draft2020_12());
    let mut paths = Map::new();
    for operation in operations() {
        let (method, path) = operation.route.split_once(' ').unwrap_or_default();
        let told = told(&mut schemas, &operation)?;
        paths.entry(path).or_insert_with(|| json!({}))[method.to_lowercase()] = told;
    }
    let parameters = parameters(&mut schemas);
    let responses = responses(&mut schemas);
    Ok(json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Intermission",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Sessions of agent work that outlive every process.",
            "description": "JSON in and out. A field that is null is absent, one that nobody asks for is ignored. The events of a session are \
                also pushed over a WebSocket: `asyncapi.json`.",
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "servers": [
            {"url": "http://localhost:8000", "description": "The local stack; it needs no token."},
            {
                "url": "https://{api}.execute-api.{region}.amazonaws.com",
                "description": "A deployed stack; its outputs name the URL.",
                "variables": {"api": {"default": "api"}, "region": {"default": "eu-central-1"}},
            },
        ],
        "security": [{"token": []}],
        "tags": [
            {"name": "sessions", "description": "What is worked on, and its record."},
            {"name": "runs", "description": "Tasks, one at a time in a session."},
            {"name": "approvals", "description": "Questions of a run to a person."},
            {"name": "files", "description": "What runs have made, and what clients have brought."},
            {"name": "service", "description": "That it stands, and what it can do."},
        ],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {
                "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                "description": "Of the issuer and audience that the stack was deployed with. Its `sub` owns what it makes.",
            }},
            "headers": {"x-request-id": {
                "description": "By which our log is searched.", "required": true, "schema": {"type": "string"},
            }},
            "parameters": parameters,
            "responses": responses,
            "schemas": schemas.components(),
        },
    }))
}

fn told(schemas: &mut Schemas, operation: &Operation) -> std::io::Result<Value> {
    let documented = documented(operation.function)?;
    let mut told = json!({
        "operationId": operation.function,
        "tags": [tag(operation.route)],
        "summary": documented.summary.trim_end_matches('.'),
        "description": documented.description,
        "parameters": parameters_of(schemas, operation),
        "responses": responses_of(schemas, operation),
    });
    if let Some(body) = &operation.takes {
        let schema = schemas.heard(&body.shape);
        told["requestBody"] = json!({"required": body.required, "content": content(&schema, body)});
    }
    Ok(told)
}

fn tag(route: &str) -> &'static str {
    match route {
        _ if route.contains("/approvals") => "approvals",
        _ if ["/uploads", "/artifacts", "/files"]
            .iter()
            .any(|part| route.contains(part)) =>
        {
            "files"
        }
        _ if route.contains("/runs") || route.contains("/nodes") => "runs",
        _ if ["/modes", "/health", "/credentials", "/models"]
            .iter()
            .any(|part| route.contains(part)) =>
        {
            "service"
        }
        _ => "sessions",
    }
}

fn parameters_of(schemas: &mut Schemas, operation: &Operation) -> Value {
    let ids = ["session_id", "run_id", "approval_id", "node_id"].into_iter();
    let ids = ids.filter(|id| operation.route.contains(&format!("{{{id}}}")));
    let key = operation.once.then_some("idempotency_key");
    let named = ids
        .chain(key)
        .map(|name| json!({"$ref": format!("#/components/parameters/{name}")}));
    let query = operation.query.iter().map(|value| in_query(schemas, value));
    named.chain(query).collect()
}

fn in_query(schemas: &mut Schemas, value: &Parameter) -> Value {
    json!({
        "name": value.name, "in": "query", "required": value.required, "description": value.about,
        "schema": schemas.heard(&value.shape),
    })
}

fn parameters(schemas: &mut Schemas) -> Value {
    let mut id = |name: &str, body: BodySchema, example: &str| {
        json!({
            "name": name, "in": "path", "required": true, "schema": schemas.heard(&body.shape), "example": example,
        })
    };
    json!({
        "session_id": id("session_id", BodySchema::of::<SessionId>(""), "01936e5c-7d2a-7b4e-9c61-2f0a8d3b5e17"),
        "run_id": id("run_id", BodySchema::of::<RunId>(""), "01936e5c-8b10-7c52-8f3e-6a1d4e9b7c20"),
        "approval_id": id("approval_id", BodySchema::of::<ApprovalId>(""), "01936e5c-b3f4-7d08-a1c5-3b7e9f2d4a60"),
        "node_id": {
            "name": "node_id", "in": "path", "required": true,
            "schema": {"type": "string", "pattern": "^[a-z][a-z0-9_]*$"}, "example": "step_1",
        },
        "idempotency_key": {
            "name": "Idempotency-Key", "in": "header", "required": false,
            "description": "The same key and body gives the first answer again, for 24 hours; another body is refused.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$"},
            "example": "b35c8e0a-31a4-4bb5-8bb0-0f6e5a9c2d47",
        },
    })
}

fn responses_of(schemas: &mut Schemas, operation: &Operation) -> Value {
    let schema = schemas.said(&operation.answers.shape);
    let mut responses = Map::new();
    let done = if operation.status == 202 {
        "It has begun."
    } else {
        "It is done."
    };
    let answer = response(done, &content(&schema, &operation.answers));
    responses.insert(operation.status.to_string(), answer);
    if operation.redirects {
        responses.insert("302".into(), redirect());
    }
    let throttled = json!({"$ref": "#/components/responses/throttled"});
    responses.insert("429".into(), throttled);
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in operation.codes() {
        by_status.entry(code.status()).or_default().push(code);
    }
    for (status, codes) in by_status {
        let told = match codes[..] {
            [code] if everywhere(code) => {
                json!({"$ref": format!("#/components/responses/{}", code.word())})
            }
            _ if status == 429 => limited(schemas, &codes),
            _ => problem(schemas, &codes),
        };
        responses.insert(status.to_string(), told);
    }
    responses.into()
}

/// Whether every route may answer with this code.
const fn everywhere(code: Code) -> bool {
    matches!(
        code,
        Code::Unauthenticated | Code::Internal | Code::Unavailable
    )
}

fn responses(schemas: &mut Schemas) -> Value {
    let mut responses = Map::new();
    for code in Code::ALL.iter().copied().filter(|code| everywhere(*code)) {
        responses.insert(code.word().into(), problem(schemas, &[code]));
    }
    let gateway = gateway();
    let unauthenticated = &mut responses[Code::Unauthenticated.word()];
    unauthenticated["description"] =
        "No verified token. API Gateway's own refusal has its own body, and no `x-request-id`."
            .into();
    let json = &mut unauthenticated["content"]["application/json"]["schema"];
    *json = json!({"anyOf": [json.take(), gateway]});
    if let Some(fields) = unauthenticated.as_object_mut() {
        fields.remove("headers");
    }
    responses.insert("throttled".into(), json!({
        "description": "Too many requests, says API Gateway.",
        "content": {"application/json": {"schema": gateway, "example": {"message": "Too Many Requests"}}},
    }));
    responses.into()
}

/// The body of API Gateway, which answers before any function is invoked.
fn gateway() -> Value {
    json!({
        "type": "object", "properties": {"message": {"type": "string"}}, "required": ["message"],
    })
}

/// The response of a route with limits for each owner. API Gateway's own limit has its own body.
fn limited(schemas: &mut Schemas, codes: &[Code]) -> Value {
    let mut told = problem(schemas, codes);
    told["headers"] = json!({
        "x-request-id": {"schema": {"type": "string"}},
        "retry-after": {
            "description": "In seconds; absent in API Gateway's own refusal.",
            "schema": {"type": "integer", "minimum": 1},
        },
    });
    let json = &mut told["content"]["application/json"]["schema"];
    *json = json!({"anyOf": [json.take(), gateway()]});
    told
}

/// The response for codes that share a status.
fn problem(schemas: &mut Schemas, codes: &[Code]) -> Value {
    let whole = BodySchema::of::<ProblemBody<'static>>("");
    let words: Vec<&str> = codes.iter().map(|code| code.word()).collect();
    let schema =
        json!({"allOf": [schemas.said(&whole.shape), {"properties": {"code": {"enum": words}}}]});
    let about: Vec<String> = codes
        .iter()
        .map(|code| format!("`{}`: {}", code.word(), code.when()))
        .collect();
    let examples: Map<String, Value> = codes
        .iter()
        .map(|code| (code.word().to_owned(), json!({"value": example(*code)})))
        .collect();
    let content = json!({"application/json": {"schema": schema, "examples": examples}});
    response(&about.join(" "), &content)
}

fn example(code: Code) -> Value {
    let mut body = json!({"detail": code.when(), "code": code.word(), "request_id": REQUEST_ID});
    if code == Code::RunUnfinished {
        body["run_id"] = "01936e5c-8b10-7c52-8f3e-6a1d4e9b7c20".into();
    }
    body
}

fn response(description: &str, content: &Value) -> Value {
    json!({
        "description": description,
        "headers": {"x-request-id": {"$ref": "#/components/headers/x-request-id"}},
        "content": content,
    })
}

fn redirect() -> Value {
    json!({
        "description": "The link of the file.",
        "headers": {
            "x-request-id": {"$ref": "#/components/headers/x-request-id"},
            "location": {"required": true, "schema": {"type": "string", "format": "uri"}},
        },
    })
}

fn content(schema: &Value, body: &BodySchema) -> Value {
    let example: Value = serde_json::from_str(&body.example).unwrap_or_default();
    json!({body.media_type: {"schema": schema, "example": example}})
}
