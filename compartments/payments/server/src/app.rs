//! The state that routes and loops share.

use std::sync::Arc;

use cofferdam_core::{CallerName, Clock, Compartment, Reseal, Rng};
use cofferdam_store::{Held, InForce, StoreError};
use cofferdam_wire::{Client, Identity, Problem, ProblemType, RevokedKeys};
use keys_client::{Halves, Vault};
use tokio::sync::watch;

use crate::Config;
use crate::numbers::Numbers;
use crate::store::{Frozen, Store};

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
    /// The record numbers for new cards.
    pub numbers: Numbers,
    /// The callers that are frozen, which every instance holds.
    pub frozen: InForce<Frozen>,
    /// The revoked keys of certificates.
    pub revoked: RevokedKeys,
    /// The progress of the move to a new epoch.
    pub reseal: watch::Sender<Reseal>,
    controller: CallerName,
}

/// The parts of the state that are made before it.
pub struct Parts {
    /// The tables of `payments`.
    pub store: Store,
    /// The compartment's halves of keys.
    pub halves: Halves,
    /// The clock of every recorded instant.
    pub clock: Arc<dyn Clock>,
    /// The source of randomness.
    pub rng: Arc<dyn Rng>,
}

impl App {
    /// Takes the frozen callers from the database.
    pub async fn new(
        config: &Config,
        identity: &Identity,
        parts: Parts,
    ) -> Result<Self, StoreError> {
        let Parts { store, halves, clock, rng } = parts;
        Ok(Self {
            vault: Vault::new(Client::any(Compartment::Keys, &config.keys, identity), halves),
            numbers: Numbers::default(),
            frozen: InForce::open(store.db().clone(), (), &*rng).await?,
            revoked: identity.revoked().clone(),
            store,
            clock,
            rng,
            reseal: watch::Sender::new(Reseal::default()),
            controller: config.controller.clone(),
        })
    }

    /// Refuses a frozen caller, and every checkout server while it is unknown who is frozen. The
    /// controller, which freezes, can't be frozen.
    pub fn check_frozen(&self, caller: &CallerName) -> Result<(), Problem> {
        if !self.is_controller(caller) && self.frozen()?.0.contains(caller) {
            return Err(Problem::new(ProblemType::FROZEN, format!("{caller} is frozen")));
        }
        Ok(())
    }

    /// The callers that are frozen. Fails if this instance does not know them.
    pub fn frozen(&self) -> Result<Arc<Held<Frozen>>, Problem> {
        self.frozen.newest().ok_or_else(|| {
            let detail = "this instance does not know who is frozen";
            Problem::new(ProblemType::ORDERS_UNKNOWN, detail).retry_after(1)
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
