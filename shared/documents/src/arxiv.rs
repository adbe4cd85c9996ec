//! A client for arXiv: the metadata of papers and their PDFs.
//!
//! A call is one request that ends at the caller's deadline. This module neither waits nor retries.
//! arXiv allows at most one request in three seconds, which only a caller that sees all runs can
//! enforce. Metadata is requested by `id_list` (<https://info.arxiv.org/help/api/user-manual.html>,
//! section 3.1.1.1).

mod atom;
mod error;

use std::future::Future;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use jiff::{Timestamp, fmt::rfc2822};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode, Url};

use crate::ArxivId;
pub use atom::{Found, PaperMetadata};
pub use error::{ArxivConfigError, ArxivError, Instead};

/// The maximum number of papers in one metadata request.
pub const MAX_IDS: usize = 100;

/// The maximum size of a metadata response. 100 papers with 3,000 authors each take about 20 MB.
const MAX_FEED_BYTES: usize = 32 << 20;

/// The maximum number of bytes of a web page that are examined to find out why it came.
const MAX_PAGE_BYTES: usize = 1 << 20;

/// How many redirects of one request are followed.
const MAX_REDIRECTS: usize = 5;

/// What a text in place of a feed or a PDF says to a client that sends too many requests.
const BUSY: [&str; 4] = [
    "rate exceeded",
    "rate limit",
    "too many requests",
    "captcha",
];

/// arXiv asks clients to identify themselves.
const USER_AGENT: &str = concat!("intermission/", env!("CARGO_PKG_VERSION"));

/// The addresses of arXiv. The caller reads them from its environment.
#[derive(Debug, Clone)]
pub struct ArxivConfig {
    /// `ARXIV_API_URL`: the query endpoint.
    pub api_url: String,
    /// `ARXIV_PDF_URL`: the prefix to which `/` and the id are appended.
    pub pdf_url: String,
    /// The maximum size of a PDF, in bytes. The PDF is held in memory.
    pub max_pdf_bytes: usize,
}

impl Default for ArxivConfig {
    /// arXiv's public addresses, with the API's mirror for programs, and 64 MiB.
    fn default() -> Self {
        Self {
            api_url: "https://export.arxiv.org/api/query".to_owned(),
            pdf_url: "https://arxiv.org/pdf".to_owned(),
            max_pdf_bytes: 64 << 20,
        }
    }
}

/// A client of arXiv.
#[derive(Debug, Clone)]
pub struct Arxiv {
    http: Client,
    api_url: Url,
    pdf_url: String,
    max_pdf_bytes: usize,
}

impl Arxiv {
    /// A client for these addresses.
    ///
    /// # Errors
    /// [`ArxivConfigError`]; its message names the variable.
    pub fn new(config: &ArxivConfig) -> Result<Self, ArxivConfigError> {
        let api_url = safe_url(&config.api_url).ok_or(ArxivConfigError::BadApiUrl)?;
        let pdf_url = config.pdf_url.trim_end_matches('/');
        safe_url(pdf_url).ok_or(ArxivConfigError::BadPdfUrl)?;
        let http = Client::builder()
            .user_agent(USER_AGENT)
            .redirect(redirects());
        Ok(Self {
            http: http.build().map_err(ArxivConfigError::Client)?,
            api_url,
            pdf_url: pdf_url.to_owned(),
            max_pdf_bytes: config.max_pdf_bytes,
        })
    }

    /// The metadata of at most [`MAX_IDS`] papers, in the order of `ids`, by one request. No ids
    /// make no request.
    ///
    /// # Errors
    /// [`ArxivError`]. [`ArxivError::Refused`] fails the whole request: repeat it without the id
    /// that it names.
    pub async fn metadata(
        &self,
        ids: &[ArxivId],
        deadline: Instant,
    ) -> Result<Vec<Found>, ArxivError> {
        match ids.len() {
            0 => return Ok(vec![]),
            1..=MAX_IDS => {}
            _ => return Err(ArxivError::TooManyIds),
        }
        let id_list = ids
            .iter()
            .map(ArxivId::as_str)
            .collect::<Vec<_>>()
            .join(",");
        let mut url = self.api_url.clone();
        url.query_pairs_mut()
            .append_pair("id_list", &id_list)
            .append_pair("max_results", &ids.len().to_string());
        within(deadline, async {
            let response = self.get(url, "application/atom+xml").await?;
            // The API reports a bad id as a feed, with status 200 or 400.
            if response.status() != StatusCode::BAD_REQUEST {
                expect_success(&response)?;
            }
            let retry_after = retry_after(response.headers(), Timestamp::now());
            let body = whole(response, MAX_FEED_BYTES).await?;
            atom::read(ids, &body).map_err(|error| match error {
                ArxivError::Garbled if says_busy(&body) => ArxivError::Busy { retry_after },
                error => error,
            })
        })
        .await
    }

    /// The PDF of a version of a paper, the latest if the id names none.
    ///
    /// # Errors
    /// [`ArxivError`].
    pub async fn pdf(&self, id: &ArxivId, deadline: Instant) -> Result<Bytes, ArxivError> {
        let url = Url::parse(&format!("{}/{id}", self.pdf_url)).map_err(ArxivError::connection)?;
        within(deadline, async {
            let response = self.get(url, "application/pdf").await?;
            let is_missing = matches!(response.status(), StatusCode::NOT_FOUND | StatusCode::GONE);
            if !is_missing {
                expect_success(&response)?;
            }
            let retry_after = retry_after(response.headers(), Timestamp::now());
            if is_missing || is_html(response.headers()) {
                let page = beginning(response).await;
                return Err(match page {
                    _ if says_busy(&page) => ArxivError::Busy { retry_after },
                    _ if is_withdrawal(&page) => ArxivError::Withdrawn,
                    _ if is_missing => ArxivError::NotFound,
                    _ => ArxivError::NotPdf(Instead::Page),
                });
            }
            let body = whole(response, self.max_pdf_bytes).await?;
            match body {
                _ if body.starts_with(b"%PDF-") => Ok(body),
                _ if says_busy(&body) => Err(ArxivError::Busy { retry_after }),
                _ if is_withdrawal(&body) => Err(ArxivError::Withdrawn),
                _ => Err(ArxivError::NotPdf(Instead::of(&body))),
            }
        })
        .await
    }

    async fn get(&self, url: Url, accept: &str) -> Result<Response, ArxivError> {
        let request = self.http.get(url).header(ACCEPT, accept);
        // The error omits the URL, which is long and part of the configuration.
        let response = request.send().await;
        response.map_err(|error| ArxivError::connection(error.without_url()))
    }
}

/// An address that may be requested: encrypted, unless it is one of this machine.
fn safe_url(url: &str) -> Option<Url> {
    let url = Url::parse(url).ok()?;
    let host = url.host_str()?.trim_matches(['[', ']']);
    let address = host.parse::<IpAddr>();
    let is_loopback = host == "localhost" || address.is_ok_and(|address| address.is_loopback());
    let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_loopback);
    is_safe.then_some(url)
}

/// Follows arXiv to another path of the same address. Any other address is one that nobody has
/// configured; its redirect is the reply.
fn redirects() -> Policy {
    Policy::custom(|attempt| {
        let asked = attempt.previous().first();
        if asked.is_none_or(|asked| asked.origin() != attempt.url().origin()) {
            attempt.stop()
        } else if attempt.previous().len() > MAX_REDIRECTS {
            attempt.error("too many redirects")
        } else {
            attempt.follow()
        }
    })
}

async fn within<T>(
    deadline: Instant,
    request: impl Future<Output = Result<T, ArxivError>>,
) -> Result<T, ArxivError> {
    let reply = tokio::time::timeout_at(deadline.into(), request).await;
    reply.unwrap_or(Err(ArxivError::Timeout))
}

fn expect_success(response: &Response) -> Result<(), ArxivError> {
    match response.status().as_u16() {
        200..=299 => Ok(()),
        429 | 503 => Err(ArxivError::Busy {
            retry_after: retry_after(response.headers(), Timestamp::now()),
        }),
        status => Err(ArxivError::Status(status)),
    }
}

/// The whole body, of which at most `limit` bytes are held.
async fn whole(mut response: Response, limit: usize) -> Result<Bytes, ArxivError> {
    let announced = response.content_length().unwrap_or_default();
    if usize::try_from(announced).map_or(true, |length| length > limit) {
        return Err(ArxivError::TooLarge { limit });
    }
    let mut body = BytesMut::new();
    loop {
        let chunk = response.chunk().await;
        match chunk.map_err(|error| ArxivError::connection(error.without_url()))? {
            Some(chunk) if body.len() + chunk.len() > limit => {
                return Err(ArxivError::TooLarge { limit });
            }
            Some(chunk) => body.extend_from_slice(&chunk),
            None => return Ok(body.freeze()),
        }
    }
}

/// The beginning of a page that explains why no PDF came. A truncated page counts as well.
async fn beginning(mut response: Response) -> Bytes {
    let mut body = BytesMut::new();
    while body.len() < MAX_PAGE_BYTES {
        let Ok(Some(chunk)) = response.chunk().await else {
            break;
        };
        body.extend_from_slice(&chunk);
    }
    body.freeze()
}

/// The words of a text that comes in place of what was asked for. Only its beginning is read.
fn words(body: &[u8]) -> String {
    let beginning = &body[..body.len().min(MAX_PAGE_BYTES)];
    String::from_utf8_lossy(beginning).to_lowercase()
}

/// Whether a text asks for fewer requests. arXiv sends such texts under status 200 too.
fn says_busy(body: &[u8]) -> bool {
    let words = words(body);
    BUSY.iter().any(|sentence| words.contains(sentence))
}

/// Whether a page in place of a PDF says that the paper was withdrawn.
fn is_withdrawal(body: &[u8]) -> bool {
    words(body).contains("withdrawn")
}

fn is_html(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).map(|value| value.as_bytes());
    let content_type = content_type.unwrap_or_default().to_ascii_lowercase();
    content_type.starts_with(b"text/html") || content_type.starts_with(b"application/xhtml")
}

/// `Retry-After` as seconds or as an HTTP date (RFC 9110, section 10.2.3).
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    let date = rfc2822::parse(value).ok()?.timestamp();
    Some(Duration::try_from(date.duration_since(now)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_read_as_seconds_and_as_a_date() {
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        let after = |value: &'static str| {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, value.parse().unwrap())]);
            retry_after(&headers, now)
        };
        assert_eq!(after("30"), Some(Duration::from_secs(30)));
        assert_eq!(
            after("Sun, 22 Nov 2026 10:02:00 GMT"),
            Some(Duration::from_secs(120))
        );
        assert_eq!(after("Sun, 22 Nov 2026 09:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(after("soon"), None);
    }

    #[test]
    fn an_invalid_url_is_reported_by_its_variable() {
        let with = |api_url: &str, pdf_url: &str| ArxivConfig {
            api_url: api_url.to_owned(),
            pdf_url: pdf_url.to_owned(),
            ..ArxivConfig::default()
        };
        let message = |config| Arxiv::new(&config).unwrap_err().to_string();
        let good = "http://localhost:9100";
        assert!(message(with("localhost", good)).contains("ARXIV_API_URL"));
        for bad in ["file:///etc", "http://arxiv.org/pdf", "http://10.0.0.1/pdf"] {
            assert!(message(with(good, bad)).contains("ARXIV_PDF_URL"), "{bad}");
        }
        assert!(Arxiv::new(&with("http://[::1]:9100", "http://127.0.0.1/pdf")).is_ok());
        assert!(Arxiv::new(&ArxivConfig::default()).is_ok());
    }
}
