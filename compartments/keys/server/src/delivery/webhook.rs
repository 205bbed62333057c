//! Alarms to webhooks, signed by the rules of <https://www.standardwebhooks.com>.

use std::error::Error;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cofferdam_core::Timestamp;
use cofferdam_wire::read_secret;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::{Request, StatusCode, Uri, header};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use keys_api::Alarm;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use serde_json::json;
use zeroize::Zeroizing;

use super::DeliveryError;
use super::text::Origin;

/// The longest time from the first packet to the status of the answer.
const PATIENCE: Duration = Duration::from_secs(15);
/// The authorities that Debian and similar systems trust.
const SYSTEM_CA: &str = "/etc/ssl/certs/ca-certificates.crt";

/// A web server that takes alarms.
pub struct Webhook {
    name: String,
    origin: Origin,
    uri: Uri,
    key: hmac::Key,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl Webhook {
    /// Checks the URL, and reads the secret and the authorities.
    pub fn open(
        name: &str,
        origin: Origin,
        url: &str,
        secret_file: &Path,
        ca: Option<&Path>,
    ) -> Result<Self, DeliveryError> {
        let bad = |cause| DeliveryError::Config { sink: name.to_owned(), cause };
        let uri = parse(url).map_err(|cause| bad(cause.to_owned()))?;
        let secret = read_secret(secret_file)
            .map_err(|source| DeliveryError::Secret { sink: name.to_owned(), source })?;
        let key = key(&secret).ok_or_else(|| {
            bad(format!(
                "{} holds no secret of a webhook: `whsec_` and the base64 of 24 to 64 random bytes",
                secret_file.display()
            ))
        })?;
        let ca = ca.unwrap_or(Path::new(SYSTEM_CA));
        let client = client(is_https(&uri).then_some(ca)).map_err(bad)?;
        Ok(Self { name: name.to_owned(), origin, uri, key, client })
    }

    /// Sends one signed request. Only a status of 2xx counts. The body of the answer stays unread,
    /// and redirects are not followed.
    pub async fn deliver(&self, alarm: &Alarm, now: Timestamp) -> Result<(), DeliveryError> {
        let request = self.request(alarm, now).map_err(|e| self.unreachable(chain(&e)))?;
        let answer = tokio::time::timeout(PATIENCE, self.client.request(request))
            .await
            .map_err(|_| self.unreachable(format!("no answer within {} s", PATIENCE.as_secs())))?
            .map_err(|e| self.unreachable(chain(&e)))?;
        match answer.status() {
            status if StatusCode::is_success(&status) => Ok(()),
            status => {
                Err(DeliveryError::Refused { sink: self.name.clone(), status: status.as_u16() })
            }
        }
    }

    fn request(
        &self,
        alarm: &Alarm,
        now: Timestamp,
    ) -> Result<Request<Full<Bytes>>, hyper::http::Error> {
        let body = body(alarm, &self.origin);
        let id = self.origin.event_id(alarm.seq);
        let at = now.as_second();
        let tag = hmac::sign(&self.key, format!("{id}.{at}.{body}").as_bytes());
        Request::post(self.uri.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, "cofferdam")
            .header("webhook-id", id)
            .header("webhook-timestamp", at)
            .header("webhook-signature", format!("v1,{}", STANDARD.encode(tag)))
            .body(Full::new(Bytes::from(body)))
    }

    fn unreachable(&self, cause: String) -> DeliveryError {
        DeliveryError::Unreachable { sink: self.name.clone(), cause }
    }
}

/// Leaves the URL out, because it often holds a token.
impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Webhook({:?})", self.name)
    }
}

/// The TCP port of a URL.
pub fn port(url: &str) -> Option<u16> {
    let uri = parse(url).ok()?;
    Some(uri.port_u16().unwrap_or(if is_https(&uri) { 443 } else { 80 }))
}

fn parse(url: &str) -> Result<Uri, &'static str> {
    let uri: Uri = url.parse().map_err(|_| "`url` is no URL; write it as https://host/path")?;
    let host = uri.host().filter(|host| !host.is_empty()).ok_or("`url` names no host")?;
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err("`url` holds a user name, which is not sent; the signature shows who sends");
    }
    match uri.scheme_str() {
        Some("https") => Ok(uri),
        Some("http") if is_this_machine(host) => Ok(uri),
        Some("http") => Err("`url` is http:// to another machine; use https://"),
        _ => Err("`url` starts with neither https:// nor http://"),
    }
}

fn is_https(uri: &Uri) -> bool {
    uri.scheme_str() == Some("https")
}

fn is_this_machine(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// The key in a secret file.
fn key(secret: &[u8]) -> Option<hmac::Key> {
    let encoded = secret.trim_ascii().strip_prefix(b"whsec_")?;
    let bytes = Zeroizing::new(STANDARD.decode(encoded).ok()?);
    (24..=64).contains(&bytes.len()).then(|| hmac::Key::new(hmac::HMAC_SHA256, &bytes))
}

/// A client that trusts the authorities in `ca`. Without them it speaks plain HTTP.
fn client(ca: Option<&Path>) -> Result<Client<HttpsConnector<HttpConnector>, Full<Bytes>>, String> {
    let roots = ca.map_or(Ok(RootCertStore::empty()), roots)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let builder = HttpsConnectorBuilder::new().with_tls_config(tls);
    let builder = if ca.is_some() { builder.https_only() } else { builder.https_or_http() };
    // Alarms are rare, and the other side may move, so each has a connection of its own.
    Ok(Client::builder(TokioExecutor::new())
        .pool_max_idle_per_host(0)
        .build(builder.enable_http1().build()))
}

fn roots(ca: &Path) -> Result<RootCertStore, String> {
    let certs = CertificateDer::pem_file_iter(ca)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|e| format!("{}: {e}", ca.display()))?;
    let mut roots = RootCertStore::empty();
    // The bundle of a system may hold certificates that rustls can't use.
    let (usable, _) = roots.add_parsable_certificates(certs);
    if usable == 0 {
        return Err(format!("{} holds no certificate of an authority", ca.display()));
    }
    Ok(roots)
}

/// The body of the request. It is the same for the same alarm, at every attempt.
fn body(alarm: &Alarm, origin: &Origin) -> String {
    json!({
        "type": format!("alarm.{}", alarm.kind.as_str()),
        "timestamp": alarm.last,
        "data": {
            "seq": alarm.seq,
            "first": alarm.first,
            "last": alarm.last,
            "kind": alarm.kind,
            "caller": alarm.caller,
            "count": alarm.count,
            "detail": alarm.detail,
            "origin": origin.text,
        },
    })
    .to_string()
}

/// An error with all its causes, because the outermost one says only that the request failed.
fn chain(error: &dyn Error) -> String {
    let causes = std::iter::successors(error.source(), |&e| e.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
