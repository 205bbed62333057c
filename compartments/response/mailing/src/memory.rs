//! A plain model of the ledger: one map of rows and one of batches, without indexes or shortcuts.
//! The tests of this crate run on it, and the SQL ledger is compared with it row by row.

mod state;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use cofferdam_core::{Sha256, Timestamp};
use response_api::{LetterId, LetterState};
use response_letter::Locale;

use crate::{
    Batch, CameBack, Counts, Holder, Ledger, LedgerError, Letter, Letters, Outcome, Postponement,
    Recipient, Row,
};
use state::State;

/// A ledger in memory.
#[derive(Default)]
pub struct MemoryLedger {
    state: Mutex<State>,
    /// The operations that fail, each with the number of failures still to come.
    failing: Mutex<BTreeMap<&'static str, u32>>,
}

impl MemoryLedger {
    /// Adds a letter, with the JSON of its version and its locales.
    pub fn add_letter(&self, letter: Letter, version: String, locales: Vec<Locale>) {
        let mut state = self.lock();
        state.versions.insert(letter.letter, version);
        state.locales.insert(letter.letter, locales);
        state.letters.insert(letter.letter, letter);
    }

    /// Adds a batch of rows, due at once.
    pub fn plan(&self, letter: LetterId, batch: u32, rows: &[Recipient], at: Timestamp) {
        self.lock().plan(letter, batch, rows, at);
    }

    /// Makes an operation fail `times` times.
    pub fn fail(&self, operation: &'static str, times: u32) {
        self.failing.lock().unwrap_or_else(PoisonError::into_inner).insert(operation, times);
    }

    /// Changes a letter.
    pub fn change_letter(&self, letter: LetterId, change: impl FnOnce(&mut Letter)) {
        if let Some(letter) = self.lock().letters.get_mut(&letter) {
            change(letter);
        }
    }

    /// The letter with this number.
    #[must_use]
    pub fn letter(&self, letter: LetterId) -> Option<Letter> {
        self.lock().letters.get(&letter).cloned()
    }

    /// Every row of a letter, ascending.
    #[must_use]
    pub fn rows(&self, letter: LetterId) -> Vec<Row> {
        self.lock().rows(letter)
    }

    /// The batches of a letter, each with its provider, its attempts and the time at which it is
    /// due.
    #[must_use]
    pub fn batches(&self, letter: LetterId) -> BTreeMap<u32, Postponement> {
        self.lock().postponements(letter)
    }

    /// The open rows of a batch, ascending.
    #[must_use]
    pub fn open_rows(&self, letter: LetterId, batch: u32) -> Vec<Recipient> {
        self.lock().open_rows(letter, batch)
    }

    /// Replans every row in doubt.
    pub fn replan_doubts(&self, letter: LetterId, at: Timestamp) -> u64 {
        self.lock().replan(letter, None, at)
    }

    /// Moves the row of a letter that came back.
    pub fn came_back(&self, letter: LetterId, outcome: &Outcome) -> CameBack {
        self.lock().came_back(letter, outcome)
    }

    /// Resumes a provider.
    pub fn resume_provider(&self, letter: LetterId, provider: u16) {
        self.lock().pauses.entry(letter).or_default().remove(&provider);
    }

    fn try_lock(&self, operation: &'static str) -> Result<MutexGuard<'_, State>, LedgerError> {
        let mut failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        match failing.get_mut(operation) {
            Some(times) if *times > 0 => {
                *times -= 1;
                Err(LedgerError(format!("{operation} fails").into()))
            }
            _ => Ok(self.lock()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Letters for MemoryLedger {
    async fn all_letters(&self) -> Result<Vec<Letter>, LedgerError> {
        Ok(self.try_lock("all_letters")?.letters.values().cloned().collect())
    }

    async fn version(&self, letter: LetterId, _: Sha256) -> Result<Option<String>, LedgerError> {
        Ok(self.try_lock("version")?.versions.get(&letter).cloned())
    }

    async fn locales(&self, letter: LetterId) -> Result<Vec<Locale>, LedgerError> {
        Ok(self.try_lock("locales")?.locales.get(&letter).cloned().unwrap_or_default())
    }

    async fn pause_letter(&self, letter: LetterId, reason: &str) -> Result<(), LedgerError> {
        let mut state = self.try_lock("pause_letter")?;
        if let Some(letter) = state.letters.get_mut(&letter)
            && letter.state == LetterState::Running
        {
            letter.state = LetterState::Paused;
            reason.clone_into(&mut letter.trouble);
        }
        Ok(())
    }

    async fn finish_letter(&self, letter: LetterId, at: Timestamp) -> Result<bool, LedgerError> {
        Ok(self.try_lock("finish_letter")?.finish(letter, at))
    }

    async fn provider_number(&self, name: &str) -> Result<u16, LedgerError> {
        Ok(self.try_lock("provider_number")?.provider_number(name))
    }

    async fn pause_provider(
        &self,
        letter: LetterId,
        provider: u16,
        reason: &str,
        _: Timestamp,
    ) -> Result<(), LedgerError> {
        let mut state = self.try_lock("pause_provider")?;
        let pauses = state.pauses.entry(letter).or_default();
        pauses.entry(provider).or_insert_with(|| reason.to_owned());
        Ok(())
    }

    async fn provider_pauses(
        &self,
        letter: LetterId,
    ) -> Result<BTreeMap<u16, String>, LedgerError> {
        Ok(self.try_lock("provider_pauses")?.pauses.get(&letter).cloned().unwrap_or_default())
    }
}

#[async_trait]
impl Ledger for MemoryLedger {
    fn is_exclusive(&self) -> bool {
        true
    }

    async fn counts(&self, letter: LetterId) -> Result<Counts, LedgerError> {
        let mut counts = Counts::default();
        for row in self.try_lock("counts")?.rows(letter) {
            counts.add(row.state, 1);
        }
        Ok(counts)
    }

    async fn claim(
        &self,
        letter: LetterId,
        holder: &Holder,
        (now, until): (Timestamp, Timestamp),
        closed: &[u16],
    ) -> Result<Option<Batch>, LedgerError> {
        Ok(self.try_lock("claim")?.claim(letter, holder, (now, until), closed))
    }

    async fn renew(
        &self,
        letter: LetterId,
        holder: &Holder,
        until: Timestamp,
    ) -> Result<u64, LedgerError> {
        Ok(self.try_lock("renew")?.renew(letter, holder, until))
    }

    async fn held_batches(&self, letter: LetterId) -> Result<Vec<(u32, Holder)>, LedgerError> {
        Ok(self.try_lock("held_batches")?.held_batches(letter))
    }

    async fn release_batch(
        &self,
        letter: LetterId,
        holder: &Holder,
        batch: u32,
    ) -> Result<(), LedgerError> {
        self.try_lock("release_batch")?.release_batch(letter, holder, batch);
        Ok(())
    }

    async fn end_batch(&self, letter: LetterId, batch: u32) -> Result<(), LedgerError> {
        self.try_lock("end_batch")?.end_batch(letter, batch);
        Ok(())
    }

    async fn doubt_batch(
        &self,
        letter: LetterId,
        holder: &Holder,
        batch: u32,
        (reason, at): (&str, Timestamp),
    ) -> Result<u64, LedgerError> {
        Ok(self.try_lock("doubt_batch")?.doubt_batch(letter, holder, batch, (reason, at)))
    }

    async fn take_over(&self, letter: LetterId, now: Timestamp) -> Result<u64, LedgerError> {
        Ok(self.try_lock("take_over")?.take_over(letter, now))
    }

    async fn record(
        &self,
        letter: LetterId,
        holder: Option<&Holder>,
        outcomes: &[Outcome],
    ) -> Result<(), LedgerError> {
        self.try_lock("record")?.record(letter, holder, outcomes);
        Ok(())
    }

    async fn put_off(
        &self,
        letter: LetterId,
        holder: &Holder,
        outcomes: &[Outcome],
        postponement: Postponement,
    ) -> Result<(), LedgerError> {
        self.try_lock("put_off")?.put_off(letter, holder, outcomes, postponement);
        Ok(())
    }

    async fn replan_unsent(
        &self,
        letter: LetterId,
        holder: &Holder,
        at: Timestamp,
    ) -> Result<u64, LedgerError> {
        Ok(self.try_lock("replan_unsent")?.replan_unsent(letter, holder, at))
    }
}
