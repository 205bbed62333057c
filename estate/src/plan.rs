//! The callers and approvers of a new estate, and the choices that differ between estates.

use cofferdam_core::{CallerName, KeyBytes};
use keys_api::Budget;

use crate::Compartment;

/// The example callers. Each gets a certificate, and so does each compartment.
pub const CALLERS: [&str; 10] = [
    "web-ky-1",
    "web-ky-2",
    "checkout-1",
    "processor-1",
    "import-1",
    "shipping-1",
    "support-1",
    "operator-1",
    "auditor-1",
    "mail-trap-1",
];

/// The two people for whom an estate is made with signing keys.
pub const APPROVERS: [&str; 2] = ["ann", "bob"];

/// The budget of a shop's server for an ordinary day.
pub const ORDINARY: Budget = Budget { minute: 600, hour: 10_000, day: 50_000, burst: 0 };

/// The choices that differ between estates.
#[derive(Debug, Clone)]
pub struct Plan {
    /// One customer in this many is a decoy.
    pub decoy_one_in: u32,
    /// The relay of an incident's letters, as `HOST:PORT`. Without a relay, they go to the estate's
    /// own sink, like all other mail.
    pub letters_relay: Option<String>,
    /// The key that chooses the decoys; random by default. A drill gives a key, so that the same
    /// seed makes the same estate.
    pub decoy_key: Option<KeyBytes>,
    /// The budget of each app server for reading customers.
    pub web_release: Budget,
    /// Whether app servers see customers only while these are signed in there. A drill compares both.
    pub presence: bool,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            decoy_one_in: 10_000,
            letters_relay: None,
            decoy_key: None,
            web_release: ORDINARY,
            presence: true,
        }
    }
}

/// The name in a compartment's own certificate. It has a number if several instances may share one
/// database.
pub fn identity(compartment: Compartment) -> CallerName {
    caller(match compartment {
        Compartment::Keys => "keys",
        Compartment::Accounts => "accounts",
        Compartment::Payments => "payments",
        Compartment::Response => "response-1",
    })
}

/// Makes a caller's name from a constant of this crate.
pub fn caller(name: &str) -> CallerName {
    #[expect(clippy::expect_used, reason = "every caller is one of this crate's constants")]
    name.parse().expect("a caller's name")
}
