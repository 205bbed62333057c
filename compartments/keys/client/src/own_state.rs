//! A compartment's check of its own state: `keys` knows the newest state of each domain, so that a
//! compartment with a lost or older database does not serve.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cofferdam_core::{
    Clock, Domain, ProblemType, Rng, SeenCheckpoint, StateId, Timestamp, whole_milliseconds,
};
use cofferdam_store::{Db, DiskWatch, LowDisk, StoreError};
use cofferdam_wire::{Ailment, CallError, Client, Health};
use keys_api::{AcceptState, CheckState, CheckedState, LogCheckpoint, SeenLog, Standing, Trouble};

use crate::seen_log::{self, LogRewritten};

/// The time between two beats, and between two attempts to reach `keys`.
const EVERY: Duration = Duration::from_secs(1);

/// The longest wait of a compartment that also serves without `keys`.
const ANSWER: Duration = Duration::from_secs(5);

/// A state that can't be checked, or must not serve.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// The database can't be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// `keys` refused the check, or did not answer.
    #[error("the state can't be checked: {0}")]
    Call(#[from] CallError),
    /// The state is not the newest.
    #[error(
        "{what}; nothing was changed: put the newest database back, with its write-ahead log, or \
         accept the loss",
        what = describe(.0)
    )]
    NotNewest(StateDifference),
}

/// The difference between a state and the newest one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateDifference {
    /// The standing of the state.
    pub standing: Standing,
    /// The last beat of the state; `None` for an empty one.
    pub beat: Option<Timestamp>,
    /// The last beat of the newest state, as far as `keys` knows it.
    pub newest: Option<Timestamp>,
    /// The number behind the last record number that the state knows.
    pub numbers: u32,
    /// The number behind the last record number that was given out.
    pub given: u32,
}

fn describe(of: &StateDifference) -> String {
    let given = of.given;
    let time = |at: Option<Timestamp>| at.map_or_else(|| "never".to_owned(), |at| at.to_string());
    match of.standing {
        Standing::Newest => "the database is the newest".to_owned(),
        Standing::Missing => {
            format!("the database is empty, but keys knows an earlier one ({given} record numbers)")
        }
        Standing::Older => format!(
            "the database is an older copy: its last write is of {}, and keys knows one of {}",
            time(of.beat),
            time(of.newest)
        ),
        Standing::GivenUp => "the database was given up: another one was accepted since".to_owned(),
    }
}

/// The state of a compartment, and the way to `keys`.
#[derive(Clone)]
pub struct OwnState {
    domain: Domain,
    client: Client,
    db: Db,
    clock: Arc<dyn Clock>,
    /// The identity that an empty database would get.
    new: StateId,
    /// The number behind the last record number that was given out, as `keys` said last.
    given: Arc<AtomicU32>,
    /// The number behind the last record number that this process gave out itself.
    given_here: Arc<AtomicU32>,
    /// The last beat that this process wrote, in milliseconds.
    written: Arc<AtomicI64>,
    disks: DiskWatch,
    health: Health,
    /// The damage that was found in the database.
    damage: Arc<Mutex<Option<String>>>,
    /// The release logs that are not what they were, by their names.
    rewritten: Arc<Mutex<BTreeMap<String, LogRewritten>>>,
}

/// The parts of a compartment that its state is made of.
pub struct StateParts {
    /// The database.
    pub db: Db,
    /// The disks that the compartment writes to.
    pub disks: DiskWatch,
    /// The clock of beats.
    pub clock: Arc<dyn Clock>,
}

impl OwnState {
    /// The state of the compartment of `domain`, which asks through `client`.
    #[must_use]
    pub fn new(domain: Domain, client: Client, parts: StateParts, rng: &dyn Rng) -> Self {
        let StateParts { db, disks, clock } = parts;
        Self {
            domain,
            client,
            db,
            clock,
            new: StateId::random(rng),
            given: Arc::default(),
            given_here: Arc::default(),
            written: Arc::new(AtomicI64::new(i64::MIN)),
            disks,
            health: Health::default(),
            damage: Arc::default(),
            rewritten: Arc::default(),
        }
    }

    /// Notes that this process gives out the record numbers below `upto`, before it asks for their keys.
    /// A compartment that began while `keys` did not answer has no identity yet, and would look like one
    /// that lost them.
    pub fn note_numbers(&self, upto: u32) {
        self.given_here.fetch_max(upto, Ordering::Relaxed);
    }

    /// The health of the compartment, for its listener.
    #[must_use]
    pub fn health(&self) -> Health {
        self.health.clone()
    }

    /// Waits until `keys` says that the state is the newest, and returns the number behind the last
    /// record number that was given out. `numbers` is the one that the database holds.
    pub async fn open(&self, numbers: u32) -> Result<u32, StateError> {
        let mut told = false;
        loop {
            match self.check(numbers).await {
                Err(StateError::Call(e)) if is_passing(&e) => {
                    if !told {
                        tracing::warn!(cause = %e, "waiting for keys, which knows the newest state");
                    }
                    told = true;
                    tokio::time::sleep(EVERY / 5).await;
                }
                Err(e) => return Err(e),
                Ok(_) => return self.tell(numbers).await,
            }
        }
    }

    /// Writes a beat, and tells it to `keys`. Returns the number behind the last record number that
    /// was given out. The first beat after a start makes every earlier copy of the database older.
    async fn tell(&self, numbers: u32) -> Result<u32, StateError> {
        let unwritten = self.beat().await.err().map(|e| Trouble::Unwritten { what: e.to_string() });
        let troubles = self.troubles(unwritten);
        Ok(self.check_with(numbers, troubles).await?.numbers)
    }

    /// Writes a beat. A database that went back while this process ran gets none: it would look like
    /// the newest one.
    async fn beat(&self) -> Result<(), StoreError> {
        let own = self.db.own_state().await?;
        let written = self.written.load(Ordering::Relaxed);
        if own.is_some_and(|(_, beat)| beat.as_millisecond() >= written)
            && let Some(beat) = self.db.beat(self.clock.now()).await?
        {
            self.written.store(beat.as_millisecond(), Ordering::Relaxed);
        }
        Ok(())
    }

    /// The number behind the last record number that was given out; 0 before `keys` told it.
    #[must_use]
    pub fn numbers_given(&self) -> u32 {
        self.given.load(Ordering::Relaxed)
    }

    /// Like [`Self::open`], but does not wait: if `keys` does not answer, [`Self::keep_until`] finds out
    /// later.
    pub async fn open_if_answered(&self, numbers: u32) -> Result<(), StateError> {
        let opened = async {
            self.check(numbers).await?;
            self.tell(numbers).await
        };
        match tokio::time::timeout(ANSWER, opened).await {
            Ok(Err(StateError::Call(e))) => {
                tracing::warn!(cause = %e, "the state is not checked yet");
            }
            Ok(opened) => return opened.map(drop),
            Err(_) => tracing::warn!("the state is not checked yet: keys does not answer"),
        }
        Ok(())
    }

    /// Checks the state once. An empty one gets its identity if it is the domain's first.
    pub async fn check(&self, numbers: u32) -> Result<CheckedState, StateError> {
        self.check_with(numbers, Vec::new()).await
    }

    async fn check_with(
        &self,
        numbers: u32,
        troubles: Vec<Trouble>,
    ) -> Result<CheckedState, StateError> {
        match self.ask(numbers, troubles.clone(), None).await {
            // Another instance may have told a later beat since this one was read.
            Err(StateError::NotNewest(StateDifference {
                standing: Standing::Older,
                newest: Some(known),
                ..
            })) => self.ask(numbers, troubles, Some(known)).await,
            checked => checked,
        }
    }

    /// Asks `keys` about the state. `known` is the newest beat that `keys` has told.
    async fn ask(
        &self,
        numbers: u32,
        troubles: Vec<Trouble>,
        known: Option<Timestamp>,
    ) -> Result<CheckedState, StateError> {
        let own = self.db.own_state().await?;
        let numbers = numbers.max(self.given_here.load(Ordering::Relaxed));
        let now = self.now();
        let (state, beat) = own.unwrap_or((self.new, now));
        let is_new = own.is_none();
        let kept = self.db.seen_checkpoints().await?;
        let seen = kept.iter().map(|of| SeenLog { log: of.log.clone(), size: of.size }).collect();
        let domain = self.domain;
        let call = CheckState { domain, state, is_new, beat, known, numbers, troubles, seen };
        let checked = self.client.call(&call).await?;
        if checked.standing != Standing::Newest {
            return Err(StateError::NotNewest(StateDifference {
                standing: checked.standing,
                beat: own.map(|(_, beat)| beat),
                newest: checked.beat,
                numbers,
                given: checked.numbers,
            }));
        }
        self.given.store(checked.numbers, Ordering::Relaxed);
        if is_new {
            self.db.adopt_state(state, beat).await?;
        }
        if let Some(log) = &checked.log {
            self.follow_log(&kept, log).await;
        }
        Ok(checked)
    }

    /// Keeps the log's checkpoint if it is the highest one, and notes whether the log is still what
    /// it was. A checkpoint that contradicts the kept one never replaces it.
    async fn follow_log(&self, kept: &[SeenCheckpoint], told: &LogCheckpoint) {
        let log = seen_log::name_of(&told.log_key);
        let kept = kept.iter().find(|of| of.log == log);
        let followed = seen_log::follow(kept, told, self.now());
        let rewritten = followed.as_ref().err().cloned();
        match rewritten {
            Some(what) => lock(&self.rewritten).insert(log.to_owned(), what),
            None => lock(&self.rewritten).remove(log),
        };
        if let Ok(Some(higher)) = followed
            && let Err(e) = self.db.keep_checkpoint(&higher).await
        {
            tracing::error!(cause = %e, "the checkpoint of the release log can't be kept");
        }
    }

    /// Compares the state with the newest one. If they differ and `accept` is set, this state
    /// becomes the newest.
    pub async fn restore(
        &self,
        numbers: u32,
        accept: bool,
    ) -> Result<Option<StateDifference>, StateError> {
        let difference = match self.check(numbers).await {
            Ok(_) => return Ok(None),
            Err(StateError::NotNewest(difference)) => difference,
            Err(e) => return Err(e),
        };
        if accept {
            self.accept(numbers).await?;
        }
        Ok(Some(difference))
    }

    /// Makes the state the newest under a new identity.
    async fn accept(&self, numbers: u32) -> Result<(), StateError> {
        let (domain, state, beat) = (self.domain, self.new, self.now());
        let call = AcceptState { domain, state, beat, numbers };
        self.client.call(&call).await?;
        Ok(self.db.adopt_state(state, beat).await?)
    }

    /// Writes a beat each second and tells it to `keys`, until `stop` ends or the state is no longer
    /// the newest. The compartment must stop then.
    pub async fn keep_until(&self, stop: impl Future<Output = ()>, numbers: u32) {
        let searching = self.db.watch_for_damage(|damage| {
            *lock(&self.damage) = damage;
            std::future::ready(())
        });
        tokio::select! {
            () = stop => {}
            () = self.keep_telling(numbers) => {}
            never = searching => match never {},
        }
    }

    /// Returns once the state is no longer the newest.
    async fn keep_telling(&self, numbers: u32) {
        loop {
            tokio::time::sleep(EVERY).await;
            match self.tell(numbers).await {
                Err(e @ StateError::NotNewest(_)) => {
                    tracing::error!(cause = %e, "the compartment stops");
                    return;
                }
                Err(e) => tracing::warn!(cause = %e, "a beat could not be told"),
                Ok(_) => {}
            }
        }
    }

    /// The troubles of now, which health shows as well.
    fn troubles(&self, unwritten: Option<Trouble>) -> Vec<Trouble> {
        let damaged = lock(&self.damage).clone().map(|what| Trouble::Damaged { what });
        let low = self.disks.low().into_iter().map(|LowDisk { dir, free_mib }| Trouble::DiskLow {
            dir: dir.display().to_string(),
            free_mib,
        });
        let low: Vec<_> = low.collect();
        let told = |what: &LogRewritten| Trouble::LogRewritten { what: what.to_string() };
        let rewritten: Vec<_> = lock(&self.rewritten).values().map(told).collect();
        let failing = |of: &Option<Trouble>| of.as_ref().map(|of| Ailment::Failing(of.to_string()));
        self.health.set("database", failing(&unwritten).or_else(|| failing(&damaged)));
        let warning = |of: &[Trouble]| of.first().map(|of| Ailment::Warning(of.to_string()));
        self.health.set("disk", warning(&low));
        self.health.set("release log", warning(&rewritten));
        unwritten.into_iter().chain(damaged).chain(low).chain(rewritten).collect()
    }

    fn now(&self) -> Timestamp {
        whole_milliseconds(self.clock.now())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether another attempt may succeed.
fn is_passing(error: &CallError) -> bool {
    match error {
        CallError::Unreachable { .. } => true,
        other => other.is(ProblemType::UNAVAILABLE) || other.is(ProblemType::INTERNAL),
    }
}
