//! Country, region and language: coarse attributes that count people by jurisdiction and choose a
//! letter's language. They identify nobody, so the compartments keep them in clear.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The given string is not a code of the expected form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{value:?} is not a {what}")]
pub struct BadLocale {
    value: String,
    what: &'static str,
}

macro_rules! code {
    ($(#[$doc:meta])* $name:ident, $what:literal, $example:literal, $good:expr) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
        )]
        #[serde(try_from = "String", into = "String")]
        #[schemars(extend("examples" = [$example]))]
        pub struct $name(String);

        impl $name {
            /// The code as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = BadLocale;

            fn from_str(s: &str) -> Result<Self, BadLocale> {
                let good: fn(&[u8]) -> bool = $good;
                if good(s.as_bytes()) {
                    Ok(Self(s.to_owned()))
                } else {
                    Err(BadLocale { value: s.to_owned(), what: $what })
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadLocale;

            fn try_from(s: String) -> Result<Self, BadLocale> {
                s.parse()
            }
        }

        impl From<$name> for String {
            fn from(code: $name) -> Self {
                code.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

code! {
    /// A country: two capital letters (ISO 3166-1 alpha-2).
    Country, "country code (two capital letters, ISO 3166-1)", "US",
    |s| s.len() == 2 && s.iter().all(u8::is_ascii_uppercase)
}
code! {
    /// A state or province within a country: the part of its ISO 3166-2 code after the hyphen,
    /// one to three capital letters or digits.
    Region, "region code (one to three capital letters or digits, ISO 3166-2)", "KY",
    |s| (1..=3).contains(&s.len()) && s.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}
code! {
    /// A language: two small letters (ISO 639-1).
    Language, "language code (two small letters, ISO 639-1)", "en",
    |s| s.len() == 2 && s.iter().all(u8::is_ascii_lowercase)
}
