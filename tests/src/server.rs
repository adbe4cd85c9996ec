//! A local server on a port that the stack is configured with, started once per test binary. It
//! replaces a service that the stack's functions call.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc::Sender;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// Serves on the loopback address in a thread of its own. Returns when it is ready.
pub(crate) fn start<F>(port: u16, answer: fn(Request<Incoming>) -> F)
where
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    let (ready, is_ready) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(serve(port, answer, ready));
    });
    is_ready.recv().unwrap();
}

async fn serve<F>(port: u16, answer: fn(Request<Incoming>) -> F, ready: Sender<()>)
where
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let listener = TcpListener::bind(address).await.unwrap();
    ready.send(()).unwrap();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let service =
            service_fn(move |request| async move { Ok::<_, Infallible>(answer(request).await) });
        tokio::spawn(async move {
            // A killed worker leaves a broken connection in the middle of a call, which is
            // intended.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}
