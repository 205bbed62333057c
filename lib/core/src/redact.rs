//! Types for secrets and personal data: they have no `Display`, redact their `Debug` and are zeroed
//! on drop.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Text about a person, or a secret that a person typed.
///
/// The type serialises as a plain string. Code reads the text only through [`Personal::expose`], so
/// that a search finds every use.
#[derive(
    Clone, PartialEq, Eq, Hash, Serialize, Deserialize, Zeroize, ZeroizeOnDrop, JsonSchema,
)]
#[serde(transparent)]
#[schemars(extend("examples" = ["Ada Lovelace"]))]
pub struct Personal(String);

impl Personal {
    /// Wraps `text`. Copies that the caller still holds are not zeroed.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text in clear. Never log it or put it into an error.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Personal {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Personal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Personal(…)")
    }
}

/// Thirty-two secret bytes: a key, a verifier, the input of a keyed hash. Base64 in JSON.
#[derive(Clone, Zeroize, ZeroizeOnDrop, JsonSchema)]
#[schemars(extend(
    "contentEncoding" = "base64", "minLength" = 44, "maxLength" = 44,
    "examples" = ["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="],
))]
pub struct KeyBytes(#[schemars(with = "String")] [u8; 32]);

impl KeyBytes {
    /// Wraps `bytes`. Copies that the caller still holds are not zeroed.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes in clear. Never log them or put them into an error.
    #[must_use]
    pub const fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for KeyBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyBytes(…)")
    }
}

impl Serialize for KeyBytes {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        if s.is_human_readable() {
            s.serialize_str(&zeroize::Zeroizing::new(STANDARD.encode(self.0)))
        } else {
            self.0.serialize(s)
        }
    }
}

impl<'de> Deserialize<'de> for KeyBytes {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        if !d.is_human_readable() {
            return Ok(Self(<[u8; 32]>::deserialize(d)?));
        }
        let text = zeroize::Zeroizing::new(String::deserialize(d)?);
        let mut out = Self([0; 32]);
        match STANDARD.decode_slice(text.as_bytes(), &mut out.0) {
            Ok(32) => Ok(out),
            _ => Err(serde::de::Error::custom("not the base64 of 32 bytes")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{KeyBytes, Personal};

    #[test]
    fn debug_output_holds_no_secret() {
        assert_eq!(format!("{:?}", Personal::new("Ada")), "Personal(…)");
        assert_eq!(format!("{:?}", KeyBytes::new([7; 32])), "KeyBytes(…)");
    }

    #[test]
    fn key_bytes_parse_from_exactly_thirty_two_bytes() -> Result<(), Box<dyn std::error::Error>> {
        let text = serde_json::to_string(&KeyBytes::new([7; 32]))?;
        assert_eq!(serde_json::from_str::<KeyBytes>(&text)?.expose(), &[7; 32]);
        for bad in [r#""""#, r#""AAAA""#, &text.replace('=', "A")] {
            assert!(serde_json::from_str::<KeyBytes>(bad).is_err(), "{bad} was taken");
        }
        Ok(())
    }
}
