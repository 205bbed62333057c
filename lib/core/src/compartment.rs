//! The four compartments by name.

use std::fmt;

/// A compartment. Its name is the subcommand that serves it, its directory in the estate, and the
/// stem of its configuration file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compartment {
    /// The compartment with master keys, budgets and the release log.
    Keys,
    /// The compartment with customers and their sessions.
    Accounts,
    /// The compartment with cards.
    Payments,
    /// The compartment with incidents, letters and evidence.
    Response,
}

impl Compartment {
    /// All compartments. Each one calls only those before it.
    pub const ALL: [Self; 4] = [Self::Keys, Self::Accounts, Self::Payments, Self::Response];

    /// The name, as `keys`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Keys => "keys",
            Self::Accounts => "accounts",
            Self::Payments => "payments",
            Self::Response => "response",
        }
    }

    /// The DNS name that a compartment's certificate must have, as `keys.cofferdam.internal`. A
    /// client asks for it, whatever the host's own name is, so that no other certificate of the
    /// same authority stands in for the compartment.
    #[must_use]
    pub const fn server_name(self) -> &'static str {
        match self {
            Self::Keys => "keys.cofferdam.internal",
            Self::Accounts => "accounts.cofferdam.internal",
            Self::Payments => "payments.cofferdam.internal",
            Self::Response => "response.cofferdam.internal",
        }
    }
}

impl fmt::Display for Compartment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
