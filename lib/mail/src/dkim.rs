//! DKIM signatures (RFC 6376; for Ed25519 RFC 8463), with relaxed canonicalization of header and
//! body.
//!
//! This code makes signatures itself, because the same letter must have the same bytes at every
//! attempt, and libraries that sign read the clock. The tests verify its signatures with mail-auth,
//! and so does `response` for one letter of a thousand while it sends.

use std::fmt;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};
use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cofferdam_core::Timestamp;
use memchr::memchr_iter;
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject as _;
use zeroize::Zeroizing;

/// The header fields that a signature covers, whether a letter has them or not. A field that is
/// added later breaks the signature, so that nobody can resend a letter with a reply address of
/// their own.
const HEADERS: [&str; 12] = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Feedback-ID",
    "Auto-Submitted",
    "MIME-Version",
    "Content-Type",
    "Reply-To",
    "Sender",
    "Cc",
];
/// The number of characters of base64 on one line of the signature's header.
const LINE: usize = 72;

/// A signing key of a domain.
pub struct DkimKey {
    domain: String,
    selector: String,
    pair: Pair,
}

enum Pair {
    Rsa(Box<RsaKeyPair>),
    Ed25519(Ed25519KeyPair),
}

/// The signature algorithm of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DkimAlgorithm {
    /// RSA with 2048 bits, which every receiver verifies.
    Rsa,
    /// Ed25519, which is short and quick. Some receivers can't verify it, so use it beside RSA.
    Ed25519,
}

/// A key can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DkimError {
    /// The file is not a key of a supported kind.
    #[error("{}: not an RSA (2048 bits or more) or Ed25519 key as PKCS#8 PEM", .0.display())]
    Key(PathBuf),
    /// The domain or selector can't be part of a host name.
    #[error("the DKIM domain or selector {0:?} is not a host name")]
    Name(String),
    /// The cryptographic library failed.
    #[error("the DKIM key or signature could not be made")]
    Library,
}

impl DkimKey {
    /// Reads a key from PKCS#8 PEM. Errors name the file by `place`.
    pub fn from_pem(
        domain: &str,
        selector: &str,
        pem: &[u8],
        place: &Path,
    ) -> Result<Self, DkimError> {
        for name in [domain, selector] {
            let letters = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
            if name.is_empty() || !name.bytes().all(letters) {
                return Err(DkimError::Name(name.to_owned()));
            }
        }
        let bad = || DkimError::Key(place.to_owned());
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem).map_err(|_| bad())?;
        let der = der.secret_pkcs8_der();
        let pair = match RsaKeyPair::from_pkcs8(der) {
            Ok(pair) if pair.public_modulus_len() < 256 => return Err(bad()),
            Ok(pair) => Pair::Rsa(Box::new(pair)),
            Err(_) => Pair::Ed25519(Ed25519KeyPair::from_pkcs8(der).map_err(|_| bad())?),
        };
        Ok(Self { domain: domain.to_owned(), selector: selector.to_owned(), pair })
    }

    /// The domain that signs.
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The selector, which tells the keys of one domain apart.
    #[must_use]
    pub fn selector(&self) -> &str {
        &self.selector
    }

    /// The TXT record to publish at `SELECTOR._domainkey.DOMAIN`.
    pub fn record(&self) -> Result<String, DkimError> {
        let (kind, key) = match &self.pair {
            Pair::Rsa(pair) => {
                let der: aws_lc_rs::encoding::PublicKeyX509Der<'_> =
                    pair.public_key().as_der().map_err(|_| DkimError::Library)?;
                ("rsa", der.as_ref().to_vec())
            }
            Pair::Ed25519(pair) => ("ed25519", pair.public_key().as_ref().to_vec()),
        };
        Ok(format!("v=DKIM1; k={kind}; p={}", STANDARD.encode(key)))
    }

    /// The `DKIM-Signature` header of `message`, signed at `at` and ended by CRLF.
    pub fn header(&self, message: &[u8], at: Timestamp) -> Result<String, DkimError> {
        let (head, text) = split(message);
        let fields = parse_fields(head);
        let mut input = Vec::with_capacity(head.len() + 512);
        for name in HEADERS {
            for field in fields.iter().rev().filter(|field| field.has_name(name)) {
                field.relax(&mut input);
            }
        }
        let unsigned = self.unsigned(&fields, &STANDARD.encode(text_hash(text)), at);
        // The signature's own header comes last, without its line end.
        Field::parse(unsigned.as_bytes()).relax(&mut input);
        input.truncate(input.len() - 2);
        let signature = STANDARD.encode(self.sign(&input)?);
        let mut header = unsigned;
        for line in signature.as_bytes().chunks(LINE) {
            header.push_str("\r\n ");
            // The default is never used, because base64 is ASCII.
            header.push_str(std::str::from_utf8(line).unwrap_or_default());
        }
        header.push_str("\r\n");
        Ok(header)
    }

    /// The header up to and including `b=`.
    fn unsigned(&self, fields: &[Field<'_>], hash: &str, at: Timestamp) -> String {
        let algorithm = match self.pair {
            Pair::Rsa(_) => "rsa-sha256",
            Pair::Ed25519(_) => "ed25519-sha256",
        };
        let mut names = String::new();
        for name in HEADERS {
            // Naming a field once more than it occurs makes an added field break the signature.
            for _ in 0..=fields.iter().filter(|field| field.has_name(name)).count() {
                if !names.is_empty() {
                    names.push(':');
                }
                names.push_str(name);
            }
        }
        let names = folded(&names);
        format!(
            "DKIM-Signature: v=1; a={algorithm}; c=relaxed/relaxed; d={};\r\n s={}; t={};\r\n \
             h={names};\r\n bh={hash};\r\n b=",
            self.domain,
            self.selector,
            at.as_second(),
        )
    }

    fn sign(&self, input: &[u8]) -> Result<Vec<u8>, DkimError> {
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), input, &mut signature)
                    .map_err(|_| DkimError::Library)?;
                Ok(signature)
            }
            // RFC 8463, section 3: Ed25519 signs the hash of the input.
            Pair::Ed25519(pair) => {
                let hash = aws_lc_rs::digest::digest(&SHA256, input);
                Ok(pair.sign(hash.as_ref()).as_ref().to_vec())
            }
        }
    }
}

impl fmt::Debug for DkimKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DkimKey")
            .field("domain", &self.domain)
            .field("selector", &self.selector)
            .finish_non_exhaustive()
    }
}

/// Makes a new key, as PKCS#8 PEM.
pub fn generate(algorithm: DkimAlgorithm) -> Result<Zeroizing<String>, DkimError> {
    let der = match algorithm {
        DkimAlgorithm::Rsa => {
            let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| DkimError::Library)?;
            let der: aws_lc_rs::encoding::Pkcs8V1Der<'_> =
                pair.as_der().map_err(|_| DkimError::Library)?;
            Zeroizing::new(der.as_ref().to_vec())
        }
        DkimAlgorithm::Ed25519 => {
            let pair = Ed25519KeyPair::generate().map_err(|_| DkimError::Library)?;
            let der = pair.to_pkcs8v1().map_err(|_| DkimError::Library)?;
            Zeroizing::new(der.as_ref().to_vec())
        }
    };
    let mut pem = Zeroizing::new(String::from("-----BEGIN PRIVATE KEY-----\n"));
    let text = Zeroizing::new(STANDARD.encode(&*der));
    for line in text.as_bytes().chunks(64) {
        pem.push_str(std::str::from_utf8(line).unwrap_or_default());
        pem.push('\n');
    }
    pem.push_str("-----END PRIVATE KEY-----\n");
    Ok(pem)
}

/// The message with a signature of each key in front.
pub fn signed(message: &[u8], keys: &[DkimKey], at: Timestamp) -> Result<Vec<u8>, DkimError> {
    let mut out = Vec::with_capacity(message.len() + 900 * keys.len());
    for key in keys {
        out.extend_from_slice(key.header(message, at)?.as_bytes());
    }
    out.extend_from_slice(message);
    Ok(out)
}

/// Folds a list of header names into lines of at most [`LINE`] characters.
fn folded(names: &str) -> String {
    let mut out = String::with_capacity(names.len() + 16);
    let mut line = 3;
    for (place, name) in names.split(':').enumerate() {
        if place > 0 {
            out.push(':');
            line += 1;
            if line + name.len() > LINE {
                out.push_str("\r\n ");
                line = 1;
            }
        }
        out.push_str(name);
        line += name.len();
    }
    out
}

/// Splits a message into header and text.
fn split(message: &[u8]) -> (&[u8], &[u8]) {
    let end = memchr::memmem::find(message, b"\r\n\r\n");
    end.map_or((message, &[]), |at| (&message[..at + 2], &message[at + 4..]))
}

/// A header field as it stands in the message, with its folds.
struct Field<'a> {
    name: &'a [u8],
    value: &'a [u8],
}

impl<'a> Field<'a> {
    fn parse(line: &'a [u8]) -> Self {
        let colon = memchr::memchr(b':', line).unwrap_or(line.len());
        Self { name: &line[..colon], value: line.get(colon + 1..).unwrap_or_default() }
    }

    fn has_name(&self, name: &str) -> bool {
        self.name.trim_ascii().eq_ignore_ascii_case(name.as_bytes())
    }

    /// Appends the field in its relaxed form (RFC 6376, section 3.4.2).
    fn relax(&self, out: &mut Vec<u8>) {
        out.extend(self.name.trim_ascii().iter().map(u8::to_ascii_lowercase));
        out.push(b':');
        let unfolded = self.value.split(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n'));
        for (place, word) in unfolded.filter(|word| !word.is_empty()).enumerate() {
            if place > 0 {
                out.push(b' ');
            }
            out.extend_from_slice(word);
        }
        out.extend_from_slice(b"\r\n");
    }
}

fn parse_fields(head: &[u8]) -> Vec<Field<'_>> {
    let mut fields = Vec::with_capacity(12);
    let mut start = 0;
    for end in memchr_iter(b'\n', head) {
        let folded = head.get(end + 1).is_some_and(|b| matches!(b, b' ' | b'\t'));
        if !folded {
            fields.push(Field::parse(&head[start..=end]));
            start = end + 1;
        }
    }
    fields
}

/// The hash of the text in its relaxed form (RFC 6376, section 3.4.4).
fn text_hash(text: &[u8]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    let mut empty = 0_usize;
    let mut start = 0;
    let mut relaxed = Vec::with_capacity(128);
    for end in memchr_iter(b'\n', text).chain(std::iter::once(text.len())) {
        let line = &text[start..end];
        start = (end + 1).min(text.len());
        if end == text.len() && line.is_empty() {
            break;
        }
        let line = line.strip_suffix(b"\r").unwrap_or(line).trim_ascii_end();
        if line.is_empty() {
            empty += 1;
            continue;
        }
        for _ in 0..std::mem::take(&mut empty) {
            context.update(b"\r\n");
        }
        context.update(relax_line(line, &mut relaxed));
        context.update(b"\r\n");
    }
    let digest = context.finish();
    let mut hash = [0; 32];
    hash.copy_from_slice(digest.as_ref());
    hash
}

/// The line with each run of blanks reduced to one.
fn relax_line<'a>(line: &'a [u8], relaxed: &'a mut Vec<u8>) -> &'a [u8] {
    let blank = |b: u8| matches!(b, b' ' | b'\t');
    let simple = !line.contains(&b'\t') && memchr::memmem::find(line, b"  ").is_none();
    if simple {
        return line;
    }
    relaxed.clear();
    for byte in line.iter().copied() {
        if !blank(byte) {
            relaxed.push(byte);
        } else if relaxed.last() != Some(&b' ') {
            relaxed.push(b' ');
        }
    }
    relaxed
}

#[cfg(test)]
mod tests;
