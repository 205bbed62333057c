//! The reason that people give for what they order.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A reason: one line of at most 500 characters, with three letters or digits at least, and without
/// white space at its ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("examples" = ["it opened a decoy"]))]
pub struct Reason(#[schemars(with = "String")] String);

/// A text that gives no reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a reason is one line of at most {max} characters, with {least} letters or digits at least, and \
     without white space at its ends",
    max = Reason::MAX
)]
pub struct BadReason {
    least: usize,
}

impl Reason {
    const MAX: usize = 500;
    const LEAST: usize = 3;
    /// The letters and digits that a reason for breaking the glass has at least.
    const LEAST_FOR_GLASS: usize = 10;

    /// The reason as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads a reason for breaking the glass, which has ten letters or digits at least. It is signed
    /// as it stands, so that it has no white space at its ends.
    pub fn for_glass(text: &str) -> Result<Self, BadReason> {
        let reason = Self::with(text, Self::LEAST_FOR_GLASS)?;
        if reason.0 == text { Ok(reason) } else { Err(BadReason { least: Self::LEAST_FOR_GLASS }) }
    }

    fn with(text: &str, least: usize) -> Result<Self, BadReason> {
        let text = text.trim();
        let is_line = !text.chars().any(char::is_control) && text.chars().count() <= Self::MAX;
        if is_line && text.chars().filter(|c| is_visible(*c)).count() >= least {
            return Ok(Self(text.to_owned()));
        }
        Err(BadReason { least })
    }
}

/// Whether a character is a letter or a digit that shows. The fillers of Hangul count as letters
/// and show nothing.
fn is_visible(c: char) -> bool {
    c.is_alphanumeric() && !matches!(c, '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}')
}

impl FromStr for Reason {
    type Err = BadReason;

    fn from_str(text: &str) -> Result<Self, BadReason> {
        Self::with(text, Self::LEAST)
    }
}

impl TryFrom<String> for Reason {
    type Error = BadReason;

    fn try_from(text: String) -> Result<Self, BadReason> {
        text.parse()
    }
}

impl From<Reason> for String {
    fn from(reason: Reason) -> Self {
        reason.0
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_says_something_in_one_line() {
        for (text, kept) in [
            ("it fell", Some("it fell")),
            ("  a trap \t", Some("a trap")),
            ("日本語", Some("日本語")),
            ("", None),
            ("          ", None),
            ("..........", None),
            ("ab", None),
            ("a b", None),
            ("two\nlines", None),
            ("zero \0 byte", None),
            ("\u{200b}\u{200b}\u{200b}\u{200b}", None),
            ("\u{3164}\u{3164}\u{3164}\u{3164}", None),
        ] {
            let reason = text.parse::<Reason>().ok();
            assert_eq!(reason.as_ref().map(Reason::as_str), kept, "{text:?}");
        }
        assert!("ü".repeat(500).parse::<Reason>().is_ok());
        assert!("ü".repeat(501).parse::<Reason>().is_err());
        assert!(serde_json::from_str::<Reason>("\"  \"").is_err());
    }

    #[test]
    fn breaking_the_glass_takes_ten_letters_or_digits() {
        for (text, taken) in [
            ("bob is away", false),
            ("bob can't be reached", true),
            ("bob can't be reached ", false),
            ("ten blanks          ", false),
            ("          ", false),
            ("- - - - - - - - - -", false),
        ] {
            assert_eq!(Reason::for_glass(text).is_ok(), taken, "{text:?}");
        }
    }
}
