//! The state in the database that all instances share. It is read as a whole, and read again when
//! its generation moves.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use cofferdam_core::{CallerName, Domain, KeyBytes, Rng, Sha256, Timestamp};
use cofferdam_store::{Db, StoreError};
use cofferdam_wire::RevokedKeys;
use keys_api::{Hold, HoldId, ThawOrder};
use roaring::RoaringBitmap;

use super::lock;
use crate::ceremony::{self, Secrets};
use crate::domain::access::Access;
use crate::domain::derive::KeyRing;
use crate::domain::holds::{Ending, Holds, NoSuchHold};
use crate::domain::warrants::Warrants;
use crate::{StartError, custody, store};

/// The last reading of the database, and the root key that opens it.
pub struct Shared {
    db: Db,
    root: KeyBytes,
    state: RwLock<State>,
    /// The generation at which `state` was read.
    generation: Mutex<i64>,
    /// Held while the database is read, so that an older reading never replaces a newer one.
    reloading: tokio::sync::Mutex<()>,
    /// The keys that the listener refuses.
    pub refused_keys: RevokedKeys,
}

struct State {
    access: Arc<Access>,
    ring: Arc<KeyRing>,
    warrants: Arc<Warrants>,
    holds: Holds,
    revoked: Arc<BTreeMap<Sha256, CallerName>>,
    reseal: BTreeMap<Domain, Timestamp>,
    erased: BTreeMap<Domain, Arc<RoaringBitmap>>,
}

impl Shared {
    /// Reads the database, whose secrets `root` opens.
    pub async fn read(db: Db, root: KeyBytes) -> Result<Self, StartError> {
        let generation = store::generation(&db).await?;
        let state = State::read(&db, &root).await?;
        let refused_keys = RevokedKeys::of(state.revoked.keys().copied());
        Ok(Self {
            db,
            root,
            state: RwLock::new(state),
            generation: Mutex::new(generation),
            reloading: tokio::sync::Mutex::default(),
            refused_keys,
        })
    }

    /// Reads the database again.
    pub async fn reload(&self) -> Result<(), StartError> {
        let _one_at_a_time = self.reloading.lock().await;
        // The generation is read first: a change that comes during the rest moves it past this one.
        let generation = store::generation(&self.db).await?;
        let state = State::read(&self.db, &self.root).await?;
        self.refused_keys.add(state.revoked.keys().copied());
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = state;
        *lock(&self.generation) = generation;
        Ok(())
    }

    /// Whether an instance has changed something since the last reading.
    pub async fn is_outdated(&self) -> Result<bool, StoreError> {
        Ok(store::generation(&self.db).await? != *lock(&self.generation))
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
        custody::seal(&self.root, name, &KeyBytes::new(rng.bytes()), rng)
    }

    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    async fn read(db: &Db, root: &KeyBytes) -> Result<Self, StartError> {
        let sealed = store::secrets(db).await?;
        let Secrets { pepper, index, .. } = Secrets::open(root, &sealed)?;
        let mut ring = KeyRing::new(&pepper, &index);
        for (domain, epoch, master) in ceremony::open_masters(root, &sealed)? {
            ring.insert(domain, epoch, &master);
        }
        let policy = store::newest_policy(db).await?.ok_or(StartError::NoPolicy)?;
        let mut warrants = Warrants::default();
        for (terms, closed) in store::warrants(db, &policy.order.approvers).await? {
            warrants.insert(terms, closed);
        }
        let mut erased = BTreeMap::new();
        for domain in Domain::ALL {
            erased.insert(domain, Arc::new(store::erased_records(db, domain).await?));
        }
        let lowered = store::lowered_budgets(db).await?;
        Ok(Self {
            access: Arc::new(Access::new(policy.order, lowered)),
            ring: Arc::new(ring),
            warrants: Arc::new(warrants),
            holds: store::holds(db).await?,
            revoked: Arc::new(store::revoked_keys(db).await?),
            reseal: store::reseal_windows(db).await?,
            erased,
        })
    }
}
