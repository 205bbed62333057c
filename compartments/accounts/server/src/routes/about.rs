//! The OpenAPI document's description of the compartment as a whole.

use cofferdam_wire::About;

/// The name, the description and the nouns of the compartment.
pub const ABOUT: About = About {
    name: "accounts",
    description: "Holds customers, sealed field by field, and their credentials and sessions. It has no \
                  key of its own: it asks `keys` for the keys of each request, on behalf of the caller.\n\n\
                  App servers of the shop create, read, find and erase customers, sign them in, reset \
                  their passwords and add their passkeys, each within its grants in `keys`; a refusal of `keys` is passed \
                  on. Importers take over the customers of an older shop. The mail server reports mail \
                  to decoys. The controller (`response`) voids credentials, revokes sessions, freezes \
                  callers, reads contacts under a warrant, follows changes, and reads the checkpoints \
                  that were seen.\n\n\
                  App servers and importers know a customer by a customer number, which tells neither when \
                  the customer signed up nor where decoys are. The controller knows record numbers.",
    nouns: &[
        ("customers", "People with an account, and decoys among them"),
        ("customer-numbers", "The numbers by which callers know customers, and their records"),
        ("imports", "Files of customers of an older shop, and how far each came"),
        ("sessions", "Customers who are signed in at a caller"),
        ("passwords", "Passwords, which are checked and never read"),
        ("passkeys", "Public keys that customers added, with which they sign in"),
        ("credentials", "The passwords of many customers at once"),
        ("resets", "Codes that are mailed to customers, to set a new password"),
        ("reset-load", "How busy this instance is with signing in and resets"),
        ("callers", "The callers of this compartment, which may be frozen"),
        ("contacts", "Names and e-mail addresses, under a warrant"),
        ("postal-contacts", "Names and postal addresses, under a warrant"),
        ("changes", "Which customers were written, changed or erased"),
        ("activity", "Which customers had a session at a caller, or were mailed a reset code"),
        ("checkpoints", "The highest checkpoint of each release log that was seen"),
        ("reseal", "The move of all customers to a new epoch"),
        ("mail", "Mail that came to addresses in the mail domains of decoys"),
    ],
};
