//! AsyncAPI 3.0, whose schemas use JSON Schema draft 7: the frames of a client, the events of a
//! record, and the replies that are not part of it.

use lambda_kit::Code;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};
use session::Envelope;
use ws_message::forms::{FORMS, FirstFrame, FrameSpec, ReplyFrame, TypedFrame};

use crate::schemas::{Schemas, variants, with_lone_references};

/// The only channel.
const CHANNEL: &str = "#/channels/socket";

/// The name of the message that API Gateway itself sends.
const GATEWAY: &str = "gateway.error";

/// The document.
pub fn asyncapi() -> Value {
    let mut schemas = Schemas::new(SchemaSettings::draft07());
    let frames = frames(&mut schemas);
    let events = events(&mut schemas);
    let replies = replies(&mut schemas);
    let names: Vec<String> = events.iter().map(|(name, _)| name.clone()).collect();
    let gateway = (GATEWAY.to_owned(), gateway());
    let ours = frames.into_iter().chain(events).chain(replies);
    let all: Map<String, Value> = ours.chain([gateway]).collect();
    let referred: Map<String, Value> = all
        .keys()
        .map(|name| {
            let message = json!({"$ref": format!("#/components/messages/{name}")});
            (name.clone(), message)
        })
        .collect();
    let mut components: Value = schemas.components().into();
    with_lone_references(&mut components);
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Intermission",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Frames are JSON text; a client's are of at most 32 KiB. Nothing is sent before the client's first frame. Every event of \
                a session has a `seq`: 1, 2, 3, … without a gap. Delivery is at least once: a client applies the event whose `seq` is the last \
                one plus 1, drops what is lower, and on a higher one sends `subscribe` with `after` = the last. Replies have `seq: null`; API Gateway's own frames have none, and a client passes them over.",
            "license": {"name": "MIT OR Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "deployed": {
                "host": "{api}.execute-api.{region}.amazonaws.com", "pathname": "/{stage}", "protocol": "wss",
                "description": "A deployed stack; its outputs name the URL.",
                "variables": {"api": {"default": "api"}, "region": {"default": "eu-central-1"}, "stage": {"default": "v1"}},
                "security": [
                    {"$ref": "#/components/securitySchemes/header"}, {"$ref": "#/components/securitySchemes/query"},
                ],
            },
        },
        "channels": {"socket": {
            "address": "/",
            "description": "A connection. It is refused without a `task_id`, and ends with its token.",
            "messages": referred,
            "bindings": {"ws": {"method": "GET", "query": query(), "bindingVersion": "0.1.0"}},
        }},
        "operations": operations(&names),
        "components": {
            "securitySchemes": {
                "header": {
                    "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                    "description": "Of the issuer and audience that the stack was deployed with.",
                },
                "query": {
                    "type": "httpApiKey", "name": "token", "in": "query",
                    "description": "The same token, for browsers, which cannot send a header.",
                },
            },
            "messages": all,
            "schemas": components,
        },
    })
}

fn query() -> Value {
    json!({
        "type": "object",
        "properties": {
            "task_id": {
                "type": "string", "minLength": 1, "maxLength": 128,
                "description": "The client's own name for a task. The same task under the same name is done once.",
            },
            "token": {"type": "string", "description": "Instead of the `Authorization` header."},
        },
        "required": ["task_id"],
    })
}

/// The frames that a client sends.
fn frames(schemas: &mut Schemas) -> Vec<(String, Value)> {
    let first = schemas.heard_whole::<FirstFrame>();
    let typed = schemas.heard_whole::<TypedFrame>();
    let forms = variants(&typed, "type")
        .into_iter()
        .chain([("task".to_owned(), first)]);
    forms
        .map(|(name, form)| {
            let mut message = message(&name, form);
            if let Some(known) = FORMS.iter().find(|known| known.name == name) {
                message["examples"] = json!([{"payload": parsed(known.example)}]);
            }
            (of_frame(&name), message)
        })
        .collect()
}

/// The events of the record.
fn events(schemas: &mut Schemas) -> Vec<(String, Value)> {
    let whole = schemas.said_whole::<Envelope>();
    let with_seq = |(name, mut event): (String, Value)| {
        event["properties"]["seq"] =
            json!({"type": "integer", "minimum": 1, "description": "Its place in the record."});
        let message = message(&name, event);
        (name, message)
    };
    variants(&whole, "event_type")
        .into_iter()
        .map(with_seq)
        .collect()
}

/// Replies to a single connection.
fn replies(schemas: &mut Schemas) -> Vec<(String, Value)> {
    let whole = schemas.said_whole::<ReplyFrame>();
    let named = |(name, reply): (String, Value)| {
        let message = message(&name, reply);
        (of_reply(&name), message)
    };
    variants(&whole, "event_type")
        .into_iter()
        .map(named)
        .collect()
}

/// The only frame that no function of ours sends.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-route-response.html>
fn gateway() -> Value {
    let text = json!({"type": "string"});
    let payload = json!({
        "type": "object",
        "properties": {"message": text, "connectionId": text, "requestId": text},
        "required": ["message"],
    });
    let about = "API Gateway's own answer to a frame that no function has handled. It has no `seq`; a client goes on, and may send its frame again.";
    let example = json!({"message": "Internal server error", "connectionId": "L0SM9cOFvHcCIhw=", "requestId": "L0SN1cOFvHcCIhw="});
    json!({"name": GATEWAY, "summary": about, "payload": payload, "examples": [{"payload": example}]})
}

/// Some kinds, such as `status`, are both events of the record and replies.
fn of_reply(name: &str) -> String {
    format!("reply.{name}")
}

fn of_frame(name: &str) -> String {
    format!("frame.{name}")
}

fn message(name: &str, mut payload: Value) -> Value {
    with_lone_references(&mut payload);
    let about = payload["description"].take();
    if let Some(fields) = payload.as_object_mut() {
        fields.remove("description");
        fields.remove("title");
    }
    json!({"name": name, "summary": about, "payload": payload})
}

/// One operation for each frame with its replies, and one for the record.
fn operations(events: &[String]) -> Value {
    let named = |name: &str| json!({"$ref": format!("{CHANNEL}/messages/{name}")});
    let channel = json!({"$ref": CHANNEL});
    let mut operations = Map::new();
    for FrameSpec { name, replies, .. } in FORMS {
        let replies = replies.iter().chain(&["error"]);
        let replies: Vec<Value> = replies.map(|reply| named(&of_reply(reply))).collect();
        let operation = json!({
            "action": "receive",
            "channel": channel,
            "messages": [named(&of_frame(name))],
            "reply": {"channel": channel, "messages": replies},
        });
        operations.insert((*name).to_owned(), operation);
    }
    operations.insert(
        "gateway".into(),
        json!({
            "action": "send",
            "channel": channel,
            "summary": "What API Gateway says of a frame by itself.",
            "messages": [named(GATEWAY)],
        }),
    );
    let record: Vec<Value> = events.iter().map(|name| named(name)).collect();
    operations.insert(
        "record".into(),
        json!({
            "action": "send",
            "channel": channel,
            "summary": "The events of the session that the connection follows.",
            "messages": record,
        }),
    );
    operations.into()
}

fn parsed(example: &str) -> Value {
    serde_json::from_str(example).unwrap_or_default()
}

/// The codes that are used only for connections and frames. Every other code belongs to routes.
pub const OVER_SOCKET_ALONE: [Code; 5] = [
    Code::BadTaskId,
    Code::TaskIdReused,
    Code::NoSessionFollowed,
    Code::UnknownFrame,
    Code::TooManyReplays,
];
