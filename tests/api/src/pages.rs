//! Reference pages for people: `infra/API.md` and `infra/CONFIGURATION.md`.
//!
//! A template in `tests/api/pages/` holds the prose. Each `<!-- name -->` in it is replaced by a
//! table. The tables are generated from the OpenAPI and AsyncAPI documents and from the code's own
//! lists, so that a page always matches the code.

use std::fmt::Write as _;

use lambda_kit::Code;
use lambda_kit::metrics::METRICS;
use serde_json::{Map, Value};

/// The page of routes, frames, events and errors.
pub fn api_page(openapi: &Value, asyncapi: &Value) -> String {
    filled(
        include_str!("../pages/API.md"),
        &[
            ("routes", routes(openapi)),
            ("forms", forms(openapi)),
            ("frames", frames(asyncapi)),
            (
                "replies",
                messages(asyncapi, |name| name.strip_prefix("reply.")),
            ),
            (
                "events",
                messages(asyncapi, |name| {
                    Some(name).filter(|name| !name.contains('.'))
                }),
            ),
            ("errors", errors()),
        ],
    )
}

/// The page of config keys, environment variables and metrics.
pub fn configuration_page() -> String {
    filled(
        include_str!("../pages/CONFIGURATION.md"),
        &[
            ("config", config()),
            ("environment", environment()),
            ("metrics", metrics()),
        ],
    )
}

fn filled(template: &str, tables: &[(&str, String)]) -> String {
    let mut page = template.to_owned();
    for (name, table) in tables {
        page = page.replace(&format!("<!-- {name} -->\n"), table);
    }
    page
}

fn table(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let mut text = line(&head.iter().map(ToString::to_string).collect::<Vec<_>>());
    text.push_str(&line(&vec!["---".to_owned(); head.len()]));
    for row in rows {
        let row: Vec<String> = row.iter().map(|cell| cell.replace('\n', " ")).collect();
        text.push_str(&line(&row));
    }
    text
}

fn routes(document: &Value) -> String {
    let paths = entries(&document["paths"]);
    let operations = paths.flat_map(|(path, methods)| {
        entries(methods).map(move |(method, told)| (method.to_uppercase(), path, told))
    });
    let rows = operations.map(|(method, path, told)| {
        vec![
            format!("`{method} {path}`"),
            format!("`{}`", text(&told["operationId"])),
            request(document, told),
            success(document, told),
            text(&told["description"]).to_owned(),
        ]
    });
    table(
        &["Route", "Function", "Request", "Success", "What it does"],
        rows,
    )
}

/// The query, the body and the header of a request.
fn request(document: &Value, told: &Value) -> String {
    let mut parts = Vec::new();
    let parameters = told["parameters"].as_array().into_iter().flatten();
    for parameter in parameters {
        let parameter = resolved(document, parameter);
        match text(&parameter["in"]) {
            "query" => parts.push(format!(
                "`?{}`{}",
                text(&parameter["name"]),
                range(&parameter["schema"])
            )),
            "header" => parts.push(format!("`{}`", text(&parameter["name"]))),
            _ => {}
        }
    }
    let body = &told["requestBody"]["content"]["application/json"]["schema"];
    if !body.is_null() {
        parts.insert(0, format!("`{}`", fields(resolved(document, body))));
    }
    parts.join(", ")
}

fn range(schema: &Value) -> String {
    let number = |key: &str| schema[key].as_u64().map(|number| number.to_string());
    match (number("minimum"), number("maximum"), number("default")) {
        (Some(min), Some(max), Some(default)) => format!(" ({default}; {min} to {max})"),
        (Some(min), _, _) => format!(" (from {min})"),
        _ => String::new(),
    }
}

fn success(document: &Value, told: &Value) -> String {
    let responses = entries(&told["responses"]);
    let done = responses
        .filter(|(status, _)| status.starts_with(['2', '3']))
        .map(|(status, response)| {
            let Some((media_type, _)) = entries(&response["content"]).next() else {
                return format!("{status} to a link");
            };
            if media_type != "application/json" {
                return format!("{status} `{media_type}`");
            }
            let schema = &response["content"]["application/json"]["schema"];
            let shape = match schema["$ref"]
                .as_str()
                .and_then(|path| path.rsplit('/').next())
            {
                Some(name) => format!("[{name}](#{})", name.to_lowercase()),
                None => format!("`{}`", fields(resolved(document, schema))),
            };
            format!("{status} {shape}")
        });
    done.collect::<Vec<_>>().join(", ")
}

/// Every object of a reply, with the documentation of its fields.
fn forms(document: &Value) -> String {
    let mut told = String::new();
    for (name, schema) in entries(&document["components"]["schemas"]) {
        let Some(properties) = schema["properties"].as_object() else {
            continue;
        };
        let _ = write!(told, "### {name}\n\n");
        if let Some(about) = schema["description"].as_str() {
            let _ = write!(told, "{about}\n\n");
        }
        let rows = properties.iter().map(|(field, of)| {
            vec![
                format!("`{field}`"),
                kind(of),
                text(&of["description"]).to_owned(),
            ]
        });
        told.push_str(&table(&["Field", "Type", "Meaning"], rows));
        told.push('\n');
    }
    told
}

fn frames(document: &Value) -> String {
    let messages = entries(&document["components"]["messages"]);
    let rows = messages.filter_map(|(name, message)| {
        let frame = name.strip_prefix("frame.")?;
        let replies = document["operations"][frame]["reply"]["messages"].as_array();
        let replies = replies.into_iter().flatten().filter_map(|reply| {
            let name = reply["$ref"].as_str()?.rsplit('/').next()?;
            Some(format!("`{}`", name.trim_start_matches("reply.")))
        });
        Some(vec![
            format!("`{frame}`"),
            format!("`{}`", fields(resolved(document, &message["payload"]))),
            replies.collect::<Vec<_>>().join(", "),
            text(&message["summary"]).to_owned(),
        ])
    });
    table(&["Frame", "Fields", "Replies", "Meaning"], rows)
}

fn messages(document: &Value, named: impl Fn(&str) -> Option<&str>) -> String {
    let messages = entries(&document["components"]["messages"]);
    let rows = messages.filter_map(|(name, message)| {
        let data = resolved(document, &message["payload"]["properties"]["data"]);
        Some(vec![
            format!("`{}`", named(name)?),
            format!("`{}`", fields(data)),
            text(&message["summary"]).to_owned(),
        ])
    });
    table(&["Event", "Data", "Meaning"], rows)
}

fn errors() -> String {
    let rows = Code::ALL.iter().map(|code| {
        vec![
            format!("`{}`", code.word()),
            code.status().to_string(),
            code.when().to_owned(),
        ]
    });
    table(&["Code", "HTTP", "When"], rows)
}

fn config() -> String {
    let rows = workflow::config_keys().into_iter().map(|key| {
        vec![
            format!("`{}`", key.name),
            key.default.unwrap_or_default(),
            key.range,
            key.meaning,
        ]
    });
    table(&["Key", "Default", "Range", "Meaning"], rows)
}

fn environment() -> String {
    let rows = crate::variables().map(|variable| {
        let default = variable
            .default
            .map_or("–".into(), |text| format!("`{text}`"));
        vec![
            format!("`{}`", variable.name),
            default,
            variable.doc.to_owned(),
        ]
    });
    table(&["Variable", "Default", "Meaning"], rows)
}

fn metrics() -> String {
    let rows = METRICS.iter().map(|metric| {
        let dimensions: Vec<String> = metric
            .dimensions
            .iter()
            .map(|name| format!("`{name}`"))
            .collect();
        vec![
            format!("`{}`", metric.name),
            dimensions.join(", "),
            format!("{:?}", metric.unit),
            metric.doc.to_owned(),
        ]
    });
    table(&["Metric", "Dimensions", "Unit", "Meaning"], rows)
}

/// The fields of an object as `{a, b?}`. A question mark marks an optional field.
fn fields(schema: &Value) -> String {
    let required = schema["required"].as_array();
    let required: Vec<&str> = required
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let names = entries(&schema["properties"]).map(|(name, _)| {
        let mark = if required.contains(&name) { "" } else { "?" };
        format!("{name}{mark}")
    });
    format!("{{{}}}", names.collect::<Vec<_>>().join(", "))
}

/// A type in a few words: its name, its JSON type with bounds, or its values.
fn kind(schema: &Value) -> String {
    if let Some(path) = schema["$ref"].as_str() {
        return path.rsplit('/').next().unwrap_or_default().to_owned();
    }
    if let Some(values) = schema["enum"].as_array() {
        let values: Vec<String> = values
            .iter()
            .map(|value| format!("`{}`", text(value)))
            .collect();
        return values.join(", ");
    }
    for combined in ["anyOf", "allOf", "oneOf"] {
        if let Some(variants) = schema[combined].as_array() {
            let variants: Vec<String> = variants.iter().map(kind).collect();
            return variants.join(" or ");
        }
    }
    let name = match &schema["type"] {
        Value::Array(names) => names.iter().map(text).collect::<Vec<_>>().join(" or "),
        name => text(name).to_owned(),
    };
    let bound = |key: &str| schema[key].as_number().map(ToString::to_string);
    match (bound("minimum"), bound("maximum"), bound("maxLength")) {
        (Some(min), Some(max), _) => format!("{name}, {min} to {max}"),
        (Some(min), None, _) => format!("{name}, from {min}"),
        (None, _, Some(length)) => format!("{name}, at most {length} characters"),
        _ if schema["items"].is_object() => format!("{name} of {}", kind(&schema["items"])),
        _ => name,
    }
}

fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let pointer = schema["$ref"]
        .as_str()
        .and_then(|path| path.strip_prefix('#'));
    pointer
        .and_then(|pointer| document.pointer(pointer))
        .unwrap_or(schema)
}

fn entries(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let fields: Option<&Map<String, Value>> = value.as_object();
    let mut fields: Vec<_> = fields.into_iter().flatten().collect();
    fields.sort_by_key(|(name, _)| *name);
    fields
        .into_iter()
        .map(|(name, value)| (name.as_str(), value))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
