//! Fetches the notice and types a letter's code, as a browser does: over plain HTTP, without a
//! certificate.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::error::DrillError;

/// The longest time that a page may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A page that was fetched.
#[derive(Debug)]
pub struct Page {
    /// The HTTP status of the answer.
    pub status: u16,
    /// The SHA-256 of the body, hexadecimal.
    pub sha256: String,
    /// The body of the page, as text.
    pub body: String,
}

/// Fetches the page at `url`, which is `http://HOST:PORT/PATH`.
pub async fn fetch(url: &str) -> Result<Page, DrillError> {
    exchange(url, "GET", "", "").await
}

/// Types a code into the page at `url`.
pub async fn check_code(url: &str, code: &str) -> Result<Page, DrillError> {
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    exchange(url, "POST", form, &format!("code={code}")).await
}

async fn exchange(url: &str, method: &str, headers: &str, body: &str) -> Result<Page, DrillError> {
    let rest = url.strip_prefix("http://");
    let rest = rest.ok_or_else(|| DrillError::unexpected("the notice's address is not http"))?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let exchange = async {
        let mut stream = TcpStream::connect(host).await?;
        let length = body.len();
        let request = format!(
            "{method} /{path} HTTP/1.0\r\nHost: {host}\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    let answer = tokio::time::timeout(PATIENCE, exchange).await;
    let answer = answer
        .map_err(|_| DrillError::unexpected(format!("{url} was not answered in {PATIENCE:?}")))??;
    parse(&answer).ok_or_else(|| DrillError::unexpected("the notice's server does not speak HTTP"))
}

fn parse(answer: &[u8]) -> Option<Page> {
    let split = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&answer[..split]).ok()?;
    let body = &answer[split + 4..];
    Some(Page {
        status: head.split(' ').nth(1)?.parse().ok()?,
        sha256: hex::encode(digest(&SHA256, body)),
        body: String::from_utf8_lossy(body).into_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_status_and_body() {
        let page = parse(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi").unwrap();
        assert_eq!((page.status, page.body.as_str()), (200, "hi"));
        assert!(page.sha256.starts_with("8f434346"));
        assert!(parse(b"220 mail.example ESMTP\r\n").is_none());
    }
}
