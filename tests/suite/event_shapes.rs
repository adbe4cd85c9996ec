//! The sample events have the form in which AWS sends them: the types that the functions use read
//! them, no field is one of ours, and none that AWS always sends is missing. The fields are those
//! of the services' documentation and of recorded events: HTTP API payload 2.0
//! (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>),
//! WebSocket (<https://github.com/localstack/localstack/issues/7191>,
//! <https://github.com/mousabaker/aws-lambda-typing/pull/65>), SQS
//! (<https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>), schedules
//! (<https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-run-lambda-schedule.html>).

use aws_lambda_events::apigw::{
    ApiGatewayCustomAuthorizerRequestTypeRequest as AuthorizerEvent, ApiGatewayV2httpRequest,
    ApiGatewayWebsocketProxyRequest as SocketEvent,
};
use aws_lambda_events::sqs::SqsEvent;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tests::stack::root;

const HTTP: &[&str] = &[
    "/version",
    "/routeKey",
    "/rawPath",
    "/rawQueryString",
    "/headers/host",
    "/headers/x-forwarded-for",
    "/requestContext/accountId",
    "/requestContext/apiId",
    "/requestContext/domainName",
    "/requestContext/domainPrefix",
    "/requestContext/http/method",
    "/requestContext/http/path",
    "/requestContext/http/protocol",
    "/requestContext/http/sourceIp",
    "/requestContext/http/userAgent",
    "/requestContext/requestId",
    "/requestContext/routeKey",
    "/requestContext/stage",
    "/requestContext/time",
    "/requestContext/timeEpoch",
    "/isBase64Encoded",
];
/// Of a route that needs a token.
const VERIFIED: &[&str] = &[
    "/requestContext/authorizer/jwt/claims/iss",
    "/requestContext/authorizer/jwt/claims/sub",
    "/requestContext/authorizer/jwt/scopes",
];
const SOCKET: &[&str] = &[
    "/requestContext/routeKey",
    "/requestContext/eventType",
    "/requestContext/extendedRequestId",
    "/requestContext/requestTime",
    "/requestContext/messageDirection",
    "/requestContext/stage",
    "/requestContext/connectedAt",
    "/requestContext/requestTimeEpoch",
    "/requestContext/identity/sourceIp",
    "/requestContext/requestId",
    "/requestContext/domainName",
    "/requestContext/connectionId",
    "/requestContext/apiId",
];
const AUTHORIZER: &[&str] = &[
    "/type",
    "/methodArn",
    "/headers/Connection",
    "/headers/Upgrade",
    "/headers/Host",
    "/multiValueHeaders/Upgrade/0",
];
const QUEUE: &[&str] = &[
    "/Records/0/messageId",
    "/Records/0/receiptHandle",
    "/Records/0/body",
    "/Records/0/attributes/ApproximateReceiveCount",
    "/Records/0/attributes/SentTimestamp",
    "/Records/0/attributes/SenderId",
    "/Records/0/attributes/ApproximateFirstReceiveTimestamp",
    // Of a queue with message groups, and of a traced sender.
    "/Records/0/attributes/MessageGroupId",
    "/Records/0/attributes/AWSTraceHeader",
    "/Records/0/messageAttributes",
    "/Records/0/md5OfBody",
    "/Records/0/eventSource",
    "/Records/0/eventSourceARN",
    "/Records/0/awsRegion",
];
const SCHEDULE: &[&str] = &[
    "/version",
    "/id",
    "/detail-type",
    "/source",
    "/account",
    "/time",
    "/region",
    "/resources/0",
    "/detail",
];

fn events() -> impl Iterator<Item = (String, Value)> {
    std::fs::read_dir(root().join("events"))
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let text = std::fs::read_to_string(path).unwrap();
            (name, serde_json::from_str(&text).unwrap())
        })
}

/// The fields that are missing, and those that the type does not know.
fn faults<T: DeserializeOwned + Serialize>(
    name: &str,
    event: &Value,
    always: &[&str],
) -> Vec<String> {
    let mut faults = missing(name, event, always);
    match serde_json::from_value::<T>(event.clone()) {
        Ok(read) => faults.extend(unknown(name, event, &serde_json::to_value(read).unwrap())),
        Err(error) => faults.push(format!("{name} is not read: {error}")),
    }
    faults
}

fn missing(name: &str, event: &Value, always: &[&str]) -> Vec<String> {
    let absent = always.iter().filter(|field| event.pointer(field).is_none());
    absent
        .map(|field| format!("{name} has no {field}"))
        .collect()
}

/// The fields of the event that are lost where the type reads and writes it.
fn unknown(place: &str, event: &Value, known: &Value) -> Vec<String> {
    let fields = event.as_object().into_iter().flatten();
    // A type may leave out what is empty.
    let fields = fields.filter(|(_, value)| !value.is_null() && **value != json!({}));
    fields
        .flat_map(|(name, value)| {
            let place = format!("{place}/{name}");
            // The type of headers writes their names in lower case.
            match known.get(name).or(known.get(name.to_lowercase())) {
                Some(found) => unknown(&place, value, found),
                None => vec![format!("{place} is no field")],
            }
        })
        .collect()
}

/// The authorizer's type is that of REST APIs, which has no fields of a connection.
fn faults_of_the_authorizers(name: &str, event: &Value) -> Vec<String> {
    let mut faults = missing(name, event, AUTHORIZER);
    if let Err(error) = serde_json::from_value::<AuthorizerEvent>(event.clone()) {
        faults.push(format!("{name} is not read: {error}"));
    }
    let mut event = event.clone();
    for own in ["type", "methodArn"] {
        event.as_object_mut().unwrap().remove(own);
    }
    faults.extend(self::faults::<SocketEvent>(name, &event, SOCKET));
    faults
}

#[test]
fn every_sample_event_is_one_that_aws_could_send() {
    let mut all = Vec::new();
    for (name, event) in events() {
        all.extend(match name.as_str() {
            "ws-authorizer" => faults_of_the_authorizers(&name, &event),
            "ws-connect" | "ws-disconnect" | "ws-message" => {
                let verified = ["/requestContext/authorizer/principalId"];
                faults::<SocketEvent>(&name, &event, &[SOCKET, &verified].concat())
            }
            "executor" | "document-executor" | "dead-letters" => {
                faults::<SqsEvent>(&name, &event, QUEUE)
            }
            "sweeper" => missing(&name, &event, SCHEDULE),
            _ => {
                lambda_http::request::from_str(&event.to_string()).unwrap();
                let verified = if name == "console" { &[][..] } else { VERIFIED };
                faults::<ApiGatewayV2httpRequest>(&name, &event, &[HTTP, verified].concat())
            }
        });
    }
    assert_eq!(all, Vec::<String>::new());
}

#[test]
fn a_field_of_ours_and_a_missing_one_are_found() {
    let (_, mut event) = events().find(|(name, _)| name == "ws-connect").unwrap();
    event["requestContext"]["connectionID"] = event["requestContext"]["connectionId"].take();
    event["requestContext"]
        .as_object_mut()
        .unwrap()
        .remove("connectionId");
    assert_eq!(
        faults::<SocketEvent>("it", &event, SOCKET),
        [
            "it has no /requestContext/connectionId",
            "it/requestContext/connectionID is no field"
        ]
    );
}

#[test]
fn the_parts_of_a_sample_event_agree() {
    for (name, event) in events() {
        let text = |field: &str| event.pointer(field).and_then(Value::as_str).unwrap_or("");
        let context = |field: &str| text(&format!("/requestContext/{field}"));
        if event["version"] == "2.0" {
            assert_eq!(text("/routeKey"), context("routeKey"), "{name}");
            assert_eq!(text("/rawPath"), context("http/path"), "{name}");
            let path = text("/routeKey").split_once(' ').unwrap().1.to_owned();
            let filled = event["pathParameters"].as_object();
            let path = filled
                .into_iter()
                .flatten()
                .fold(path, |path, (name, value)| {
                    path.replace(&format!("{{{name}}}"), value.as_str().unwrap())
                });
            assert_eq!(path, text("/rawPath"), "{name}");
            let claims = &event["requestContext"]["authorizer"]["jwt"]["claims"];
            // A public route has none.
            let mut claims = claims.as_object().into_iter().flatten();
            assert!(claims.all(|(_, claim)| claim.is_string()), "{name}");
            let mut headers = event["headers"].as_object().unwrap().keys();
            assert!(headers.all(|header| *header == header.to_lowercase()));
        } else if name.starts_with("ws-") {
            let route = match context("eventType") {
                "CONNECT" => "$connect",
                "DISCONNECT" => "$disconnect",
                "MESSAGE" => "$default",
                other => panic!("{name}: {other}"),
            };
            assert_eq!(context("routeKey"), route, "{name}");
            let single: Vec<_> = event["headers"].as_object().into_iter().flatten().collect();
            let all = event["multiValueHeaders"].as_object();
            assert_eq!(single.len(), all.map_or(0, serde_json::Map::len), "{name}");
            for (header, value) in single {
                assert_eq!(all.unwrap()[header][0], *value, "{name}: {header}");
            }
        }
    }
}
