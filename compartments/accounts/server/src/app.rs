//! What the endpoints share.

use std::sync::Arc;

use cofferdam_core::{CallerName, Clock, Reseal, Rng, Timestamp};
use cofferdam_store::StoreError;
use cofferdam_wire::{Client, Identity, Problem, ProblemType};
use jiff::SignedDuration;
use tokio::sync::{Mutex, RwLock, watch};

use crate::Config;
use crate::domain::decoy::MailDomains;
use crate::domain::orders::Orders;
use crate::donors::Donors;
use crate::hasher::Hasher;
use crate::jobs::ResetQueue;
use crate::keys::Keys;
use crate::numbers::Numbers;
use crate::store::Store;

/// How far ahead the controller's clock may be.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

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
    /// Password hashes.
    pub hasher: Hasher,
    /// What `response` ordered. Who changes it holds it for writing until the row is on disk;
    /// who relies on it to the end, as a session being opened, holds it for reading.
    pub orders: RwLock<Orders>,
    /// The record numbers to come.
    pub numbers: Mutex<Numbers>,
    /// Recent people, to make decoys of.
    pub donors: Donors,
    /// Where decoys have their mailboxes.
    pub decoy_mail_domains: MailDomains,
    /// How far the move to a new epoch is.
    pub reseal: watch::Sender<Reseal>,
    /// Where asked-for resets wait.
    pub resets: ResetQueue,
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
            keys: Keys::new(Client::any(&config.keys, identity)),
            orders: RwLock::new(store.orders().await?),
            store,
            clock,
            rng,
            hasher: Hasher::new(),
            numbers: Mutex::default(),
            donors: Donors::default(),
            decoy_mail_domains: config.decoy_mail_domains.clone(),
            reseal: watch::Sender::new(Reseal::default()),
            resets,
            controller: config.controller.clone(),
            importers: config.importers.clone(),
        })
    }

    /// The time as it is stored: whole milliseconds.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        whole_milliseconds(self.clock.now())
    }

    /// Whether `caller` is the one that gives orders.
    #[must_use]
    pub fn is_controller(&self, caller: &CallerName) -> bool {
        *caller == self.controller
    }

    /// Only the controller may go on.
    pub fn check_controller(&self, caller: &CallerName) -> Result<(), Problem> {
        if self.is_controller(caller) {
            return Ok(());
        }
        Err(refused(caller, "this is for the controller alone"))
    }

    /// Only importers may go on.
    pub fn check_importer(&self, caller: &CallerName) -> Result<(), Problem> {
        if self.importers.contains(caller) {
            return Ok(());
        }
        Err(refused(caller, "this is for importers alone"))
    }

    /// An order's instant, as it is stored; one in the future would hit what is still to come. A
    /// controller whose clock is a little ahead means now: an order must not fail for that.
    pub fn past(&self, instant: Timestamp) -> Result<Timestamp, Problem> {
        let now = self.clock.now();
        if instant.duration_since(now) > SKEW {
            return Err(Problem::bad_request("the instant is in the future"));
        }
        Ok(whole_milliseconds(instant.min(now)))
    }
}

fn refused(caller: &CallerName, detail: &str) -> Problem {
    tracing::warn!(%caller, "a caller asked for what is not its own: {detail}");
    Problem::not_granted(detail)
}

/// What a frozen caller is told.
#[must_use]
pub fn frozen(caller: &CallerName) -> Problem {
    Problem::new(ProblemType::FROZEN, format!("{caller} is frozen"))
}

fn whole_milliseconds(instant: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(instant.as_millisecond()).unwrap_or(instant)
}
