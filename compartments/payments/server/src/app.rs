//! What the endpoints share.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};

use cofferdam_core::{CallerName, Clock, Reseal, Rng};
use cofferdam_store::StoreError;
use cofferdam_wire::{Client, Identity, Problem};
use tokio::sync::{Mutex, watch};

use crate::Config;
use crate::keys::Keys;
use crate::store::Store;

/// The state of the compartment.
pub struct App {
    /// The tables.
    pub store: Store,
    /// The `keys` compartment.
    pub keys: Keys,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub rng: Arc<dyn Rng>,
    /// The number of the next card. Whoever stores cards holds it from the seal to the commit, so
    /// that numbers stay dense: a call that fails takes none.
    pub next: Mutex<u32>,
    /// How far the move to a new epoch is.
    pub reseal: watch::Sender<Reseal>,
    controller: CallerName,
    frozen: RwLock<HashSet<CallerName>>,
}

impl App {
    /// Opens the database, and takes from it where numbers go on and who is frozen.
    pub async fn open(
        config: &Config,
        identity: &Identity,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
    ) -> Result<Self, StoreError> {
        let store = Store::open(&config.database).await?;
        Ok(Self {
            next: Mutex::new(store.next_record().await?),
            frozen: RwLock::new(store.frozen_callers().await?),
            store,
            keys: Keys::new(Client::any(&config.keys, identity)),
            clock,
            rng,
            reseal: watch::Sender::new(Reseal::default()),
            controller: config.controller.clone(),
        })
    }

    /// Whether `caller` is the one that gives orders.
    pub fn is_controller(&self, caller: &CallerName) -> bool {
        *caller == self.controller
    }

    /// Only the controller may go on.
    pub fn check_controller(&self, caller: &CallerName) -> Result<(), Problem> {
        if self.is_controller(caller) {
            return Ok(());
        }
        tracing::warn!(%caller, "a caller asked for what is for the controller alone");
        Err(Problem::not_granted("this is for the controller alone"))
    }

    /// Whether `caller` is refused everything.
    pub fn is_frozen(&self, caller: &CallerName) -> bool {
        self.frozen.read().unwrap_or_else(PoisonError::into_inner).contains(caller)
    }

    /// Freezes or thaws a caller in memory; its row is written first.
    pub fn set_frozen(&self, caller: CallerName, frozen: bool) {
        let mut set = self.frozen.write().unwrap_or_else(PoisonError::into_inner);
        if frozen {
            set.insert(caller);
        } else {
            set.remove(&caller);
        }
    }
}
