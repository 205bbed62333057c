//! What the endpoints share: state, checks, and the keys of one card.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use cofferdam_core::{
    CallerName, Clock, Domain, Epoch, FieldKey, FieldSet, Operation, Record, Rng,
};
use cofferdam_store::StoreError;
use cofferdam_wire::{Client, Identity, Problem, ProblemKind};
use keys_api::{ReleaseKeys, ReleasedKeys};

use crate::Config;
use crate::store::Store;

/// The state of the compartment.
pub struct App {
    /// The tables.
    pub store: Store,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub rng: Arc<dyn Rng>,
    keys: Client,
    controller: CallerName,
    frozen: RwLock<HashSet<CallerName>>,
    next_record: AtomicU32,
}

impl App {
    /// Puts the parts together and takes from the database where it stood.
    pub async fn new(
        config: &Config,
        identity: &Identity,
        store: Store,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            keys: Client::new(&config.keys, identity),
            controller: config.controller.clone(),
            frozen: RwLock::new(store.frozen().await?.into_iter().collect()),
            next_record: AtomicU32::new(store.next_record().await?),
            store,
            clock,
            rng,
        })
    }

    /// Only the controller may go on.
    pub fn check_controller(&self, caller: &CallerName) -> Result<(), Problem> {
        if *caller == self.controller {
            return Ok(());
        }
        tracing::warn!(%caller, "a caller asked for what is the controller's");
        Err(Problem::not_granted("this is for the controller alone"))
    }

    /// Who is frozen here gets nothing, even if `keys` did not hear of it.
    pub fn check_frozen(&self, caller: &CallerName) -> Result<(), Problem> {
        let frozen = self.frozen.read().unwrap_or_else(PoisonError::into_inner);
        if frozen.contains(caller) {
            return Err(Problem::new(ProblemKind::Frozen, format!("{caller} is frozen")));
        }
        Ok(())
    }

    /// Freezes or thaws at once, in memory; the table is the endpoint's work.
    pub fn set_frozen(&self, caller: &CallerName, frozen: bool) {
        let mut set = self.frozen.write().unwrap_or_else(PoisonError::into_inner);
        if frozen {
            set.insert(caller.clone());
        } else {
            set.remove(caller);
        }
    }

    /// Takes `count` record numbers that no card has. A number whose card was then not stored
    /// stays unused.
    pub fn take_records(&self, count: u32) -> Result<Vec<Record>, Problem> {
        let full = || Problem::new(ProblemKind::Unavailable, "the record numbers are used up");
        let next = |first: u32| first.checked_add(count).filter(|end| *end < u32::MAX);
        let first = self
            .next_record
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, next)
            .map_err(|_| full())?;
        Ok((first..first + count).map(Record).collect())
    }

    /// The keys of some fields of cards, as `keys` grants them to `caller`.
    pub async fn release(
        &self,
        caller: &CallerName,
        operation: Operation,
        fields: FieldSet,
        epoch: Option<Epoch>,
        records: Vec<Record>,
    ) -> Result<ReleasedKeys, Problem> {
        let call = ReleaseKeys {
            domain: Domain::Payments,
            caller: caller.clone(),
            operation,
            fields,
            epoch,
            records,
            warrant: None,
        };
        let released = self.keys.call(&call).await?;
        if released.answers(&call) {
            return Ok(released);
        }
        tracing::error!("keys answered for other items than it was asked for");
        Err(Problem::new(ProblemKind::Upstream, "another compartment's answer is incomplete"))
    }

    /// The keys of some fields of one card, in the order of the fields' numbers.
    pub async fn release_one<const N: usize>(
        &self,
        caller: &CallerName,
        fields: FieldSet,
        epoch: Epoch,
        record: Record,
    ) -> Result<[FieldKey; N], Problem> {
        let released =
            self.release(caller, Operation::Release, fields, Some(epoch), vec![record]).await?;
        let keys = released.records.into_iter().next().map(|of| of.keys);
        keys.and_then(|keys| keys.try_into().ok()).ok_or_else(|| {
            Problem::new(ProblemKind::Upstream, "another compartment's answer is incomplete")
        })
    }
}
