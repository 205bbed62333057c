//! The OpenAPI document's description of the compartment as a whole.

use cofferdam_wire::About;

/// The name, the description and the nouns of the compartment.
pub const ABOUT: About = About {
    name: "payments",
    description: "Holds cards, sealed, and gives out tokens that stand for them. It has no key of its \
                  own: it asks `keys` for the keys of each request, on behalf of the caller, and passes a \
                  refusal of `keys` on. It knows nothing about who the customer is, and no security code \
                  (CVV).\n\n\
                  Checkout servers store cards and read what may be shown of them. The forwarder to the \
                  payment processor reveals a card in full. The controller (`response`) counts cards, \
                  freezes callers, follows the move to a new epoch, and reads the checkpoints that \
                  were seen.",
    nouns: &[
        ("cards", "Cards, sealed, each behind a token"),
        ("callers", "The callers of this compartment, which may be frozen"),
        ("checkpoints", "The highest checkpoint of each release log that was seen"),
        ("reseal", "The move of all cards to a new epoch"),
    ],
};
