//! A web server that takes webhooks, and shows the requests.

use std::convert::Infallible;
use std::sync::Arc;

use cofferdam_wire::TlsFiles;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::http::request::Parts;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

/// The answer of the server, built for every request.
pub type Answer = Arc<dyn Fn() -> Response<Full<Bytes>> + Send + Sync>;

pub struct Receiver {
    pub port: u16,
    arrived: mpsc::UnboundedReceiver<(Parts, Bytes)>,
}

/// An answer with a status and nothing else.
pub fn status(code: u16) -> Answer {
    Arc::new(move || Response::builder().status(code).body(Full::default()).unwrap())
}

impl Receiver {
    pub async fn start(answer: Answer, tls: Option<&TlsFiles>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, arrived) = mpsc::unbounded_channel();
        let acceptor = tls.map(acceptor);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (sender, answer) = (sender.clone(), answer.clone());
                match acceptor.clone() {
                    None => drop(tokio::spawn(serve(stream, sender, answer))),
                    Some(acceptor) => drop(tokio::spawn(async move {
                        // A client that does not trust this certificate hangs up here.
                        if let Ok(stream) = acceptor.accept(stream).await {
                            serve(stream, sender, answer).await;
                        }
                    })),
                }
            }
        });
        Self { port, arrived }
    }

    /// The next request that has arrived and was answered.
    pub fn next(&mut self) -> Option<(Parts, Bytes)> {
        self.arrived.try_recv().ok()
    }
}

fn acceptor(files: &TlsFiles) -> TlsAcceptor {
    let chain = CertificateDer::pem_file_iter(&files.cert).unwrap().map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_file(&files.key).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

async fn serve<S>(stream: S, sender: mpsc::UnboundedSender<(Parts, Bytes)>, answer: Answer)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let (sender, answer) = (sender.clone(), answer.clone());
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            drop(sender.send((head, body)));
            Ok::<_, Infallible>(answer())
        }
    });
    // A client that has the status may hang up, which is no error of the server.
    drop(
        hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service)
            .await,
    );
}
