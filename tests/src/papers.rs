//! A stand-in for arXiv. It publishes the papers of the tests, answers like the archive's API and
//! its PDF pages, and records the time of each request. A paper's failures are set when it is
//! published.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{LazyLock, Mutex, OnceLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::{Request, Response};
use uuid::Uuid;

use crate::{pdf, server};

/// The port of the executor's arXiv: `make test` sets `ARXIV_API_URL` and `ARXIV_PDF_URL` to it.
pub const PORT: u16 = 8078;

static ARCHIVE: LazyLock<Mutex<Archive>> = LazyLock::new(Mutex::default);

#[derive(Default)]
struct Archive {
    papers: HashMap<String, Paper>,
    asked: Vec<Asked>,
}

/// A received request.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The time of the request.
    pub at: Instant,
    /// The ids in the request.
    pub ids: Vec<String>,
    /// Whether the request was for a PDF rather than for metadata.
    pub pdf: bool,
}

/// A paper, and the failures of requests for its PDF.
#[derive(Debug, Clone, Default)]
pub struct Paper {
    /// Its title.
    pub title: String,
    /// One text per page.
    pub pages: Vec<String>,
    /// Its latest version; 0 stands for 1.
    pub latest: u32,
    /// Whether the latest version withdraws it, so that only earlier ones have a PDF.
    pub withdrawn: bool,
    /// The failures in place of the PDF, one per request, until the list is used up.
    pub trouble: Vec<Trouble>,
}

/// A failure in place of a PDF.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// 503, with a `Retry-After` of this many seconds.
    Busy(u32),
    /// The same sentence with status 200.
    SoftlyBusy(u32),
    /// 500.
    Down,
    /// A web page with status 200.
    WebPage,
    /// 404.
    Gone,
    /// The PDF after a delay.
    Slow(Duration),
}

/// Starts the archive once per test binary.
pub fn archive() {
    static STARTED: OnceLock<()> = OnceLock::new();
    STARTED.get_or_init(|| server::start(PORT, answer));
}

/// Publishes a paper under a new id, which it returns.
pub fn publish(paper: Paper) -> String {
    let random = Uuid::new_v4().as_u128();
    let (year, month, number) = (
        15 + random % 10,
        1 + random / 10 % 12,
        1 + random / 120 % 99_999,
    );
    let id = format!("{year:02}{month:02}.{number:05}");
    let published = ARCHIVE.lock().unwrap().papers.insert(id.clone(), paper);
    assert!(published.is_none(), "{id} is taken: run the test again");
    id
}

/// The requests that named one of these ids, in order.
pub fn asked(ids: &[String]) -> Vec<Asked> {
    let asked = ARCHIVE.lock().unwrap().asked.clone().into_iter();
    asked
        .filter(|request| request.ids.iter().any(|id| ids.contains(id)))
        .collect()
}

/// The times of all requests of all tests.
pub fn times() -> Vec<Instant> {
    let archive = ARCHIVE.lock().unwrap();
    archive.asked.iter().map(|request| request.at).collect()
}

async fn answer(request: Request<Incoming>) -> Response<Full<Bytes>> {
    match request.uri().path().strip_prefix("/pdf/") {
        Some(id) => pdf_of(id).await,
        None => feed(request.uri().query().unwrap_or_default()),
    }
}

/// An id without and with its version, if it has one.
fn split(id: &str) -> (&str, Option<u32>) {
    match id.rsplit_once('v') {
        Some((id, version)) => (id, version.parse().ok()),
        None => (id, None),
    }
}

async fn pdf_of(asked: &str) -> Response<Full<Bytes>> {
    note(vec![asked.to_owned()], true);
    let (id, version) = split(asked);
    let (paper, trouble) = {
        let mut archive = ARCHIVE.lock().unwrap();
        let paper = archive.papers.get_mut(id);
        let trouble =
            paper.and_then(|paper| (!paper.trouble.is_empty()).then(|| paper.trouble.remove(0)));
        (archive.papers.get(id).cloned(), trouble)
    };
    let Some(paper) = paper else {
        return reply(404, "text/html", "no such paper");
    };
    match trouble {
        Some(Trouble::Busy(seconds) | Trouble::SoftlyBusy(seconds)) => {
            let is_soft = matches!(trouble, Some(Trouble::SoftlyBusy(_)));
            let status = if is_soft { 200 } else { 503 };
            let mut busy = reply(status, "text/plain", "Rate exceeded.");
            busy.headers_mut().insert("retry-after", seconds.into());
            return busy;
        }
        Some(Trouble::Down) => return reply(500, "text/plain", "oops"),
        Some(Trouble::WebPage) => return reply(200, "text/html", "<!DOCTYPE html><html></html>"),
        Some(Trouble::Gone) => return reply(404, "text/html", "gone"),
        Some(Trouble::Slow(time)) => tokio::time::sleep(time).await,
        None => {}
    }
    if paper.withdrawn && version.is_none_or(|version| version >= paper.latest) {
        return reply(
            404,
            "text/html",
            "<html>This paper has been withdrawn.</html>",
        );
    }
    reply(200, "application/pdf", pdf::of(&paper.pages))
}

/// The API's feed (<https://info.arxiv.org/help/api/user-manual.html>, section 3.3) for the ids of
/// a query.
fn feed(query: &str) -> Response<Full<Bytes>> {
    let id_list = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("id_list="));
    let ids = id_list
        .unwrap_or_default()
        .replace("%2C", ",")
        .replace("%2F", "/");
    let ids: Vec<String> = ids.split(',').map(ToOwned::to_owned).collect();
    note(ids.clone(), false);
    let archive = ARCHIVE.lock().unwrap();
    let known: Vec<_> = ids
        .iter()
        .filter_map(|id| Some((id, archive.papers.get(split(id).0)?)))
        .collect();
    let mut entries = String::new();
    for (id, paper) in &known {
        let (id, version) = split(id);
        let version = version.unwrap_or(paper.latest.max(1));
        let _ = write!(
            entries,
            "<entry><id>http://arxiv.org/abs/{id}v{version}</id><published>2024-01-02T03:04:05Z</published>\
             <updated>2024-01-02T03:04:05Z</updated><title>{title}</title><summary>On {title}.</summary>\
             <author><name>Ada Tester</name></author><category term=\"cs.DC\"/>\
             <link title=\"pdf\" href=\"http://arxiv.org/pdf/{id}v{version}\" rel=\"related\" type=\"application/pdf\"/></entry>",
            title = paper.title
        );
    }
    let feed = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
         <feed xmlns=\"http://www.w3.org/2005/Atom\" xmlns:opensearch=\"http://a9.com/-/spec/opensearch/1.1/\">\
         <opensearch:totalResults>{}</opensearch:totalResults>{entries}</feed>",
        known.len()
    );
    reply(200, "application/atom+xml; charset=UTF-8", feed)
}

fn note(ids: Vec<String>, pdf: bool) {
    let at = Instant::now();
    ARCHIVE.lock().unwrap().asked.push(Asked { at, ids, pdf });
}

fn reply(status: u16, content_type: &str, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let response = Response::builder()
        .status(status)
        .header("content-type", content_type);
    response.body(Full::new(body.into())).unwrap()
}
