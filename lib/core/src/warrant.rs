//! What a warrant is for.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a warrant is for. Two people sign it with the warrant, so it names exactly what they read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum WarrantSubject {
    /// Sending one version of a letter.
    Letter {
        /// The number of the letter.
        letter: u32,
        /// SHA-256 of the version's text.
        version: Sha256,
    },
    /// Paper post to the people whom a letter did not reach.
    PaperPost {
        /// The number of the letter.
        letter: u32,
    },
}

impl fmt::Display for WarrantSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Letter { letter, version } => write!(f, "letter {letter}, version {version}"),
            Self::PaperPost { letter } => {
                write!(f, "paper post to the people whom letter {letter} did not reach")
            }
        }
    }
}

/// A SHA-256 digest; as text, 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(
    with = "String",
    extend(
        "pattern" = "^[0-9a-f]{64}$",
        "examples" = ["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"]
    )
)]
pub struct Sha256([u8; 32]);

/// A text that is no SHA-256 digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a SHA-256 digest is 64 lower-case hexadecimal digits")]
pub struct BadSha256;

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sha256({self})")
    }
}

impl FromStr for Sha256 {
    type Err = BadSha256;

    fn from_str(text: &str) -> Result<Self, BadSha256> {
        let digit = |digit: u8| match digit {
            b'0'..=b'9' => Ok(digit - b'0'),
            b'a'..=b'f' => Ok(digit - b'a' + 10),
            _ => Err(BadSha256),
        };
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        let mut bytes = [0; 32];
        if pairs.len() != bytes.len() || !rest.is_empty() {
            return Err(BadSha256);
        }
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for Sha256 {
    type Error = BadSha256;

    fn try_from(text: String) -> Result<Self, BadSha256> {
        text.parse()
    }
}

impl From<Sha256> for String {
    fn from(digest: Sha256) -> Self {
        digest.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

    #[test]
    fn a_digest_reads_back_and_nothing_else_is_one() {
        let digest: Sha256 = DIGEST.parse().unwrap();
        assert_eq!((digest.to_string(), digest.0[0], digest.0[31]), (DIGEST.to_owned(), 0x9f, 8));
        let longer = format!("{DIGEST}00");
        let upper = DIGEST.to_uppercase();
        for bad in ["", &DIGEST[1..], &DIGEST[2..], &longer, &upper, &DIGEST.replace('9', "g")] {
            assert_eq!(bad.parse::<Sha256>(), Err(BadSha256), "{bad}");
        }
    }

    #[test]
    fn a_subject_has_one_text_that_is_signed() {
        let version = DIGEST.parse().unwrap();
        let letter = WarrantSubject::Letter { letter: 2, version };
        let json = format!(r#"{{"letter":{{"letter":2,"version":"{DIGEST}"}}}}"#);
        assert_eq!(serde_json::to_string(&letter).unwrap(), json);
        assert_eq!(serde_json::from_str::<WarrantSubject>(&json).unwrap(), letter);
        let post = WarrantSubject::PaperPost { letter: 2 };
        assert_eq!(serde_json::to_string(&post).unwrap(), r#"{"paper_post":{"letter":2}}"#);
        let with_more = r#"{"paper_post":{"letter":2,"version":""}}"#;
        assert!(serde_json::from_str::<WarrantSubject>(with_more).is_err());
    }
}
