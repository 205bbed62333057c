//! What the routes and the loops share: the compartment's state.

mod arrivals;
mod hasher;

use std::sync::Arc;

use cofferdam_core::{CallerName, Clock, Domain, Reseal, Rng, Timestamp};
use cofferdam_store::StoreError;
use cofferdam_wire::{Client, Identity, Problem, ProblemType};
use keys_client::Vault;
use tokio::sync::{RwLock, watch};

use crate::Config;
use crate::domain::orders::Orders;
use crate::loops::ResetQueue;
use crate::store::Store;

pub use arrivals::{Arrivals, out_of_numbers};
pub use hasher::Hasher;

/// The state of the compartment.
pub struct App {
    /// The tables.
    pub store: Store,
    /// The keys of customers.
    pub vault: Vault,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub rng: Arc<dyn Rng>,
    /// Password hashes.
    pub hasher: Hasher,
    /// The orders of `response`. Whoever changes them holds them for writing until the row is on
    /// disk; whoever relies on them to the end, as a session being opened, holds them for reading.
    pub orders: RwLock<Orders>,
    /// Numbers and decoys for new customers.
    pub arrivals: Arrivals,
    /// How far the move to a new epoch is.
    pub reseal: watch::Sender<Reseal>,
    /// Resets that were asked for and are not mailed yet.
    pub resets: ResetQueue,
    roles: Roles,
}

/// The callers with a part of their own, from the configuration.
struct Roles {
    controller: CallerName,
    importers: Vec<CallerName>,
}

impl App {
    /// Puts the parts together and takes the orders from the database.
    pub async fn new(
        config: &Config,
        identity: &Identity,
        store: Store,
        resets: ResetQueue,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            vault: Vault::new(Domain::Accounts, Client::any(&config.keys, identity)),
            orders: RwLock::new(store.orders().await?),
            store,
            clock,
            rng,
            hasher: Hasher::new(),
            arrivals: Arrivals::new(config.decoy_mail_domains.clone()),
            reseal: watch::Sender::new(Reseal::default()),
            resets,
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

    /// Whether `caller` is the controller.
    #[must_use]
    pub fn is_controller(&self, caller: &CallerName) -> bool {
        *caller == self.roles.controller
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

/// The problem that a frozen caller is answered with.
#[must_use]
pub fn frozen(caller: &CallerName) -> Problem {
    Problem::new(ProblemType::FROZEN, format!("{caller} is frozen"))
}

/// A rule that the caller could have known says why it does not take the request.
pub fn bad_request(error: &dyn std::error::Error) -> Problem {
    Problem::bad_request(error.to_string())
}

/// An instant as it is stored.
pub fn whole_milliseconds(instant: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(instant.as_millisecond()).unwrap_or(instant)
}
