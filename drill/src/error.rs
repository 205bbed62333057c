//! The errors of a drill.

use std::io;
use std::path::PathBuf;

use cofferdam_core::{BadName, BadReason};
use cofferdam_mail::sink::SinkError;
use cofferdam_store::StoreError;
use cofferdam_wire::{CallError, ConfigError};
use estate::EstateError;
use keys_client::{HalfError, VaultError};
use staff::StepError;
use staff::approvers::KeyError;
use staff::import::ImportError;
use staff::order::OrderError;

use crate::flat::FlatError;

/// A drill that does not come to its end. A check that does not hold is no error: the report names
/// it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DrillError {
    /// The estate can't be made or run, or a process of it died.
    #[error(transparent)]
    Estate(#[from] EstateError),
    /// A step of the response did not happen.
    #[error(transparent)]
    Step(#[from] StepError),
    /// An order can't be drafted, signed or applied.
    #[error(transparent)]
    Order(#[from] OrderError),
    /// The customers can't be imported.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// An approver's key can't be opened.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A compartment refused a call that the shop, a customer or the drill itself may make.
    #[error(transparent)]
    Call(#[from] CallError),
    /// A text is no caller's name.
    #[error(transparent)]
    Name(#[from] BadName),
    /// A text gives no reason.
    #[error(transparent)]
    Reason(#[from] BadReason),
    /// The conventional shop failed.
    #[error(transparent)]
    Flat(#[from] FlatError),
    /// The mail sink can't be read.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// The stolen database can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A stolen text does not open under the keys that were released for it, or none were.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The stolen halves of keys can't be read.
    #[error(transparent)]
    Half(#[from] HalfError),
    /// A stolen configuration can't be read.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A file of customers can't be read or written.
    #[error("{}: {source}", path.display())]
    Customers {
        /// The path of the file.
        path: PathBuf,
        /// The error of the CSV reader or writer.
        source: csv::Error,
    },
    /// A row of customers can't be read.
    #[error("a file of customers can't be read: {0}")]
    Row(#[from] csv::Error),
    /// A file or a connection failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// There are more customers than record numbers.
    #[error("too many customers: {0}")]
    TooMany(#[from] std::num::TryFromIntError),
    /// A visit was cut short.
    #[error("a visit ended early: {0}")]
    Visit(#[from] tokio::task::JoinError),
    /// The letters of a drill tell of a breach that did not happen. With customers of a file, they
    /// must not leave the machine.
    #[error("with --file, the letters of a drill go to a relay on loopback only")]
    RelayAbroad,
    /// The drill found something that no drill should find.
    #[error("{0}")]
    Unexpected(String),
}

impl DrillError {
    /// Makes the error for something that no drill should find.
    pub(crate) fn unexpected(what: impl Into<String>) -> Self {
        Self::Unexpected(what.into())
    }
}
