//! Cards: storing, reading, revealing, counting.

use cofferdam_core::{Call, Personal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::token::CardToken;

/// Stores the cards of a call, all or none. A security code (CVV) is no field of a card, and a
/// request with one is refused.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StoreCards {
    /// The cards, 1 to 1,000.
    pub cards: Vec<CardDetails>,
}

/// A card as the customer typed it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CardDetails {
    /// The card number, 12 to 19 digits with a good Luhn check digit (ISO/IEC 7812-1). Blanks and
    /// hyphens between them make no difference.
    #[schemars(extend("examples" = ["4111 1111 1111 1111"]))]
    pub number: Personal,
    /// The month of expiry, 1 to 12.
    #[schemars(extend("examples" = [11]))]
    pub expiry_month: u8,
    /// The year of expiry, with all four digits. The card must not have expired.
    #[schemars(extend("examples" = [2029]))]
    pub expiry_year: u16,
}

/// The facts that the shop may keep about a card.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct StoredCard {
    /// The token that stands for the card from now on.
    pub token: CardToken,
    /// The card's network.
    pub brand: Brand,
    /// The last four digits of the number.
    #[schemars(extend("examples" = ["1111"]))]
    pub last4: Personal,
}

/// The network of a card, by the leading digits of its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Brand {
    /// Visa: 4
    Visa,
    /// Mastercard: 51–55, 2221–2720
    Mastercard,
    /// American Express: 34, 37
    Amex,
    /// Discover: 6011, 644–649, 65
    Discover,
    /// JCB: 3528–3589
    Jcb,
    /// Diners Club: 300–305, 36, 38, 39
    Diners,
    /// Another network
    Other,
}

impl Call for StoreCards {
    const PATH: &'static str = "/v1/cards/store";
    /// One for each card, in their order.
    type Answer = Vec<StoredCard>;
}

/// Reads the facts about a card that may be shown.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadCard {
    /// The token of the card.
    pub token: CardToken,
}

/// The facts about a card that may be shown.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct MaskedCard {
    /// The card's network.
    pub brand: Brand,
    /// The last four digits of the number.
    #[schemars(extend("examples" = ["1111"]))]
    pub last4: Personal,
    /// Month and year of expiry, `MM/YYYY`.
    #[schemars(extend("examples" = ["11/2029"]))]
    pub expiry: Personal,
}

impl Call for ReadCard {
    const PATH: &'static str = "/v1/cards/read";
    type Answer = MaskedCard;
}

/// Reveals a full card, to the forwarder to the payment processor and nobody else.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RevealCard {
    /// The token of the card.
    pub token: CardToken,
}

/// A full card: number and expiry.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct FullCard {
    /// The card number, digits only.
    #[schemars(extend("examples" = ["4111111111111111"]))]
    pub number: Personal,
    /// Month and year of expiry, `MM/YYYY`.
    #[schemars(extend("examples" = ["11/2029"]))]
    pub expiry: Personal,
}

impl Call for RevealCard {
    const PATH: &'static str = "/v1/cards/reveal";
    type Answer = FullCard;
}

/// Counts the cards that are kept. For the controller.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CountCards {}

impl Call for CountCards {
    const PATH: &'static str = "/v1/cards/count";
    type Answer = u64;
}
