//! Fallen hosts and their kinds.

use std::fmt;
use std::str::FromStr;

use cofferdam_core::CallerName;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The kind of a host. It decides what the host gives up when it falls.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum HostKind {
    /// A client of `accounts` or `payments`. It gives up the data released to it, the data typed or
    /// brought there, and the sessions that it saw.
    App,
    /// The `accounts` compartment. It gives up everything that passed through it, and its
    /// ciphertext.
    Accounts,
    /// The database of `accounts`, or a backup of it. It gives up ciphertext.
    AccountsDatabase,
    /// The `payments` compartment.
    Payments,
    /// The database of `payments`, or a backup of it.
    PaymentsDatabase,
    /// The `keys` compartment. It gives up keys, which open the ciphertext that fell with it.
    Keys,
    /// The `response` compartment. It gives up the contacts released to it under warrants.
    Response,
    /// The mail relay. It gives up the letters handed over to it.
    Relay,
}

impl HostKind {
    /// Every kind of host, app servers first.
    pub const ALL: [Self; 8] = [
        Self::App,
        Self::Accounts,
        Self::AccountsDatabase,
        Self::Payments,
        Self::PaymentsDatabase,
        Self::Keys,
        Self::Response,
        Self::Relay,
    ];

    /// The name used on the command line, in the store and in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::Accounts => "accounts",
            Self::AccountsDatabase => "accounts_database",
            Self::Payments => "payments",
            Self::PaymentsDatabase => "payments_database",
            Self::Keys => "keys",
            Self::Response => "response",
            Self::Relay => "relay",
        }
    }

    /// Whether a host of this kind calls under a name of its own, so that it can be frozen.
    #[must_use]
    pub const fn is_caller(self) -> bool {
        matches!(self, Self::App | Self::Accounts | Self::Payments | Self::Response)
    }
}

/// A host that fell: `web-ky-1`, or `backup-7=accounts_database`.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub struct FallenHost {
    /// The name in its certificate. A host without a certificate has any name by which people know
    /// it.
    pub host: CallerName,
    /// The kind of the host.
    pub kind: HostKind,
}

impl fmt::Display for FallenHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            HostKind::App => f.write_str(self.host.as_str()),
            kind => write!(f, "{}={}", self.host.as_str(), kind.as_str()),
        }
    }
}

/// A text that names no host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadHost {
    /// The name is not a caller's name.
    #[error(transparent)]
    Name(#[from] cofferdam_core::BadName),
    /// The kind is unknown.
    #[error(
        "{0:?} is no kind of host: app, accounts, accounts_database, payments, payments_database, \
         keys, response or relay"
    )]
    Kind(String),
}

impl FromStr for FallenHost {
    type Err = BadHost;

    fn from_str(text: &str) -> Result<Self, BadHost> {
        let (host, kind) = match text.split_once('=') {
            Some((host, kind)) => {
                let known = HostKind::ALL.into_iter().find(|of| of.as_str() == kind);
                (host, known.ok_or_else(|| BadHost::Kind(kind.to_owned()))?)
            }
            None => (text, HostKind::App),
        };
        Ok(Self { host: host.parse()?, kind })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_reads_as_it_is_written() {
        for text in ["web-ky-1", "backup-7=accounts_database", "keys=keys", "mail-1=relay"] {
            assert_eq!(text.parse::<FallenHost>().map(|host| host.to_string()), Ok(text.into()));
        }
        assert!("web-ky-1=toaster".parse::<FallenHost>().is_err());
        assert!("Web 1".parse::<FallenHost>().is_err());
    }
}
