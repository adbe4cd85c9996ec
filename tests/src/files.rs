//! Files of a session, uploaded as by a client and downloaded through the links of its list.

use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use serde_json::{Value, json};

use crate::issuer::owner_token;
use crate::rest::{get, post};
use crate::stack::stack;

/// Requests a link, uploads the file with the required headers, and returns the link.
pub async fn upload(
    session: &str,
    name: &str,
    content_type: &str,
    content: impl Into<Vec<u8>>,
) -> Value {
    let bytes = content.into();
    let asked = json!({"name": name, "content_type": content_type, "size": bytes.len()});
    let path = format!("/api/sessions/{session}/uploads");
    let link = post(&path, &asked).await.ok();
    assert_eq!(
        (&link["artifact"], &link["method"]),
        (&json!(name), &json!("PUT"))
    );
    let reply = send(&link, bytes).await;
    assert_eq!(reply.status(), 200, "{}", reply.text().await.unwrap());
    link
}

/// Uploads a file by a link, with the required headers.
pub async fn send(link: &Value, content: impl Into<Vec<u8>>) -> Response {
    let mut put = reqwest::Client::new().put(link["url"].as_str().unwrap());
    for (header, value) in link["headers"].as_object().unwrap() {
        put = put.header(header, value.as_str().unwrap());
    }
    put.body(content.into()).send().await.unwrap()
}

/// The session's complete list of files.
pub async fn artifacts(session: &str) -> Vec<Value> {
    let path = format!("/api/sessions/{session}/artifacts?limit=1000");
    let mut page = get(&path).await.ok();
    assert_eq!(page["session_id"], session);
    assert_eq!(page["next_cursor"], Value::Null, "more than a page");
    match page["artifacts"].take() {
        Value::Array(artifacts) => artifacts,
        other => panic!("no list: {other}"),
    }
}

/// The names in the list.
pub async fn names(session: &str) -> Vec<String> {
    let artifacts = artifacts(session).await.into_iter();
    artifacts
        .map(|artifact| artifact["name"].as_str().unwrap().to_owned())
        .collect()
}

/// The content of a file, through its link in the list.
pub async fn download(session: &str, name: &str) -> Vec<u8> {
    let artifacts = artifacts(session).await;
    let listed = artifacts.iter().find(|artifact| artifact["name"] == name);
    let listed = listed.unwrap_or_else(|| panic!("no {name} in {artifacts:?}"));
    let reply = reqwest::get(listed["url"].as_str().unwrap()).await.unwrap();
    assert!(reply.status().is_success(), "{reply:?}");
    let bytes = reply.bytes().await.unwrap().to_vec();
    assert_eq!(listed["size"], bytes.len(), "{name}");
    bytes
}

/// The content of a text file.
pub async fn text(session: &str, name: &str) -> String {
    String::from_utf8(download(session, name).await).unwrap()
}

/// The value of a query in a URL.
pub fn escaped(value: &str) -> String {
    let mut url = reqwest::Url::parse("http://localhost").unwrap();
    url.query_pairs_mut().append_pair("", value);
    url.query().unwrap()[1..].to_owned()
}

/// The answer to the download of a file by its path, without following a redirect.
pub async fn ask_for_download(path: &str) -> Response {
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    let url = stack().get("HTTP_URL");
    let mut request = client.get(format!("{url}/api/files/download?path={}", escaped(path)));
    if let Some(token) = owner_token() {
        request = request.bearer_auth(token);
    }
    request.send().await.unwrap()
}

/// The content of a file by its path, through the link that its download redirects to.
pub async fn download_by_path(path: &str) -> Vec<u8> {
    let reply = ask_for_download(path).await;
    assert_eq!(reply.status(), 302, "{reply:?}");
    let link = reply.headers()["location"].to_str().unwrap();
    let file = reqwest::get(link).await.unwrap();
    assert!(file.status().is_success(), "{file:?}");
    file.bytes().await.unwrap().to_vec()
}
