//! The state in the database that all instances share. Each holds a copy, and may use it only while
//! it knows that nothing newer exists.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;

use cofferdam_core::{CallerName, Domain, KeyBytes, ProblemType, Rng, Sha256, Timestamp};
use cofferdam_store::{Db, Generation, Held, InForce, ReadInForce, StoreError};
use cofferdam_wire::{Problem, RevokedKeys};
use keys_api::{Hold, HoldId, ThawOrder};
use roaring::RoaringBitmap;

use crate::ceremony::{self, Secrets};
use crate::domain::access::Access;
use crate::domain::derive::KeyRing;
use crate::domain::holds::{Ending, Holds, NoSuchHold};
use crate::domain::voids::Voids;
use crate::domain::warrants::Warrants;
use crate::{StartError, store};

/// The shared state that is in force, as this instance knows it.
pub struct Shared {
    in_force: InForce<State>,
    opener: Arc<Opener>,
}

/// The root key, which opens the secrets in the database, and the keys that the listener refuses.
pub struct Opener {
    /// The root key.
    pub root: KeyBytes,
    /// The revoked keys of certificates. Each reading adds those that it finds.
    pub refused_keys: RevokedKeys,
}

/// The grants and budgets as the database has them, before this instance serves. Fails if the
/// database can't be opened with `root`.
pub async fn read_access(db: &Db, root: &KeyBytes) -> Result<Arc<Access>, StartError> {
    Ok(State::read_with(db, root).await?.access)
}

/// The shared state, as one reading of the database gives it.
pub struct State {
    access: Arc<Access>,
    ring: Arc<KeyRing>,
    warrants: Arc<Warrants>,
    voids: Arc<Voids>,
    holds: Holds,
    revoked: Arc<BTreeMap<Sha256, CallerName>>,
    reseal: BTreeMap<Domain, Timestamp>,
    erased: BTreeMap<Domain, Arc<RoaringBitmap>>,
}

impl Shared {
    /// Reads the database, and reports this instance.
    pub async fn open(db: Db, opener: Arc<Opener>, rng: &dyn Rng) -> Result<Self, StoreError> {
        Ok(Self { in_force: InForce::open(db, opener.clone(), rng).await?, opener })
    }

    /// Checks that nothing newer exists than what this instance knows, so that it may serve.
    pub fn check_newest(&self) -> Result<(), Problem> {
        if self.in_force.newest().is_some() {
            return Ok(());
        }
        let detail = "this instance does not know the newest orders";
        Err(Problem::new(ProblemType::ORDERS_UNKNOWN, detail).retry_after(1))
    }

    /// Reads the database again if something in it is newer.
    pub async fn catch_up(&self) -> Result<(), StoreError> {
        self.in_force.catch_up().await
    }

    /// Keeps up with the changes of other instances, for as long as it is polled.
    pub async fn keep_up(&self) -> Infallible {
        self.in_force.keep_up().await
    }

    /// Waits until every instance holds a change, or must not serve any more.
    pub async fn hold_everywhere(&self, change: Generation) -> Result<(), StoreError> {
        self.in_force.hold_everywhere(change).await
    }

    /// Ends serving, so that changes don't wait for this instance.
    pub async fn leave(&self) {
        self.in_force.leave().await;
    }

    /// The generation of the database that this instance knows.
    pub fn generation(&self) -> Generation {
        self.state().generation
    }

    /// The keys that the listener refuses.
    pub fn refused_keys(&self) -> RevokedKeys {
        self.opener.refused_keys.clone()
    }

    /// The grants and budgets in force.
    pub fn access(&self) -> Arc<Access> {
        self.state().access.clone()
    }

    /// The keys that all other keys are derived from.
    pub fn ring(&self) -> Arc<KeyRing> {
        self.state().ring.clone()
    }

    /// The warrants that were opened.
    pub fn warrants(&self) -> Arc<Warrants> {
        self.state().warrants.clone()
    }

    /// The void orders.
    pub fn voids(&self) -> Arc<Voids> {
        self.state().voids.clone()
    }

    /// The records of a domain whose keys are never released again.
    pub fn erased(&self, domain: Domain) -> Arc<RoaringBitmap> {
        self.state().erased.get(&domain).cloned().unwrap_or_default()
    }

    /// The last instant at which a domain's records may be re-sealed; `None` outside a rotation.
    pub fn reseal_until(&self, domain: Domain) -> Option<Timestamp> {
        self.state().reseal.get(&domain).copied()
    }

    /// Whether a caller is frozen.
    pub fn is_frozen(&self, caller: &CallerName) -> bool {
        self.state().holds.is_frozen(caller)
    }

    /// The holds on a caller, in the order of the incidents.
    pub fn holds(&self, caller: &CallerName) -> Vec<Hold> {
        self.state().holds.of(caller)
    }

    /// The holds of an incident on a caller.
    pub fn holds_of(&self, caller: &CallerName, incident: u32) -> Vec<HoldId> {
        self.state().holds.of_incident(caller, incident)
    }

    /// The hold that an order ends.
    pub fn hold_of(&self, order: &ThawOrder) -> Result<Ending, NoSuchHold> {
        self.state().holds.check(order)
    }

    /// The revoked keys of certificates, and the callers whose they were.
    pub fn revoked(&self) -> Arc<BTreeMap<Sha256, CallerName>> {
        self.state().revoked.clone()
    }

    /// Makes a master key, sealed for the database.
    pub fn new_master(&self, name: &str, rng: &dyn Rng) -> Vec<u8> {
        cofferdam_custody::seal(&self.opener.root, name, &KeyBytes::new(rng.bytes()), rng)
    }

    fn state(&self) -> Arc<Held<State>> {
        self.in_force.known()
    }
}

impl ReadInForce for State {
    type Context = Arc<Opener>;

    async fn read(db: &Db, opener: &Arc<Opener>) -> Result<Self, StoreError> {
        let state = Self::read_with(db, &opener.root).await.map_err(|e| match e {
            StartError::Store(e) => e,
            other => StoreError::Corrupt(other.to_string()),
        })?;
        opener.refused_keys.add(state.revoked.keys().copied());
        Ok(state)
    }
}

impl State {
    /// Reads the state, whose secrets `root` opens.
    async fn read_with(db: &Db, root: &KeyBytes) -> Result<Self, StartError> {
        let sealed = store::secrets(db).await?;
        let ring = open_ring(root, &sealed)?;
        let policy = store::newest_policy(db).await?.ok_or(StartError::NoPolicy)?;
        let mut warrants = Warrants::default();
        for (terms, closed) in store::warrants(db, &policy.order.approvers).await? {
            warrants.insert(terms, closed);
        }
        let mut erased = BTreeMap::new();
        for domain in Domain::ALL {
            erased.insert(domain, Arc::new(store::erased_records(db, domain).await?));
        }
        let lowered = store::lowerings(db).await?;
        Ok(Self {
            access: Arc::new(Access::new(policy.order, lowered)),
            ring,
            warrants: Arc::new(warrants),
            voids: Arc::new(store::void_orders(db).await?),
            holds: store::holds(db).await?,
            revoked: Arc::new(store::revoked_keys(db).await?),
            reseal: store::reseal_windows(db).await?,
            erased,
        })
    }
}

/// Makes the keys of sealed secrets, in one place of the memory: they are large.
fn open_ring(
    root: &KeyBytes,
    sealed: &BTreeMap<String, Vec<u8>>,
) -> Result<Arc<KeyRing>, StartError> {
    let Secrets { pepper, index, .. } = Secrets::open(root, sealed)?;
    let mut ring = KeyRing::new(&pepper, &index);
    for (domain, epoch, master) in ceremony::open_masters(root, sealed)? {
        ring.insert(domain, epoch, &master);
    }
    Ok(Arc::new(ring))
}
