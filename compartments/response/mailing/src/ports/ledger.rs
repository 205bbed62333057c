//! The ledger and the letters, as workers use them.

use std::collections::BTreeMap;

use async_trait::async_trait;
use cofferdam_core::{FieldSet, Sha256, Timestamp};
use response_api::{LedgerState, LetterId};
use response_letter::Locale;

use crate::Letter;

/// The ledger can't be read or written, for now.
#[derive(Debug, thiserror::Error)]
#[error("the ledger can't be reached: {0}")]
pub struct LedgerError(#[from] pub Box<dyn std::error::Error + Send + Sync>);

impl cofferdam_core::InternalError for LedgerError {}

/// A worker in one of its lives: a random name that is never used again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Holder(pub String);

/// A person to write to, as a row of the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recipient {
    /// A customer's record number, or a place in the staff list.
    pub person: u32,
    /// The fields of this person that were read or presented.
    pub fields: FieldSet,
    /// The number of the letter's locale.
    pub locale: u16,
}

/// Rows that a worker holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Its number.
    pub batch: u32,
    /// How often its rows were put off.
    pub attempts: u16,
    /// Its open rows, the newest accounts first: their addresses are the freshest.
    pub recipients: Vec<Recipient>,
}

/// A new state of a row, and what led to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The person.
    pub person: u32,
    /// The row's new state.
    pub state: LedgerState,
    /// The number of the mail provider; 0 when it is not known.
    pub provider: u16,
    /// The relay's queue id, or what it said.
    pub detail: String,
    /// When the relay answered.
    pub at: Timestamp,
}

impl Outcome {
    /// Whether nothing more is tried for the row.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        !self.state.is_open()
    }
}

/// A row as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The person.
    pub person: u32,
    /// The state. A planned or deferred row of a held batch is claimed.
    pub state: LedgerState,
    /// The fields of this person that were read or presented.
    pub fields: FieldSet,
    /// The number of the letter's locale.
    pub locale: u16,
    /// The relay's queue id, or what it said.
    pub detail: String,
    /// When it got this state.
    pub at: Timestamp,
}

/// What became of the report that a letter came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CameBack {
    /// The row moved.
    Moved {
        /// The number of its mail provider.
        provider: u16,
    },
    /// The ledger does not know yet that the letter went out: the report must come again.
    TooEarly,
    /// There is no such row, or it has its last outcome.
    Ignored,
}

/// When rows that are put off together come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Postponement {
    /// Their mail provider.
    pub provider: u16,
    /// How often they were put off, this time included.
    pub attempts: u16,
    /// When they are due.
    pub due: Timestamp,
}

/// Rows by state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts([u64; LedgerState::ALL.len()]);

impl Counts {
    /// How many rows are in a state.
    #[must_use]
    pub const fn of(&self, state: LedgerState) -> u64 {
        self.0[state.code() as usize]
    }

    /// Adds rows to a state.
    pub const fn add(&mut self, state: LedgerState, rows: u64) {
        self.0[state.code() as usize] += rows;
    }

    /// All rows.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// The rows that still wait for an outcome.
    #[must_use]
    pub fn open(&self) -> u64 {
        LedgerState::ALL.into_iter().filter(|state| state.is_open()).map(|s| self.of(s)).sum()
    }
}

/// The letters, one row a mailing.
#[async_trait]
pub trait Letters: Send + Sync {
    /// Every letter.
    async fn all_letters(&self) -> Result<Vec<Letter>, LedgerError>;

    /// The JSON of a version.
    async fn version(&self, letter: LetterId, id: Sha256) -> Result<Option<String>, LedgerError>;

    /// The locales of a letter, by number.
    async fn locales(&self, letter: LetterId) -> Result<Vec<Locale>, LedgerError>;

    /// Pauses a running letter, for a reason that staff see.
    async fn pause_letter(&self, letter: LetterId, reason: &str) -> Result<(), LedgerError>;

    /// Finishes a running letter of which no row is open; `false` for any other.
    async fn finish_letter(&self, letter: LetterId, at: Timestamp) -> Result<bool, LedgerError>;

    /// The number of a mail provider. A name that is new gets one.
    async fn provider_number(&self, name: &str) -> Result<u16, LedgerError>;

    /// Notes that a provider gets none of a letter. An earlier reason stays.
    async fn pause_provider(
        &self,
        letter: LetterId,
        provider: u16,
        reason: &str,
        at: Timestamp,
    ) -> Result<(), LedgerError>;

    /// The paused providers of a letter, each with the reason.
    async fn provider_pauses(&self, letter: LetterId)
    -> Result<BTreeMap<u16, String>, LedgerError>;
}

/// The rows of letters, in batches that workers hold for a while. [`LedgerState`] says what each state
/// means and who may move a row into it.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Whether no other process can use this ledger.
    fn is_exclusive(&self) -> bool;

    /// The number of rows in each state.
    async fn counts(&self, letter: LetterId) -> Result<Counts, LedgerError>;

    /// Claims the next batch that is due at `now`, of no provider among `closed`, and holds it until
    /// `until`.
    async fn claim(
        &self,
        letter: LetterId,
        holder: &Holder,
        (now, until): (Timestamp, Timestamp),
        closed: &[u16],
    ) -> Result<Option<Batch>, LedgerError>;

    /// Extends the lease of a worker's batches, and returns their number.
    async fn renew(
        &self,
        letter: LetterId,
        holder: &Holder,
        until: Timestamp,
    ) -> Result<u64, LedgerError>;

    /// The batches that workers hold.
    async fn held_batches(&self, letter: LetterId) -> Result<Vec<(u32, Holder)>, LedgerError>;

    /// Releases a batch of which no open row was tried. A batch that somebody took over stays as it is.
    async fn release_batch(
        &self,
        letter: LetterId,
        holder: &Holder,
        batch: u32,
    ) -> Result<(), LedgerError>;

    /// Removes a batch without open rows.
    async fn end_batch(&self, letter: LetterId, batch: u32) -> Result<(), LedgerError>;

    /// Puts the open rows of a worker's batch in doubt, for a reason that staff see, and removes the
    /// batch. Returns the number of rows.
    async fn doubt_batch(
        &self,
        letter: LetterId,
        holder: &Holder,
        batch: u32,
        (reason, at): (&str, Timestamp),
    ) -> Result<u64, LedgerError>;

    /// Takes over the batches whose lease ended before `now`: nobody here can tell which of their
    /// letters went out, so that all their open rows are in doubt. Returns the number of rows.
    async fn take_over(&self, letter: LetterId, now: Timestamp) -> Result<u64, LedgerError>;

    /// Records final outcomes: those of a worker, or those of a relay's log if `holder` is `None`.
    ///
    /// An outcome moves a row that the worker holds, a row in doubt, and a row that was replanned and
    /// that nobody holds. A doubt moves no replanned row. A row with a final outcome keeps it.
    async fn record(
        &self,
        letter: LetterId,
        holder: Option<&Holder>,
        outcomes: &[Outcome],
    ) -> Result<(), LedgerError>;

    /// Puts off rows that the worker holds, as a batch of their own.
    async fn put_off(
        &self,
        letter: LetterId,
        holder: &Holder,
        outcomes: &[Outcome],
        postponement: Postponement,
    ) -> Result<(), LedgerError>;

    /// Replans the rows that are in doubt only because `holder` fell silent, once every outcome and
    /// every doubt of that worker is recorded: the letters were never sent. A finished letter runs
    /// again. Returns the number of rows.
    async fn replan_unsent(
        &self,
        letter: LetterId,
        holder: &Holder,
        at: Timestamp,
    ) -> Result<u64, LedgerError>;
}
