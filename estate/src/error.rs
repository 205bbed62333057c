//! Errors of making, opening and running an estate.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use cofferdam_core::CallerName;
use cofferdam_mail::DkimError;
use cofferdam_wire::{ConfigError, IdentityError};
use keys_api::BadApproverKey;
use keys_server::ceremony::CeremonyError;
use response_server::logs::WitnessError;

use crate::Compartment;

/// The number of lines of a dead process's log that are shown.
const LAST_LINES: usize = 8;

/// An estate that can't be made, opened or run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EstateError {
    /// The directory holds no estate.
    #[error("there is no estate in {}: make one with `cofferdam up --dir {}`", .0.display(), .0.display())]
    NoEstate(PathBuf),
    /// An estate would be made among other files.
    #[error("{} is not empty; choose another --dir", .0.display())]
    NotEmpty(PathBuf),
    /// A caller has no certificate in this estate.
    #[error("the estate has no certificate for {caller}; it has: {}", others.join(", "))]
    NoCaller {
        /// The caller that was asked for.
        caller: CallerName,
        /// The callers that have a certificate.
        others: Vec<String>,
    },
    /// All ports of the range are taken.
    #[error("no port of loopback from 20000 to 29999 is free")]
    NoPorts,
    /// A file or directory can't be read, written or moved.
    #[error("{}: {source}", path.display())]
    File {
        /// The path of the file or directory.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A configuration or a secret can't be read or written.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A configuration can't be written as TOML.
    #[error(transparent)]
    Toml(#[from] toml::ser::Error),
    /// A certificate can't be loaded.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// A certificate can't be made.
    #[error("a certificate can't be made: {0}")]
    Certificate(#[from] rcgen::Error),
    /// The clock shows an instant that no certificate can name.
    #[error("the clock is wrong: {0}")]
    Clock(#[from] time::error::ComponentRange),
    /// The secrets of `keys` can't be made.
    #[error(transparent)]
    Ceremony(#[from] CeremonyError),
    /// The halves of `accounts` can't be made.
    #[error("accounts: {0}")]
    Accounts(#[from] accounts_server::StartError),
    /// The halves of `payments` can't be made.
    #[error("payments: {0}")]
    Payments(#[from] payments_server::StartError),
    /// The halves of `response` can't be made.
    #[error("response: {0}")]
    Response(#[from] response_server::StartError),
    /// An approver's key can't be made.
    #[error(transparent)]
    Approver(#[from] BadApproverKey),
    /// The key that signs letters can't be made.
    #[error(transparent)]
    Dkim(#[from] DkimError),
    /// The key that cosigns checkpoints can't be read back.
    #[error(transparent)]
    Witness(#[from] WitnessError),
    /// A process ended by itself.
    #[error(transparent)]
    Died(#[from] Died),
    /// A compartment does not answer in time.
    #[error("{0} does not answer after {1:?}")]
    Silent(Compartment, Duration),
}

impl EstateError {
    /// Names the file of a system error.
    pub(crate) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |source| Self::File { path: path.to_owned(), source }
    }
}

/// A process that ended by itself.
#[derive(Debug)]
pub struct Died {
    pub(crate) name: &'static str,
    pub(crate) status: ExitStatus,
    pub(crate) log: PathBuf,
}

impl fmt::Display for Died {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, status, log } = self;
        write!(f, "{name} died ({status}); its log {} ends:", log.display())?;
        let text = fs::read_to_string(log).unwrap_or_default();
        let lines: Vec<_> = text.lines().collect();
        for line in &lines[lines.len().saturating_sub(LAST_LINES)..] {
            write!(f, "\n    {line}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Died {}
