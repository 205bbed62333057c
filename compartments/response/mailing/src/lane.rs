//! The letters that wait for one mail provider, and the provider's pace.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::pace::{Pace, Pause};
use crate::{Contact, ProviderConfig, Recipient};

/// A batch that this worker holds.
#[derive(Debug)]
pub struct HeldBatch {
    /// The number of the batch in the letter.
    pub batch: u32,
    /// The number of times that its rows were put off before.
    pub attempts: u16,
    /// The number of rows whose outcome the ledger has not recorded.
    pub unrecorded: AtomicU64,
}

/// A letter that waits to be sent.
pub struct QueuedLetter {
    /// The batch of the letter's row.
    pub batch: Arc<HeldBatch>,
    /// The row of the person.
    pub recipient: Recipient,
    /// The name and the address of the person.
    pub to: Contact,
}

/// The lane of one mail provider in one mailing.
pub struct Lane {
    /// The provider's number in the ledger.
    pub provider: u16,
    /// The provider's name.
    pub name: String,
    /// The most connections at once.
    pub connections: u32,
    /// The most letters over one connection.
    pub per_connection: u32,
    /// Notified when a letter arrives in the queue.
    pub arrived: Notify,
    pace: Mutex<Pace>,
    queue: Mutex<VecDeque<QueuedLetter>>,
    waiting: AtomicU64,
}

impl Lane {
    pub fn new(provider: u16, config: ProviderConfig) -> Self {
        Self {
            provider,
            name: config.name.clone(),
            connections: config.connections.max(1),
            per_connection: config.per_connection.max(1),
            arrived: Notify::new(),
            pace: Mutex::new(Pace::new(config)),
            queue: Mutex::default(),
            waiting: AtomicU64::new(0),
        }
    }

    pub fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of letters in the queue.
    pub fn waiting(&self) -> u64 {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Whether only this worker's own speed holds letters back, `hours` after the letter's start.
    pub fn is_unlimited(&self, hours: usize) -> bool {
        let pace = self.pace();
        pace.paused.is_none() && pace.rate(hours).is_none()
    }

    pub fn is_paused(&self) -> bool {
        self.pace().paused.is_some()
    }

    /// Pauses or resumes the provider as the ledger says. A pause that is not in the ledger yet
    /// stays.
    pub fn follow_ledger(&self, reason: Option<&String>) {
        let mut pace = self.pace();
        match (reason, &pace.paused) {
            (Some(reason), None) => {
                pace.paused = Some(Pause { reason: reason.clone(), in_ledger: true });
            }
            (None, Some(Pause { in_ledger: true, .. })) => pace.resume(),
            _ => {}
        }
    }

    pub fn push_back(&self, letter: QueuedLetter) {
        self.queue().push_back(letter);
        self.count_arrival();
    }

    /// Puts back a letter that could not be tried. It comes first again.
    pub fn push_front(&self, letter: QueuedLetter) {
        self.queue().push_front(letter);
        self.count_arrival();
    }

    pub fn pop(&self) -> Option<QueuedLetter> {
        let letter = self.queue().pop_front();
        if letter.is_some() {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
        }
        letter
    }

    /// Empties the queue.
    pub fn clear(&self) {
        let letters = self.queue().drain(..).count();
        self.waiting.fetch_sub(letters as u64, Ordering::Relaxed);
    }

    fn count_arrival(&self) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        self.arrived.notify_one();
    }

    fn queue(&self) -> MutexGuard<'_, VecDeque<QueuedLetter>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
