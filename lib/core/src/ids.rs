//! Typed numbers and names, so that a record can't be mistaken for an epoch or a caller for a text.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The number of a customer (in `accounts`), a card (in `payments`) or a person of a brought table
/// (in `response`). Numbers are dense from 0 and have 32 bits, so that sets of records are Roaring
/// bitmaps.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Record(pub u32);

impl Record {
    /// The record that stands for "no customer". If a typed e-mail address belongs to no customer,
    /// the password is hardened under this record, so that a sign-in takes the same steps either
    /// way.
    pub const NOBODY: Self = Self(u32::MAX);
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The number by which app servers and importers know a customer. It says neither when the customer
/// signed up nor which records are decoys: `accounts` permutes record numbers under a key.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct CustomerNumber(pub u32);

impl fmt::Display for CustomerNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The generation of a domain's master key. All fields of a record are sealed under one epoch.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Epoch(pub u16);

/// The identity in a client certificate: lower-case letters, digits and hyphens, 1 to 63 bytes,
/// as in a DNS label (RFC 1035, section 2.3.1).
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("pattern" = "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", "examples" = ["web-ky-1"]))]
pub struct CallerName(String);

/// The given string can't be a caller's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} can't be a caller's name: use 1 to 63 of a-z, 0-9 and '-', with no '-' at either end{hint}",
    hint = hint(.0)
)]
pub struct BadName(pub String);

/// The name that a text may stand for, as the end of a sentence.
fn hint(text: &str) -> String {
    match CallerName::from_foreign(text) {
        meant if meant.as_str() == "unknown" => String::new(),
        meant => format!("; perhaps {meant} is meant"),
    }
}

/// The most letters of a misspelt name that are wrong.
const MAX_WRONG: usize = 2;

impl CallerName {
    /// The known name that this one most resembles, if it may be a misspelling of it.
    #[must_use]
    pub fn most_like<'a>(&self, known: impl IntoIterator<Item = &'a Self>) -> Option<&'a Self> {
        let wrong = |name: &&Self| strsim::damerau_levenshtein(&self.0, &name.0);
        // Half of a short name may be another name.
        let most = MAX_WRONG.min(self.0.len() / 3);
        known.into_iter().min_by_key(wrong).filter(|name| wrong(name) <= most)
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CallerName {
    type Err = BadName;

    fn from_str(s: &str) -> Result<Self, BadName> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let good = (1..=63).contains(&s.len())
            && s.bytes().all(plain)
            && !s.starts_with('-')
            && !s.ends_with('-');
        if good { Ok(Self(s.to_owned())) } else { Err(BadName(s.to_owned())) }
    }
}

impl TryFrom<String> for CallerName {
    type Error = BadName;

    fn try_from(s: String) -> Result<Self, BadName> {
        s.parse()
    }
}

impl From<CallerName> for String {
    fn from(name: CallerName) -> Self {
        name.0
    }
}

impl fmt::Display for CallerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::CallerName;

    #[test]
    fn a_callers_name_is_a_dns_label() {
        for good in ["a", "web-ky-1", "0"] {
            assert_eq!(good.parse::<CallerName>().map(String::from), Ok(good.to_owned()));
        }
        let too_long = "a".repeat(64);
        for bad in ["", "-a", "a-", "Web", "a.b", "a b", "ä", &too_long] {
            assert!(bad.parse::<CallerName>().is_err(), "{bad:?} was taken");
        }
    }
}
