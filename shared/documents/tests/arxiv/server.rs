//! arXiv on a local port: the query endpoint and the PDFs. A script answers each request.

use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use documents::arxiv::{Arxiv, ArxivConfig};
use futures::{StreamExt as _, stream};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// A part of a body, or a failure in its place.
#[derive(Clone)]
pub enum Piece {
    Bytes(Bytes),
    /// Closes the connection.
    Close,
    /// Sends nothing for longer than any test waits.
    Hang,
}

/// A reply, or a failure in its place.
#[derive(Clone)]
pub enum Reply {
    Http(u16, Vec<(&'static str, String)>, Vec<Piece>),
    Close,
    Hang,
}

/// A complete reply.
pub fn reply(status: u16, content_type: &str, body: impl Into<Bytes>) -> Reply {
    let headers = vec![("content-type", content_type.to_owned())];
    Reply::Http(status, headers, vec![Piece::Bytes(body.into())])
}

/// A feed of the API.
pub fn feed(body: &'static str) -> Reply {
    reply(200, "application/atom+xml; charset=UTF-8", body)
}

/// A page as arXiv's proxy sends it.
pub fn html(status: u16, text: &str) -> Reply {
    let page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><title>arXiv</title></head><body>{text}</body></html>"
    );
    reply(status, "text/html; charset=utf-8", page)
}

/// A received request.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    pub path: String,
    /// Percent-decoded pairs.
    pub query: Vec<(String, String)>,
    pub user_agent: String,
}

/// A running server; it stops with the test's runtime.
pub struct Server {
    pub arxiv: Arxiv,
    /// Its address.
    pub url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// Every request gets this reply. The size limit of PDFs is 64 KiB.
    pub async fn start(reply: Reply) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::<Mutex<Vec<Asked>>>::default();
        let book = asked.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (book, reply) = (book.clone(), reply.clone());
                let service = service_fn(move |request| {
                    book.lock().unwrap().push(note(&request));
                    answer(reply.clone())
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        let config = ArxivConfig {
            api_url: format!("http://{address}/api/query"),
            pdf_url: format!("http://{address}/pdf/"),
            max_pdf_bytes: 64 << 10,
        };
        let arxiv = Arxiv::new(&config).unwrap();
        let url = format!("http://{address}");
        Self { arxiv, url, asked }
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn note(request: &Request<Incoming>) -> Asked {
    let url = reqwest::Url::parse(&format!("http://arxiv{}", request.uri())).unwrap();
    let user_agent = request.headers().get("user-agent").unwrap();
    Asked {
        path: url.path().to_owned(),
        query: url.query_pairs().into_owned().collect(),
        user_agent: user_agent.to_str().unwrap().to_owned(),
    }
}

async fn answer(reply: Reply) -> io::Result<Response<UnsyncBoxBody<Bytes, io::Error>>> {
    match reply {
        Reply::Http(status, headers, pieces) => {
            let mut response = Response::builder().status(StatusCode::from_u16(status).unwrap());
            for (name, value) in headers {
                response = response.header(name, value);
            }
            let frames = stream::iter(pieces).then(async |piece| match piece {
                Piece::Bytes(bytes) => Ok(Frame::data(bytes)),
                Piece::Close => Err(closed()),
                Piece::Hang => hang().await,
            });
            Ok(response
                .body(StreamBody::new(frames).boxed_unsync())
                .unwrap())
        }
        Reply::Close => Err(closed()),
        Reply::Hang => hang().await,
    }
}

fn closed() -> io::Error {
    io::Error::other("closed by the script")
}

async fn hang<T>() -> T {
    match std::future::pending::<Infallible>().await {}
}
