//! The tables as the mailing sees them.

use std::collections::BTreeMap;

use async_trait::async_trait;
use cofferdam_core::{Sha256, Timestamp};
use cofferdam_store::StoreError;
use response_api::LetterId;
use response_letter::Locale;
use response_mailing::{
    Batch, Counts, Holder, Ledger, LedgerError, Letter, Letters, Outcome, Postponement,
};

use super::Store;

/// The error of a failing database, as the mailing sees it.
fn unreachable(error: StoreError) -> LedgerError {
    LedgerError(Box::new(error))
}

#[async_trait]
impl Letters for Store {
    async fn all_letters(&self) -> Result<Vec<Letter>, LedgerError> {
        self.letters().await.map_err(unreachable)
    }

    async fn version(&self, letter: LetterId, id: Sha256) -> Result<Option<String>, LedgerError> {
        self.version(letter, id).await.map_err(unreachable)
    }

    async fn locales(&self, letter: LetterId) -> Result<Vec<Locale>, LedgerError> {
        self.locales(letter).await.map_err(unreachable)
    }

    async fn pause_letter(&self, letter: LetterId, reason: &str) -> Result<(), LedgerError> {
        self.pause(letter, reason, None).await.map_err(unreachable)
    }

    async fn finish_letter(&self, letter: LetterId, at: Timestamp) -> Result<bool, LedgerError> {
        self.set_finished(letter, at).await.map_err(unreachable)
    }

    async fn provider_number(&self, name: &str) -> Result<u16, LedgerError> {
        self.provider_number(name).await.map_err(unreachable)
    }

    async fn pause_provider(
        &self,
        letter: LetterId,
        provider: u16,
        reason: &str,
        at: Timestamp,
    ) -> Result<(), LedgerError> {
        self.pause_provider(letter, provider, (reason, at), None).await.map_err(unreachable)
    }

    async fn provider_pauses(
        &self,
        letter: LetterId,
    ) -> Result<BTreeMap<u16, String>, LedgerError> {
        self.provider_pauses(letter).await.map_err(unreachable)
    }
}

#[async_trait]
impl Ledger for Store {
    fn is_exclusive(&self) -> bool {
        self.is_exclusive()
    }

    async fn counts(&self, letter: LetterId) -> Result<Counts, LedgerError> {
        self.counts(letter).await.map_err(unreachable)
    }

    async fn claim(
        &self,
        letter: LetterId,
        holder: &Holder,
        times: (Timestamp, Timestamp),
        closed: &[u16],
    ) -> Result<Option<Batch>, LedgerError> {
        self.claim(letter, holder, times, closed).await.map_err(unreachable)
    }

    async fn renew(
        &self,
        letter: LetterId,
        holder: &Holder,
        until: Timestamp,
    ) -> Result<u64, LedgerError> {
        self.renew(letter, holder, until).await.map_err(unreachable)
    }

    async fn held_batches(&self, letter: LetterId) -> Result<Vec<(u32, Holder)>, LedgerError> {
        self.held_batches(letter).await.map_err(unreachable)
    }

    async fn release_batch(
        &self,
        letter: LetterId,
        holder: &Holder,
        batch: u32,
    ) -> Result<(), LedgerError> {
        self.release_batch(letter, holder, batch).await.map_err(unreachable)
    }

    async fn end_batch(&self, letter: LetterId, batch: u32) -> Result<(), LedgerError> {
        self.end_batch(letter, batch).await.map_err(unreachable)
    }

    async fn doubt_batch(
        &self,
        letter: LetterId,
        holder: &Holder,
        batch: u32,
        doubt: (&str, Timestamp),
    ) -> Result<u64, LedgerError> {
        self.doubt_batch(letter, holder, batch, doubt).await.map_err(unreachable)
    }

    async fn take_over(&self, letter: LetterId, now: Timestamp) -> Result<u64, LedgerError> {
        self.take_over(letter, now).await.map_err(unreachable)
    }

    async fn record(
        &self,
        letter: LetterId,
        holder: Option<&Holder>,
        outcomes: &[Outcome],
    ) -> Result<(), LedgerError> {
        self.record(letter, holder, outcomes).await.map_err(unreachable)
    }

    async fn put_off(
        &self,
        letter: LetterId,
        holder: &Holder,
        outcomes: &[Outcome],
        postponement: Postponement,
    ) -> Result<(), LedgerError> {
        self.put_off(letter, holder, outcomes, postponement).await.map_err(unreachable)
    }

    async fn replan_unsent(
        &self,
        letter: LetterId,
        holder: &Holder,
        at: Timestamp,
    ) -> Result<u64, LedgerError> {
        self.replan_unsent(letter, holder, at).await.map_err(unreachable)
    }
}
