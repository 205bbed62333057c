//! The state that routes and loops share.

mod arrivals;
mod hasher;
mod turns;

use std::sync::Arc;

use cofferdam_core::{CallerName, Clock, Compartment, Reseal, Rng, Timestamp, whole_milliseconds};
use cofferdam_store::{Held, InForce, StoreError};
use cofferdam_wire::{Client, Identity, Problem, ProblemType, RevokedKeys};
use keys_client::{Groups, Halves, Vault};
use tokio::sync::{Mutex, watch};

use crate::Config;
use crate::domain::customer_numbers::CustomerNumbers;
use crate::domain::orders::Orders;
use crate::loops::ResetQueue;
use crate::store::Store;

pub use arrivals::{Arrivals, out_of_numbers};
pub use hasher::Hasher;

/// The state of the compartment.
pub struct App {
    /// The tables of `accounts`.
    pub store: Store,
    /// The keys of customers.
    pub vault: Vault,
    /// The clock of every recorded instant.
    pub clock: Arc<dyn Clock>,
    /// The source of randomness.
    pub rng: Arc<dyn Rng>,
    /// The threads that hash passwords.
    pub hasher: Hasher,
    /// The orders of `response`, which every instance holds. [`App::orders`] gives the newest.
    pub orders: InForce<Orders>,
    /// The groups of callers that share sessions.
    pub groups: Groups,
    /// The revoked keys of certificates.
    pub revoked: RevokedKeys,
    /// The numbers and the decoys for new customers.
    pub arrivals: Arrivals,
    /// The numbers by which callers know customers.
    pub customer_numbers: CustomerNumbers,
    /// The progress of the move to a new epoch.
    pub reseal: watch::Sender<Reseal>,
    /// The resets that were asked for and not yet mailed.
    pub resets: ResetQueue,
    /// Held by a void order from its first look at the orders before it until it holds, so that
    /// each counts all that came before.
    pub voiding: Mutex<()>,
    /// About one record in so many is a decoy.
    pub decoy_one_in: u32,
    roles: Roles,
}

/// The callers with a special role in the configuration.
struct Roles {
    controller: CallerName,
    importers: Vec<CallerName>,
}

/// The parts of the state that are made before it.
pub struct Parts {
    /// The tables of `accounts`.
    pub store: Store,
    /// The compartment's halves of keys.
    pub halves: Halves,
    /// The resets that were asked for and not yet mailed.
    pub resets: ResetQueue,
    /// The clock of every recorded instant.
    pub clock: Arc<dyn Clock>,
    /// The source of randomness.
    pub rng: Arc<dyn Rng>,
}

impl App {
    /// Puts the parts together, and reads the orders and the key of customer numbers from the database.
    pub async fn new(
        config: &Config,
        identity: &Identity,
        parts: Parts,
    ) -> Result<Self, StoreError> {
        let Parts { store, halves, resets, clock, rng } = parts;
        let number_key = store.number_key(&*rng).await?;
        Ok(Self {
            vault: Vault::new(Client::any(Compartment::Keys, &config.keys, identity), halves),
            orders: InForce::open(store.db().clone(), (), &*rng).await?,
            groups: Groups::default(),
            revoked: identity.revoked().clone(),
            store,
            clock,
            rng,
            hasher: Hasher::new(),
            arrivals: Arrivals::new(config.decoy_mail_domains.clone()),
            customer_numbers: CustomerNumbers::new(number_key.as_ref()),
            reseal: watch::Sender::new(Reseal::default()),
            resets,
            voiding: Mutex::default(),
            decoy_one_in: config.decoy_one_in,
            roles: Roles {
                controller: config.controller.clone(),
                importers: config.importers.clone(),
            },
        })
    }

    /// The time as it is stored: whole milliseconds.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        whole_milliseconds(self.clock.now())
    }

    /// The newest orders. Fails if this instance does not know them.
    pub fn orders(&self) -> Result<Arc<Held<Orders>>, Problem> {
        self.orders.newest().ok_or_else(|| {
            let detail = "this instance does not know the newest orders";
            Problem::new(ProblemType::ORDERS_UNKNOWN, detail).retry_after(1)
        })
    }

    /// Reads the newest orders again, and returns them.
    pub async fn caught_up_orders(&self) -> Result<Arc<Held<Orders>>, Problem> {
        self.orders.catch_up().await?;
        self.orders()
    }

    /// Refuses a frozen caller, and every app server while the newest orders are unknown. The
    /// controller, which gives the orders, can't be frozen.
    pub fn check_frozen(&self, caller: &CallerName) -> Result<(), Problem> {
        if !self.is_controller(caller) && self.orders()?.frozen.contains(caller) {
            return Err(frozen(caller));
        }
        Ok(())
    }

    /// Whether `caller` is the controller.
    #[must_use]
    pub fn is_controller(&self, caller: &CallerName) -> bool {
        *caller == self.roles.controller
    }

    /// Whether `caller` has any role, so that room is kept for its connections.
    #[must_use]
    pub fn has_role(&self, caller: &CallerName) -> bool {
        self.is_controller(caller) || self.roles.importers.contains(caller)
    }

    /// Checks that the controller asks.
    pub fn check_controller(&self, caller: &CallerName) -> Result<(), Problem> {
        if self.is_controller(caller) {
            return Ok(());
        }
        Err(refused(caller, "this is for the controller alone"))
    }

    /// Checks that an importer asks.
    pub fn check_importer(&self, caller: &CallerName) -> Result<(), Problem> {
        if self.roles.importers.contains(caller) {
            return Ok(());
        }
        Err(refused(caller, "this is for importers alone"))
    }
}

fn refused(caller: &CallerName, detail: &str) -> Problem {
    tracing::warn!(%caller, "a caller was refused: {detail}");
    Problem::not_granted(detail)
}

/// The problem with which a frozen caller is answered.
fn frozen(caller: &CallerName) -> Problem {
    Problem::new(ProblemType::FROZEN, format!("{caller} is frozen"))
}

/// A bad request, with the reason that the rule gives: the caller could have known the rule.
pub fn bad_request(error: &dyn std::error::Error) -> Problem {
    Problem::bad_request(error.to_string())
}
