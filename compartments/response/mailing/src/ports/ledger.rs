//! The ledger and the letters, as workers see them.

use std::collections::BTreeMap;

use async_trait::async_trait;
use cofferdam_core::{Sha256, Timestamp};
use response_api::{LedgerState, LetterId};
use response_letter::{Locale, Told};

use crate::Letter;

/// The ledger can't be read or written at present.
#[derive(Debug, thiserror::Error)]
#[error("the ledger can't be reached: {0}")]
pub struct LedgerError(#[from] pub Box<dyn std::error::Error + Send + Sync>);

impl cofferdam_core::InternalError for LedgerError {}

/// A worker in one of its lives: a random name that is never used again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Holder(pub String);

/// A row of the ledger, for the person to write to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recipient {
    /// The customer's record number, or the place in the staff list.
    pub person: u32,
    /// What the letter says of this person's data.
    pub told: Told,
    /// The number of the letter's locale.
    pub locale: u16,
}

/// The rows of a batch that a worker holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The number of the batch in the letter.
    pub batch: u32,
    /// The number of times that its rows were put off.
    pub attempts: u16,
    /// The open rows of the batch, the newest accounts first: their addresses are the freshest.
    pub recipients: Vec<Recipient>,
}

/// The outcome of an attempt: a row's new state and its cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The customer's record number, or the place in the staff list.
    pub person: u32,
    /// The new state of the row.
    pub state: LedgerState,
    /// The number of the mail provider; 0 when it is not known.
    pub provider: u16,
    /// The relay's queue id, or its reply.
    pub detail: String,
    /// The instant of the relay's answer.
    pub at: Timestamp,
}

impl Outcome {
    /// Whether the row is never tried again.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        !self.state.is_open()
    }
}

/// A row of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The customer's record number, or the place in the staff list.
    pub person: u32,
    /// The state of the row. A planned or deferred row of a held batch is claimed.
    pub state: LedgerState,
    /// What the letter says of this person's data.
    pub told: Told,
    /// The number of the letter's locale.
    pub locale: u16,
    /// The relay's queue id, or its reply.
    pub detail: String,
    /// The instant at which it got this state.
    pub at: Timestamp,
}

/// The effect of a report that a letter came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CameBack {
    /// The row got a new state.
    Moved {
        /// The number of the row's mail provider.
        provider: u16,
    },
    /// The ledger does not know yet that the letter went out. The report must be given again later.
    TooEarly,
    /// The letter has no such row, or the row has its last outcome.
    Ignored,
}

/// A postponement: rows that are put off together, and the time at which they are due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Postponement {
    /// The number of their mail provider.
    pub provider: u16,
    /// The number of times that they were put off, this one included.
    pub attempts: u16,
    /// The instant at which they are due.
    pub due: Timestamp,
}

/// The number of rows in each state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts([u64; LedgerState::ALL.len()]);

impl Counts {
    /// The number of rows in a state.
    #[must_use]
    pub const fn of(&self, state: LedgerState) -> u64 {
        self.0[state.code() as usize]
    }

    /// Adds rows to a state.
    pub const fn add(&mut self, state: LedgerState, rows: u64) {
        self.0[state.code() as usize] += rows;
    }

    /// The number of all rows.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// The number of rows without a final outcome.
    #[must_use]
    pub fn open(&self) -> u64 {
        LedgerState::ALL.into_iter().filter(|state| state.is_open()).map(|s| self.of(s)).sum()
    }
}

/// The letters, one row for each.
#[async_trait]
pub trait Letters: Send + Sync {
    /// Reads every letter.
    async fn all_letters(&self) -> Result<Vec<Letter>, LedgerError>;

    /// Reads the JSON of a version.
    async fn version(&self, letter: LetterId, id: Sha256) -> Result<Option<String>, LedgerError>;

    /// Reads the locales of a letter, by number.
    async fn locales(&self, letter: LetterId) -> Result<Vec<Locale>, LedgerError>;

    /// Pauses a running letter. Staff see the reason.
    async fn pause_letter(&self, letter: LetterId, reason: &str) -> Result<(), LedgerError>;

    /// Finishes a running letter without open rows; `false` for any other letter.
    async fn finish_letter(&self, letter: LetterId, at: Timestamp) -> Result<bool, LedgerError>;

    /// Reads the number of a mail provider. A new name gets a number.
    async fn provider_number(&self, name: &str) -> Result<u16, LedgerError>;

    /// Pauses a letter's mail to a provider. An earlier reason stays.
    async fn pause_provider(
        &self,
        letter: LetterId,
        provider: u16,
        reason: &str,
        at: Timestamp,
    ) -> Result<(), LedgerError>;

    /// Reads the paused providers of a letter, each with the reason.
    async fn provider_pauses(&self, letter: LetterId)
    -> Result<BTreeMap<u16, String>, LedgerError>;
}

/// The rows of letters, in batches that workers hold for a while. [`LedgerState`] gives the meaning
/// of each state and the movers of a row into it.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Whether no other process can use this ledger.
    fn is_exclusive(&self) -> bool;

    /// Counts the rows in each state.
    async fn counts(&self, letter: LetterId) -> Result<Counts, LedgerError>;

    /// Claims the next batch that is due at `now` and whose provider is not in `closed`, and holds
    /// it until `until`.
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

    /// Lists the batches that workers hold.
    async fn held_batches(&self, letter: LetterId) -> Result<Vec<(u32, Holder)>, LedgerError>;

    /// Releases a batch of untried rows. A batch that another worker took over stays as it is.
    async fn release_batch(
        &self,
        letter: LetterId,
        holder: &Holder,
        batch: u32,
    ) -> Result<(), LedgerError>;

    /// Removes a batch that has no open rows.
    async fn end_batch(&self, letter: LetterId, batch: u32) -> Result<(), LedgerError>;

    /// Puts the open rows of a worker's batch in doubt, and removes the batch. Staff see the
    /// reason. Returns the number of rows.
    async fn doubt_batch(
        &self,
        letter: LetterId,
        holder: &Holder,
        batch: u32,
        (reason, at): (&str, Timestamp),
    ) -> Result<u64, LedgerError>;

    /// Takes over the batches whose lease ended before `now`. All their open rows are in doubt,
    /// because nobody here can tell which of their letters went out. Returns the number of rows.
    async fn take_over(&self, letter: LetterId, now: Timestamp) -> Result<u64, LedgerError>;

    /// Records final outcomes: those of a worker, or those of a relay's log if `holder` is `None`.
    ///
    /// An outcome moves a row that the worker holds, a row in doubt, or a replanned row that nobody
    /// holds. A doubt moves no replanned row. A row with a final outcome keeps it.
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

    /// Replans the rows that are in doubt only because `holder` fell silent. Every outcome and
    /// every doubt of that worker must be recorded, so these letters were never sent. A finished
    /// letter runs again. Returns the number of rows.
    async fn replan_unsent(
        &self,
        letter: LetterId,
        holder: &Holder,
        at: Timestamp,
    ) -> Result<u64, LedgerError>;
}
