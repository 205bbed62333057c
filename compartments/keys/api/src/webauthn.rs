//! The two statements that a passkey signs: the browser's and the authenticator's (`WebAuthn` Level 2,
//! sections 5.8.1 and 6.1).

use cofferdam_core::{Base64Url, Sha256};
use serde::Deserialize;

/// The browser's statement: what was signed, and for which page. It may have members that nobody knows
/// yet.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ClientData {
    /// The ceremony: `webauthn.get` for a signature over a challenge.
    #[serde(rename = "type")]
    pub ceremony: String,
    /// The challenge.
    pub challenge: Base64Url,
    /// The origin of the page.
    pub origin: String,
    /// Whether the page was in a frame of another origin.
    #[serde(default, rename = "crossOrigin")]
    pub cross_origin: bool,
}

/// The authenticator's statement: for which domain it signed, and what the person did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthenticatorData {
    /// SHA-256 of the domain.
    pub relying_party: Sha256,
    /// Whether a person touched the authenticator or answered it.
    pub user_present: bool,
    /// Whether the authenticator knew its person: by a finger, a face or a PIN.
    pub user_verified: bool,
}

/// A statement that a passkey's signature can't have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadStatement {
    /// The browser's statement is no JSON with the members that it must have.
    #[error("the browser's statement can't be read")]
    ClientData,
    /// The authenticator's statement has another length or other flags than a signature's.
    #[error("the authenticator's statement can't be read")]
    AuthenticatorData,
}

impl ClientData {
    /// Reads a statement.
    pub fn parse(json: &[u8]) -> Result<Self, BadStatement> {
        serde_json::from_slice(json).map_err(|_| BadStatement::ClientData)
    }
}

impl AuthenticatorData {
    const USER_PRESENT: u8 = 0x01;
    const USER_VERIFIED: u8 = 0x04;
    const MAY_BE_BACKED_UP: u8 = 0x08;
    const IS_BACKED_UP: u8 = 0x10;
    const HAS_KEY: u8 = 0x40;
    const HAS_EXTENSIONS: u8 = 0x80;

    /// Reads a statement. The counter of signatures is left out: passkeys that are synchronised between
    /// devices say 0, so it tells nothing.
    pub fn parse(bytes: &[u8]) -> Result<Self, BadStatement> {
        Self::split(bytes).ok_or(BadStatement::AuthenticatorData)
    }

    fn split(bytes: &[u8]) -> Option<Self> {
        let (relying_party, rest) = bytes.split_first_chunk::<32>()?;
        let (flags, rest) = rest.split_first()?;
        let (_counter, extensions) = rest.split_first_chunk::<4>()?;
        let has = |flag: u8| flags & flag != 0;
        // Only a new passkey comes with its key, and a copy is only where there may be one.
        let odd = has(Self::HAS_KEY) || (has(Self::IS_BACKED_UP) && !has(Self::MAY_BE_BACKED_UP));
        if odd || has(Self::HAS_EXTENSIONS) == extensions.is_empty() {
            return None;
        }
        Some(Self {
            relying_party: Sha256(*relying_party),
            user_present: has(Self::USER_PRESENT),
            user_verified: has(Self::USER_VERIFIED),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn data(flags: u8, rest: &[u8]) -> Vec<u8> {
        [&[7; 32][..], &[flags, 0, 0, 0, 1], rest].concat()
    }

    #[test]
    fn an_authenticators_statement_is_read() {
        let read = |flags, rest: &[u8]| {
            let read = AuthenticatorData::parse(&data(flags, rest)).ok()?;
            assert_eq!(read.relying_party, Sha256([7; 32]));
            Some((read.user_present, read.user_verified))
        };
        for (flags, rest, expected) in [
            (0x00, &[][..], Some((false, false))),
            (0x01, &[], Some((true, false))),
            (0x05, &[], Some((true, true))),
            (0x1d, &[], Some((true, true))),
            (0x0d, &[], Some((true, true))),
            (0x85, &[0xa0], Some((true, true))),
            (0x85, &[], None),
            (0x05, &[0xa0], None),
            (0x15, &[], None),
            (0x45, &[1], None),
            (0x45, &[], None),
        ] {
            assert_eq!(read(flags, rest), expected, "{flags:x} {rest:?}");
        }
        for length in 0..37 {
            assert!(AuthenticatorData::parse(&data(5, &[])[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn a_browsers_statement_is_read_with_members_that_nobody_knows() {
        let json = br#"{"type":"webauthn.get","challenge":"AQID","origin":"https://a.example",
            "topOrigin":"https://b.example","later":{"x":[1]}}"#;
        let read = ClientData::parse(json).unwrap();
        assert_eq!((read.challenge.0.as_slice(), read.cross_origin), (&[1, 2, 3][..], false));
        for bad in [
            "",
            "[]",
            r#"{"type":"webauthn.get","challenge":"AQID"}"#,
            r#"{"type":"webauthn.get","challenge":"A=","origin":"https://a.example"}"#,
            r#"{"type":"webauthn.get","challenge":"AQID","origin":"a","origin":"b"}"#,
            r#"{"type":"webauthn.get","challenge":"AQID","origin":"a","crossOrigin":"no"}"#,
        ] {
            assert!(ClientData::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = (ClientData::parse(&bytes), AuthenticatorData::parse(&bytes));
        }
    }
}
