//! Card tokens.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A card token, which stands for a card outside the compartment: 32 random hexadecimal digits, so
/// that it tells nothing about the card.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("pattern" = "^[0-9a-f]{32}$", "examples" = ["5f0c4e7a91d3b826f04c7be95a31d860"]))]
pub struct CardToken(String);

/// A string that is no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a card token is 32 hexadecimal digits")]
pub struct BadToken;

impl CardToken {
    /// The token as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CardToken {
    type Err = BadToken;

    fn from_str(text: &str) -> Result<Self, BadToken> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let good = text.len() == 32 && text.bytes().all(is_digit);
        if good { Ok(Self(text.to_owned())) } else { Err(BadToken) }
    }
}

impl TryFrom<String> for CardToken {
    type Error = BadToken;

    fn try_from(text: String) -> Result<Self, BadToken> {
        text.parse()
    }
}

impl From<CardToken> for String {
    fn from(token: CardToken) -> Self {
        token.0
    }
}

impl fmt::Display for CardToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
