//! Passkeys: credentials of `WebAuthn` (Web Authentication Level 2), as a browser hands them to an app
//! server and as compartments pass them on.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Bytes that are base64url without padding in JSON (RFC 4648, section 5), as in the JSON of browsers.
#[derive(Clone, PartialEq, Eq, Hash, JsonSchema)]
#[schemars(extend("contentEncoding" = "base64url", "examples" = ["AAECAw"]))]
pub struct Base64Url(#[schemars(with = "String")] pub Vec<u8>);

impl fmt::Debug for Base64Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Base64Url({})", URL_SAFE_NO_PAD.encode(&self.0))
    }
}

impl Serialize for Base64Url {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        if s.is_human_readable() {
            s.serialize_str(&URL_SAFE_NO_PAD.encode(&self.0))
        } else {
            self.0.serialize(s)
        }
    }
}

impl<'de> Deserialize<'de> for Base64Url {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        if !d.is_human_readable() {
            return Ok(Self(Vec::deserialize(d)?));
        }
        let text = String::deserialize(d)?;
        let bytes = URL_SAFE_NO_PAD.decode(text);
        bytes.map(Self).map_err(|_| serde::de::Error::custom("not base64url without padding"))
    }
}

/// The algorithm of a passkey's signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PasskeyAlgorithm {
    /// ECDSA on P-256 with SHA-256; −7 in COSE.
    Es256,
    /// Ed25519; −8 in COSE.
    Eddsa,
    /// RSA PKCS#1 v1.5 with SHA-256, with a key of 2,048 bits or more; −257 in COSE.
    Rs256,
}

impl PasskeyAlgorithm {
    /// The number in the IANA registry of COSE algorithms, as `getPublicKeyAlgorithm()` of a browser
    /// returns it.
    #[must_use]
    pub const fn cose(self) -> i16 {
        match self {
            Self::Es256 => -7,
            Self::Eddsa => -8,
            Self::Rs256 => -257,
        }
    }

    /// The algorithm with a number in the IANA registry of COSE algorithms.
    #[must_use]
    pub fn from_cose(number: i64) -> Option<Self> {
        let all = [Self::Es256, Self::Eddsa, Self::Rs256];
        all.into_iter().find(|of| i64::from(of.cose()) == number)
    }
}

/// The domain for which a passkey is good: the RP ID of `WebAuthn`. A browser signs for pages of this
/// domain and of those below it. It is `localhost`, or has two labels or more.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("examples" = ["shop.example"], "maxLength" = 253))]
pub struct RelyingParty(String);

/// A text that is no domain of a relying party.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no relying party: it is `localhost`, or a domain in lower case such as shop.example"
)]
pub struct BadRelyingParty(String);

impl RelyingParty {
    /// The name of the machine itself, for which browsers sign without TLS.
    const LOCALHOST: &'static str = "localhost";

    /// The machine itself.
    #[must_use]
    pub fn localhost() -> Self {
        Self(Self::LOCALHOST.to_owned())
    }

    /// The domain as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a page of `origin`, as a browser writes it, may use a passkey of this relying party: the
    /// page came over TLS from the domain or from one below it, or from the machine itself.
    #[must_use]
    pub fn has(&self, origin: &str) -> bool {
        let (local, secure) = (self.0 == Self::LOCALHOST, origin.strip_prefix("https://"));
        let plain = origin.strip_prefix("http://").filter(|_| local);
        let Some(authority) = secure.or(plain) else { return false };
        let (host, port) = authority.split_once(':').unwrap_or((authority, "0"));
        let is_port = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
        let below = || host.strip_suffix(self.as_str()).and_then(|head| head.strip_suffix('.'));
        is_port && (host == self.0 || (!local && below().is_some_and(is_domain)))
    }
}

/// Whether `text` is one or more DNS labels in lower case.
fn is_domain(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    text.split('.').all(|label| {
        (1..=63).contains(&label.len())
            && label.bytes().all(plain)
            && !label.starts_with('-')
            && !label.ends_with('-')
    })
}

impl TryFrom<String> for RelyingParty {
    type Error = BadRelyingParty;

    fn try_from(text: String) -> Result<Self, BadRelyingParty> {
        // A last label of digits alone is part of an IP address, which is no RP ID.
        let named = |(_, last): (&str, &str)| !last.bytes().all(|b| b.is_ascii_digit());
        let domain =
            text.len() <= 253 && is_domain(&text) && text.rsplit_once('.').is_some_and(named);
        if domain || text == Self::LOCALHOST { Ok(Self(text)) } else { Err(BadRelyingParty(text)) }
    }
}

impl std::str::FromStr for RelyingParty {
    type Err = BadRelyingParty;

    fn from_str(text: &str) -> Result<Self, BadRelyingParty> {
        text.to_owned().try_into()
    }
}

impl From<RelyingParty> for String {
    fn from(of: RelyingParty) -> Self {
        of.0
    }
}

/// The public part of a new passkey, as the page of an app server got it from the browser.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPasskey {
    /// The public key: the DER of a `SubjectPublicKeyInfo` (RFC 5280), as `getPublicKey()` of a browser
    /// returns it.
    pub public_key: Base64Url,
    /// The algorithm of its signatures.
    pub algorithm: PasskeyAlgorithm,
    /// The domain for which it was made.
    pub relying_party: RelyingParty,
}

/// The signature of a passkey over a challenge, as the browser returns it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Assertion {
    /// The authenticator's statement: `response.authenticatorData`.
    pub authenticator_data: Base64Url,
    /// The browser's statement, byte for byte: `response.clientDataJSON`.
    pub client_data: Base64Url,
    /// The signature over both: `response.signature`.
    pub signature: Base64Url,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_base64url_in_json() {
        let bytes = Base64Url(vec![0xfb, 0xff, 1]);
        assert_eq!(serde_json::to_string(&bytes).unwrap(), r#""-_8B""#);
        assert_eq!(serde_json::from_str::<Base64Url>(r#""-_8B""#).unwrap(), bytes);
        for bad in [r#""+/8B""#, r#""-_9""#, r#""AA==""#, "7"] {
            assert!(serde_json::from_str::<Base64Url>(bad).is_err(), "{bad} was taken");
        }
    }

    #[test]
    fn a_relying_party_is_a_domain() {
        for good in ["localhost", "shop.example", "www.shop.example", "xn--bcher-kva.example"] {
            assert!(good.parse::<RelyingParty>().is_ok(), "{good}");
        }
        let long = format!("{}.example", "a.".repeat(130));
        for bad in ["", "example", "Shop.example", "shop.example.", ".example", "127.0.0.1", &long]
        {
            assert!(bad.parse::<RelyingParty>().is_err(), "{bad}");
        }
    }

    #[test]
    fn pages_of_the_domain_and_below_may_use_its_passkeys() {
        for (party, origin, may) in [
            ("shop.example", "https://shop.example", true),
            ("shop.example", "https://shop.example:8443", true),
            ("shop.example", "https://www.shop.example", true),
            ("shop.example", "https://a.b.shop.example", true),
            ("shop.example", "http://shop.example", false),
            ("shop.example", "https://notshop.example", false),
            ("shop.example", "https://.shop.example", false),
            ("shop.example", "https://evil.example/.shop.example", false),
            ("shop.example", "https://evil.example#.shop.example", false),
            ("shop.example", "https://shop.example.evil.example", false),
            ("shop.example", "https://evil@shop.example", false),
            ("shop.example", "https://shop.example:", false),
            ("shop.example", "https://shop.example:8443/", false),
            ("shop.example", "https://shop.example/", false),
            ("shop.example", "https://example", false),
            ("shop.example", "http://localhost", false),
            ("localhost", "http://localhost", true),
            ("localhost", "http://localhost:8080", true),
            ("localhost", "https://localhost:8080", true),
            ("localhost", "http://shop.localhost", false),
            ("localhost", "http://localhost.evil.example", false),
        ] {
            let party: RelyingParty = party.parse().unwrap();
            assert_eq!(party.has(origin), may, "{} {origin}", party.as_str());
        }
    }

    #[test]
    fn algorithms_have_the_numbers_of_cose() {
        for (number, of) in [(-7, "es256"), (-8, "eddsa"), (-257, "rs256")] {
            let algorithm = PasskeyAlgorithm::from_cose(number).unwrap();
            assert_eq!(serde_json::to_value(algorithm).unwrap(), of);
        }
        assert!(PasskeyAlgorithm::from_cose(-35).is_none());
    }
}
