//! The page from outside: headers, policy, files, sizes.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the answer")]

use std::collections::{BTreeSet, HashMap};

use console::{ASSETS, Asset, Console, ConsoleSettings};
use lambda_http::{Body, Request, RequestExt as _, Response};
use lambda_kit::EdgeSettings;

/// The most bytes of the console's own modules and styles.
const MAX_BYTES: usize = 90 * 1024;

const LOCAL: &[(&str, &str)] = &[
    ("OWNER", "local"),
    ("WS_CALLBACK_URL", "http://127.0.0.1:4566/a/v1"),
    ("FILES_ORIGIN", "http://127.0.0.1:4566"),
];
const DEPLOYED: &[(&str, &str)] = &[
    ("WS_CALLBACK_URL", "https://a.execute-api.example/v1"),
    ("FILES_ORIGIN", "https://bucket.example"),
    ("JWT_ISSUER", "https://issuer.example/realm"),
    ("JWT_AUDIENCE", "the-audience"),
    ("CONSOLE_CLIENT_ID", "a \"client\" & <more>"),
    ("CONSOLE_SIGN_IN_ORIGIN", "https://tokens.example"),
];

fn console(variables: &[(&str, &str)]) -> Console {
    let get = |asked: &str| {
        let found = variables.iter().find(|(name, _)| *name == asked);
        found.map(|(_, value)| (*value).to_owned())
    };
    let edge = EdgeSettings::read(get).unwrap();
    Console::new(&edge, &ConsoleSettings::read(get).unwrap()).unwrap()
}

fn page(console: &Console) -> Response<String> {
    console.answer(&Request::new(Body::Empty))
}

fn file(console: &Console, version: &str, name: &str) -> Response<String> {
    let given = [("version", version), ("file", name)];
    let given = given.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let path: HashMap<String, String> = given.into();
    console.answer(&Request::new(Body::Empty).with_path_parameters(path))
}

fn header<'a>(response: &'a Response<String>, name: &str) -> &'a str {
    response.headers()[name].to_str().unwrap()
}

fn all() -> impl Iterator<Item = &'static Asset> {
    ASSETS.into_iter().flatten()
}

#[test]
fn the_page_is_asked_for_again_and_its_files_are_kept_for_ever() {
    let console = console(LOCAL);
    let response = page(&console);
    assert_eq!(response.status(), 200);
    assert_eq!(
        header(&response, "content-type"),
        "text/html; charset=utf-8"
    );
    assert_eq!(header(&response, "cache-control"), "no-cache");
    for asset in all() {
        let response = file(&console, console.version(), asset.name);
        assert_eq!(response.status(), 200, "{}", asset.name);
        assert_eq!(response.body(), asset.content);
        let kept = "public, max-age=31536000, immutable";
        assert_eq!(header(&response, "cache-control"), kept);
        assert_eq!(header(&response, "x-content-type-options"), "nosniff");
    }
}

#[test]
fn every_file_that_a_file_names_exists() {
    let names: BTreeSet<&str> = all().map(|asset| asset.name).collect();
    assert_eq!(names.len(), all().count(), "each name is unique");
    let mut imported = 0;
    for asset in all() {
        for (_, rest) in asset
            .content
            .match_indices("from \"./")
            .map(|(at, found)| asset.content.split_at(at + found.len()))
        {
            let name = rest.split('"').next().unwrap();
            assert!(names.contains(name), "{} imports {name}", asset.name);
            imported += 1;
        }
    }
    assert!(imported > 20, "{imported}");
    let console = console(LOCAL);
    let response = page(&console);
    let folder = format!("\"/console/{}/", console.version());
    let files: Vec<&str> = response.body().split(&folder).skip(1).collect();
    assert_eq!(files.len(), 3);
    for file in files {
        let name = file.split('"').next().unwrap();
        assert!(names.contains(name), "{name}");
    }
}

#[test]
fn a_file_of_another_version_and_an_unknown_one_are_a_404_that_nobody_keeps() {
    let console = console(LOCAL);
    for (version, name) in [
        ("0000000000000000", "app.js"),
        (console.version(), "../Cargo.toml"),
        (console.version(), "index.html"),
    ] {
        let response = file(&console, version, name);
        assert_eq!(response.status(), 404);
        assert_eq!(header(&response, "cache-control"), "no-store");
        assert!(response.body().contains(r#""code":"file_not_found""#));
    }
}

#[test]
fn the_policy_allows_nothing_inline_and_no_other_origin() {
    let local = page(&console(LOCAL));
    assert_eq!(
        header(&local, "content-security-policy"),
        "default-src 'none'; script-src 'self'; style-src 'self'; \
         img-src 'self' http://127.0.0.1:4566; \
         connect-src 'self' ws://127.0.0.1:4566 http://127.0.0.1:4566; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'"
    );
    let deployed = page(&console(DEPLOYED));
    let policy = header(&deployed, "content-security-policy");
    assert!(
        policy.contains(
            "connect-src 'self' wss://a.execute-api.example https://bucket.example \
             https://issuer.example https://tokens.example;"
        ),
        "{policy}"
    );
    for inline in ["<style", " style=", " onclick=", "javascript:"] {
        assert!(!local.body().contains(inline), "{inline}");
    }
    for script in local.body().split("<script").skip(1) {
        assert!(script.contains("></script>"), "no inline script: {script}");
    }
}

#[test]
fn the_page_knows_how_its_callers_become_known() {
    let told = |variables| page(&console(variables)).into_body();
    assert!(told(LOCAL).contains("&quot;sign_in&quot;:&quot;none&quot;"));
    assert!(told(&DEPLOYED[..4]).contains("&quot;sign_in&quot;:&quot;token&quot;"));
    let page = told(DEPLOYED);
    assert!(page.contains("&quot;sign_in&quot;:&quot;issuer&quot;"));
    assert!(page.contains("&quot;ws_url&quot;:&quot;wss://a.execute-api.example/v1&quot;"));
    let escaped = r"&quot;a \&quot;client\&quot; &amp; &lt;more>&quot;";
    assert!(page.contains(escaped), "{page}");
}

#[test]
fn a_missing_or_bad_address_stops_the_cold_start() {
    for (without, name) in [(1, "WS_CALLBACK_URL"), (2, "FILES_ORIGIN")] {
        for value in ["", "https://a.example;script-src *"] {
            let mut variables = LOCAL.to_vec();
            variables[without].1 = value;
            let get = |asked: &str| {
                let found = variables.iter().find(|(name, _)| *name == asked);
                found
                    .map(|(_, value)| (*value).to_owned())
                    .filter(|text| !text.is_empty())
            };
            let edge = EdgeSettings::read(get).unwrap();
            let own = ConsoleSettings::read(get).unwrap();
            let error = Console::new(&edge, &own).unwrap_err().to_string();
            assert!(error.starts_with(name), "{error}");
        }
    }
}

#[test]
fn the_console_stays_small() {
    let is_code = |asset: &&Asset| asset.name.ends_with(".js") || asset.name.ends_with(".css");
    let own = ASSETS[0].iter().filter(is_code);
    let bytes: usize = own.map(|asset| asset.content.len()).sum();
    assert!(bytes <= MAX_BYTES, "{bytes} bytes");
}
