//! Letters that wait for one mail provider, and its pace.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cofferdam_core::Personal;
use tokio::sync::Notify;

use crate::domain::governor::{Pace, ProviderConfig};
use crate::store::Claimed;

/// Rows of one batch that this worker holds.
#[derive(Debug)]
pub struct Held {
    /// Its number.
    pub batch: u32,
    /// How often its rows were put off before.
    pub attempts: u16,
    /// Rows whose outcome the ledger has not learned.
    pub open: AtomicU64,
}

/// A letter to be sent.
pub struct Job {
    /// Where it belongs.
    pub held: Arc<Held>,
    /// Whose.
    pub row: Claimed,
    /// The name.
    pub name: Personal,
    /// The address.
    pub email: Personal,
}

/// One provider.
pub struct Lane {
    /// Its number in the tables.
    pub provider: u16,
    /// Its name.
    pub name: String,
    /// How many connections it gets.
    pub connections: u32,
    /// How many letters go over one.
    pub per_connection: u32,
    pace: Mutex<Pace>,
    queue: Mutex<VecDeque<Job>>,
    waiting: AtomicU64,
    /// Something came in.
    pub arrived: Notify,
}

impl Lane {
    pub fn new(provider: u16, limits: ProviderConfig) -> Self {
        Self {
            provider,
            name: limits.name.clone(),
            connections: limits.connections.max(1),
            per_connection: limits.per_connection.max(1),
            pace: Mutex::new(Pace::new(limits)),
            queue: Mutex::default(),
            waiting: AtomicU64::new(0),
            arrived: Notify::new(),
        }
    }

    pub fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn waiting(&self) -> u64 {
        self.waiting.load(Ordering::Relaxed)
    }

    pub fn push(&self, job: Job) {
        self.queue().push_back(job);
        self.waiting.fetch_add(1, Ordering::Relaxed);
        self.arrived.notify_one();
    }

    /// What could not be tried comes first again.
    pub fn push_front(&self, job: Job) {
        self.queue().push_front(job);
        self.waiting.fetch_add(1, Ordering::Relaxed);
        self.arrived.notify_one();
    }

    pub fn pop(&self) -> Option<Job> {
        let job = self.queue().pop_front();
        if job.is_some() {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
        }
        job
    }

    /// Everything that waits.
    pub fn drain(&self) -> Vec<Job> {
        let jobs: Vec<_> = self.queue().drain(..).collect();
        self.waiting.fetch_sub(jobs.len() as u64, Ordering::Relaxed);
        jobs
    }

    fn queue(&self) -> MutexGuard<'_, VecDeque<Job>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
