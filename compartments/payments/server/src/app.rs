//! The state that routes and loops share.

use std::collections::BTreeSet;
use std::sync::Arc;

use cofferdam_core::{CallerName, Clock, Compartment, Domain, Freezes, Reseal, Rng};
use cofferdam_store::StoreError;
use cofferdam_wire::{Client, Identity, Problem, RevokedKeys};
use keys_client::Vault;
use tokio::sync::{Mutex, RwLock, watch};

use crate::Config;
use crate::store::Store;

/// The state of the compartment.
pub struct App {
    /// The tables of `payments`.
    pub store: Store,
    /// The keys of cards.
    pub vault: Vault,
    /// The clock of every recorded instant.
    pub clock: Arc<dyn Clock>,
    /// The source of randomness.
    pub rng: Arc<dyn Rng>,
    /// The number of the next card. A call that stores cards locks it from the seal to the commit,
    /// so that numbers stay dense: a call that fails takes none.
    pub next_record: Mutex<u32>,
    /// The callers that are frozen.
    pub frozen: RwLock<BTreeSet<CallerName>>,
    /// The freezes since the start.
    pub freezes: Freezes,
    /// The revoked keys of certificates.
    pub revoked: RevokedKeys,
    /// The progress of the move to a new epoch.
    pub reseal: watch::Sender<Reseal>,
    controller: CallerName,
}

impl App {
    /// Takes the frozen callers from the database. `next_record` is the number of the next card.
    pub async fn new(
        config: &Config,
        identity: &Identity,
        (store, next_record): (Store, u32),
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            vault: Vault::new(
                Domain::Payments,
                Client::any(Compartment::Keys, &config.keys, identity),
            ),
            next_record: Mutex::new(next_record),
            frozen: RwLock::new(store.frozen_callers().await?),
            freezes: Freezes::default(),
            revoked: identity.revoked().clone(),
            store,
            clock,
            rng,
            reseal: watch::Sender::new(Reseal::default()),
            controller: config.controller.clone(),
        })
    }

    /// Whether `caller` is the controller.
    pub fn is_controller(&self, caller: &CallerName) -> bool {
        *caller == self.controller
    }

    /// Checks that the controller asks.
    pub fn check_controller(&self, caller: &CallerName) -> Result<(), Problem> {
        if self.is_controller(caller) {
            return Ok(());
        }
        tracing::warn!(%caller, "a caller made a call that only the controller may make");
        Err(Problem::not_granted("this is for the controller alone"))
    }
}
