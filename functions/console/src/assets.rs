//! The files of the page, built into the binary: the console's own and the TypeScript client's.

use sha2::{Digest as _, Sha256};

use crate::PAGE;

/// The media type of the page.
pub(crate) const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const JSON: &str = "application/json";
const ICON: &str = "image/svg+xml";

/// Bytes of the digest that are in an address.
const VERSION_BYTES: usize = 8;

/// A file of the page.
#[derive(Debug, Clone, Copy)]
pub struct Asset {
    /// The last part of its address.
    pub name: &'static str,
    /// Its media type.
    pub media_type: &'static str,
    /// Its text.
    pub content: &'static str,
}

macro_rules! assets {
    ($folder:literal: $($media_type:ident $name:literal,)*) => {
        [$(Asset {
            name: $name,
            media_type: $media_type,
            content: include_str!(concat!($folder, $name)),
        },)*]
    };
}

/// The console's own files.
const OWN: [Asset; 15] = assets!["../assets/":
    SCRIPT "api.js",
    SCRIPT "app.js",
    JSON "config.json",
    SCRIPT "dom.js",
    SCRIPT "format.js",
    ICON "icon.svg",
    SCRIPT "markdown.js",
    SCRIPT "parts.js",
    SCRIPT "question.js",
    SCRIPT "session.js",
    SCRIPT "sessions.js",
    SCRIPT "signin.js",
    SCRIPT "start.js",
    STYLE "style.css",
    SCRIPT "view.js",
];

/// The client's modules, which import each other by these names.
const CLIENT: [Asset; 7] = assets!["../../../shared/clients/typescript/src/":
    SCRIPT "client.js",
    SCRIPT "errors.js",
    SCRIPT "http.js",
    SCRIPT "index.js",
    SCRIPT "record.js",
    SCRIPT "socket.js",
    SCRIPT "waiting.js",
];

/// Every file but the page itself: the console's own, then the client's.
pub const ASSETS: [&[Asset]; 2] = [&OWN, &CLIENT];

/// The file of this name.
pub(crate) fn find(name: &str) -> Option<&'static Asset> {
    ASSETS
        .into_iter()
        .flatten()
        .find(|asset| asset.name == name)
}

/// The digest of all files.
pub(crate) fn version() -> String {
    let mut digest = Sha256::new();
    digest.update(PAGE);
    for asset in ASSETS.into_iter().flatten() {
        digest.update(asset.name);
        digest.update(asset.content);
    }
    let bytes = digest.finalize();
    let hex = bytes.iter().take(VERSION_BYTES);
    hex.map(|byte| format!("{byte:02x}")).collect()
}
