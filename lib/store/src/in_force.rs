//! The orders that every request obeys, or other state that several instances of a compartment share.
//! Each instance holds a copy, and may use it only while it knows that nothing newer exists.
//!
//! An instance reports to the table `instance` which generation it holds, and reads the newest one in
//! the same statement. If the two agree, its copy is good for [`LEASE`] from the moment *before* the
//! statement. After a change was committed, no such statement can agree until the instance has read
//! the change. So a change holds everywhere at the latest [`LEASE`] after its commit, by the clock of
//! whoever waits for it. No clocks are compared, and none needs to be right.
//!
//! A SQLite file has one process ([`Db::claim`](crate::Db::claim)), whose copy is always good.

use std::convert::Infallible;
use std::future::Future;
use std::ops::Deref;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use cofferdam_core::Rng;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, timeout};

use crate::instances::{LastReports, Report};
use crate::{Backend, Db, Generation, StoreError};

/// The time for which a report gives the right to use the copy.
const LEASE: Duration = Duration::from_millis(900);
/// The time after which every lease from before a change is over, with some room for clocks that do
/// not run at the same speed.
const EVERY_LEASE_OVER: Duration = Duration::from_millis(950);
/// The longest time that a reading takes. A lost connection may take minutes to be noticed.
const READ_WITHIN: Duration = Duration::from_secs(30);
/// The time between two reports.
const REPORT_EVERY: Duration = Duration::from_millis(200);
/// The time between two looks at the generation. A look writes nothing.
const LOOK_EVERY: Duration = Duration::from_millis(25);
/// The time between two looks at the reports of other instances.
const WATCH_EVERY: Duration = Duration::from_millis(100);
/// The time between two looks of a change at the instances that do not hold it yet.
const WAIT_STEP: Duration = Duration::from_millis(10);

/// Shared state, which is read from the database as a whole.
pub trait ReadInForce: Sized + Send + Sync {
    /// Whatever reading takes beside the database, as the key to its secrets.
    type Context: Send + Sync;

    /// Reads the state.
    fn read(
        db: &Db,
        context: &Self::Context,
    ) -> impl Future<Output = Result<Self, StoreError>> + Send;
}

/// The shared state as one reading of the database gave it.
#[derive(Debug)]
pub struct Held<T> {
    /// The generation of the database at which it was read.
    pub generation: Generation,
    value: T,
}

impl<T> Deref for Held<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// The shared state that is in force, as one instance knows it.
pub struct InForce<T: ReadInForce> {
    db: Db,
    context: T::Context,
    /// The name of this instance in the table `instance`, by which a later one never goes.
    instance: i64,
    /// The number of reports so far.
    reports: AtomicI64,
    /// The last reports of all instances.
    others: std::sync::Mutex<LastReports>,
    copy: RwLock<OwnCopy<T>>,
    /// Held while the copy is brought up to date, so that an older one never replaces a newer one.
    catching_up: Mutex<()>,
}

struct OwnCopy<T> {
    held: Arc<Held<T>>,
    /// The end of the lease; `None` before the first report.
    good_until: Option<Instant>,
}

impl<T: ReadInForce> InForce<T> {
    /// Reads the state, and reports this instance.
    pub async fn open(db: Db, context: T::Context, rng: &dyn Rng) -> Result<Self, StoreError> {
        let generation = db.generation().await?;
        let held = Arc::new(Held { generation, value: T::read(&db, &context).await? });
        let in_force = Self {
            db,
            context,
            instance: i64::from_be_bytes(rng.bytes()),
            reports: AtomicI64::default(),
            others: std::sync::Mutex::default(),
            copy: RwLock::new(OwnCopy { held, good_until: None }),
            catching_up: Mutex::default(),
        };
        in_force.catch_up().await?;
        Ok(in_force)
    }

    /// The state in force; `None` if this instance does not know that it holds the newest.
    #[must_use]
    pub fn newest(&self) -> Option<Arc<Held<T>>> {
        let copy = self.copy.read().unwrap_or_else(PoisonError::into_inner);
        let good = copy.good_until.is_some_and(|until| Instant::now() < until);
        (good || self.db.backend() == Backend::Sqlite).then(|| copy.held.clone())
    }

    /// The state as this instance knows it, whether or not there is a newer one.
    #[must_use]
    pub fn known(&self) -> Arc<Held<T>> {
        self.copy.read().unwrap_or_else(PoisonError::into_inner).held.clone()
    }

    /// Brings the copy up to date.
    pub async fn catch_up(&self) -> Result<(), StoreError> {
        let _one_at_a_time = self.catching_up.lock().await;
        loop {
            let held = self.generation();
            let asked = Instant::now();
            let newest = within(LEASE, self.report(held)).await?;
            if newest == held {
                self.copy_mut(|copy| copy.good_until = Some(asked + LEASE));
                return Ok(());
            }
            if newest < held {
                return Err(StoreError::WentBack);
            }
            let value = within(READ_WITHIN, T::read(&self.db, &self.context)).await?;
            let held = Arc::new(Held { generation: newest, value });
            self.copy_mut(|copy| *copy = OwnCopy { held, good_until: None });
        }
    }

    /// Keeps the copy up to date, for as long as it is polled.
    pub async fn keep_up(&self) -> Infallible {
        if self.db.backend() == Backend::Sqlite {
            return std::future::pending().await;
        }
        let (never, _) = tokio::join!(self.report_changes(), self.watch_others());
        never
    }

    /// Reports this instance, and brings its copy up to date.
    async fn report_changes(&self) -> Infallible {
        let mut told = false;
        loop {
            let trouble = self.catch_up().await.err();
            if let Some(cause) = trouble.as_ref().filter(|_| !told) {
                tracing::error!(%cause, "this instance does not know the newest orders");
            }
            told = trouble.is_some();
            self.wait_for_change().await;
        }
    }

    /// Notes the reports of all instances, so that a change knows since when one is silent. Forgets the
    /// instances that ended without leaving, as after a kill, so that no change waits for them.
    async fn watch_others(&self) -> Infallible {
        loop {
            sleep(WATCH_EVERY).await;
            let watch = async {
                let newest = self.db.reports().await?;
                let ended = self.reports_mut().ended(newest, Instant::now());
                for report in ended {
                    self.db.forget_instance(report).await?;
                }
                Ok(())
            };
            if let Err(cause) = within(LEASE, watch).await {
                tracing::debug!(%cause, "the reports of other instances can't be read");
            }
        }
    }

    /// Waits until every instance holds a change, or must not use what it holds any more. The change
    /// was committed before.
    pub async fn hold_everywhere(&self, change: Generation) -> Result<(), StoreError> {
        let committed = Instant::now();
        self.catch_up().await?;
        if self.db.backend() == Backend::Sqlite {
            return Ok(());
        }
        let first = self.db.instances_behind(change).await?;
        let mut behind = first.clone();
        while behind.iter().any(|of| Instant::now() < self.lease_over(of, committed)) {
            sleep(WAIT_STEP).await;
            behind = self.db.instances_behind(change).await?;
        }
        for silent in behind.iter().filter(|of| first.contains(of)) {
            tracing::warn!("an instance is silent: orders don't wait for it any more");
            self.db.forget_instance(*silent).await?;
        }
        Ok(())
    }

    /// The instant at which the last lease of an instance behind a change is over. Its last report came
    /// before the change was committed, and before this instance saw the report. A later report gives no
    /// lease.
    fn lease_over(&self, last: &Report, committed: Instant) -> Instant {
        let seen = self.reports_mut().since(last);
        seen.map_or(committed, |seen| seen.min(committed)) + EVERY_LEASE_OVER
    }

    /// Ends the use of the copy, so that changes don't wait for this instance.
    pub async fn leave(&self) {
        let _one_at_a_time = self.catching_up.lock().await;
        self.copy_mut(|copy| copy.good_until = None);
        if let Err(e) = self.db.remove_instance(self.instance).await {
            tracing::warn!(cause = %e, "the next order waits for this instance, although it ended");
        }
    }

    /// Waits until the generation moves, or the next report is due.
    async fn wait_for_change(&self) {
        let held = self.generation();
        let began = Instant::now();
        while began.elapsed() < REPORT_EVERY {
            sleep(LOOK_EVERY).await;
            match within(LEASE, self.db.generation()).await {
                Ok(newest) if newest == held => {}
                _ => return,
            }
        }
    }

    async fn report(&self, held: Generation) -> Result<Generation, StoreError> {
        match self.db.backend() {
            Backend::Sqlite => self.db.generation().await,
            Backend::Postgres => {
                // It never begins anew, so that no two reports of an instance are equal.
                let reports = self.reports.fetch_add(1, Ordering::Relaxed) + 1;
                self.db.report_instance(Report { id: self.instance, reports }, held).await
            }
        }
    }

    fn generation(&self) -> Generation {
        self.copy.read().unwrap_or_else(PoisonError::into_inner).held.generation
    }

    fn reports_mut(&self) -> MutexGuard<'_, LastReports> {
        self.others.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn copy_mut(&self, change: impl FnOnce(&mut OwnCopy<T>)) {
        change(&mut self.copy.write().unwrap_or_else(PoisonError::into_inner));
    }
}

async fn within<T>(
    limit: Duration,
    answer: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    timeout(limit, answer).await.unwrap_or(Err(StoreError::NoAnswer))
}
