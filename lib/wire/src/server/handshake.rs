//! The TLS handshake.

use std::net::SocketAddr;

use cofferdam_core::{CallerName, Sha256};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::identity::{caller_of, key_of};

/// A client after its handshake.
pub struct Admitted {
    pub stream: TlsStream<TcpStream>,
    pub caller: CallerName,
    /// The SHA-256 of the certificate's public key.
    pub key: Sha256,
}

/// Makes the TLS handshake and takes the caller from the certificate. The error is the fault of the
/// certificate, or `None` if the handshake failed for another reason.
pub async fn handshake(
    acceptor: TlsAcceptor,
    stream: TcpStream,
    peer: SocketAddr,
) -> Result<Admitted, Option<String>> {
    stream.set_nodelay(true).ok();
    let stream = match acceptor.accept(stream).await {
        Ok(stream) => stream,
        Err(e) => {
            let why = bad_certificate(&e);
            // Anybody can connect and say nothing, as often as they like. That is counted, not
            // logged.
            if why.is_some() {
                tracing::warn!(%peer, cause = %e, "a client's certificate was refused");
            } else {
                tracing::debug!(%peer, cause = %e, "the TLS handshake failed");
            }
            return Err(why);
        }
    };
    let certificate = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
    let named = certificate.and_then(|cert| Some((caller_of(cert)?, key_of(cert)?)));
    let Some((caller, key)) = named else {
        tracing::warn!(%peer, "the client's certificate names no caller");
        return Err(Some("the certificate names no caller".to_owned()));
    };
    Ok(Admitted { stream, caller, key })
}

/// The fault of a client's certificate, if that ended the handshake.
fn bad_certificate(error: &std::io::Error) -> Option<String> {
    let error = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    match error {
        rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented => {
            Some(error.to_string())
        }
        _ => None,
    }
}
