//! What the `payments` compartment says over the wire.
//!
//! May touch: `cofferdam-core` only. Called by: `payments/server`, and as a client's vocabulary
//! by `response` and the CLI.

use std::fmt;
use std::str::FromStr;

use cofferdam_core::{Call, CallerName, Personal, Record, Reseal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Stands for a card outside the compartment: 32 hexadecimal digits, random, so that it says
/// nothing about the card.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
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

    fn from_str(s: &str) -> Result<Self, BadToken> {
        let plain = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if s.len() == 32 && s.bytes().all(plain) { Ok(Self(s.to_owned())) } else { Err(BadToken) }
    }
}

impl TryFrom<String> for CardToken {
    type Error = BadToken;

    fn try_from(s: String) -> Result<Self, BadToken> {
        s.parse()
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

/// Stores cards. All of a call are stored, or none; a security code (CVV) is no field of it, and
/// a request that carries one is refused.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StoreCards {
    /// One to 1,000 cards.
    pub cards: Vec<CardDetails>,
}

/// A card as the customer typed it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CardDetails {
    /// The card number, 12 to 19 digits with a good Luhn check digit (ISO/IEC 7812-1); blanks
    /// and hyphens between them don't matter.
    pub number: Personal,
    /// The month of expiry, 1 to 12.
    pub expiry_month: u8,
    /// The year of expiry, in full; the card must not have expired.
    pub expiry_year: u16,
}

/// What the shop may keep of a card.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct StoredCard {
    /// What stands for it from now on.
    pub token: CardToken,
    /// Whose network.
    pub brand: Brand,
    /// The last four digits.
    pub last4: Personal,
}

/// The card's network, by its leading digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Brand {
    /// 4
    Visa,
    /// 51–55, 2221–2720
    Mastercard,
    /// 34, 37
    Amex,
    /// 6011, 644–649, 65
    Discover,
    /// 3528–3589
    Jcb,
    /// 300–305, 36, 38, 39
    Diners,
    /// Any other.
    Other,
}

impl Call for StoreCards {
    const PATH: &'static str = "/v1/cards/store";
    /// One a card, in their order.
    type Answer = Vec<StoredCard>;
}

/// Reads what may be shown of a card.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadCard {
    /// Which.
    pub token: CardToken,
}

/// What may be shown of a card.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct MaskedCard {
    /// The record number in this compartment.
    pub record: Record,
    /// Whose network.
    pub brand: Brand,
    /// The last four digits.
    pub last4: Personal,
    /// Month and year of expiry, `MM/YYYY`.
    pub expiry: Personal,
}

impl Call for ReadCard {
    const PATH: &'static str = "/v1/cards/read";
    type Answer = MaskedCard;
}

/// Reads a card in full: for the forwarder to the payment processor, and nobody else.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RevealCard {
    /// Which.
    pub token: CardToken,
}

/// A card in full.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct FullCard {
    /// The record number in this compartment.
    pub record: Record,
    /// The card number, digits only.
    pub number: Personal,
    /// Month and year of expiry, `MM/YYYY`.
    pub expiry: Personal,
}

impl Call for RevealCard {
    const PATH: &'static str = "/v1/cards/reveal";
    type Answer = FullCard;
}

/// Refuses a caller everything from now on, or no longer. For `response` only.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FreezeCaller {
    /// Who.
    pub caller: CallerName,
    /// Frozen, or thawed.
    pub frozen: bool,
    /// Why, at most 500 characters.
    pub reason: String,
}

impl Call for FreezeCaller {
    const PATH: &'static str = "/v1/contain/freeze";
    type Answer = ();
}

/// Counts the cards held. For `response` only.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CountCards {}

impl Call for CountCards {
    const PATH: &'static str = "/v1/cards/count";
    type Answer = u64;
}

/// How far the re-sealing of all cards under a new epoch is. For the controller.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadReseal {}

impl Call for ReadReseal {
    const PATH: &'static str = "/v1/reseal/read";
    type Answer = Reseal;
}
