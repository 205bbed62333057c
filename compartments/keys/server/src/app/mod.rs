//! The compartment's state, and what every endpoint does with it.

mod charge;
mod checks;
mod recall;
mod upkeep;
mod watch;

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use cofferdam_core::{CallerName, Clock, Domain, KeyBytes, Rng, Timestamp};
use cofferdam_store::Db;
use cofferdam_wire::{Problem, ProblemType};
use jiff::SignedDuration;
use keys_api::{AlarmKind, Entry, Event};
use roaring::RoaringBitmap;
use tokio::sync::Notify;

use crate::alarms::Alarms;
use crate::ceremony::{self, Secrets};
use crate::config::Config;
use crate::domain::access::Access;
use crate::domain::decoy::Decoys;
use crate::domain::derive::KeyRing;
use crate::domain::time::SteadyTime;
use crate::domain::warrants::Warrants;
use crate::log::{Place, ReleaseLog};
use crate::{StartError, store};

use charge::Charging;
use recall::Recalled;

pub use checks::{Parties, check_count, check_records};

/// The state of the compartment.
pub struct App {
    controller: CallerName,
    auditors: Vec<CallerName>,
    fronts: BTreeMap<Domain, CallerName>,
    pub decoys: Decoys,
    /// The log's name.
    origin: String,
    /// Told when the log has grown.
    grown: Notify,
    pub log: ReleaseLog,
    pub alarms: Alarms,
    pub db: Db,
    pub rng: Arc<dyn Rng>,
    clock: Arc<dyn Clock>,
    steady: SteadyTime,
    root: KeyBytes,
    charging: Charging,
    shared: RwLock<Shared>,
    /// The generation that `shared` was read at.
    generation: Mutex<i64>,
    /// Held while it is read: an older reading must not replace a newer one.
    reloading: tokio::sync::Mutex<()>,
}

/// What the database holds for all instances, as it was read last.
struct Shared {
    access: Arc<Access>,
    ring: Arc<KeyRing>,
    warrants: Arc<Warrants>,
    frozen: HashSet<CallerName>,
    reseal: BTreeMap<Domain, Timestamp>,
    erased: BTreeMap<Domain, Arc<RoaringBitmap>>,
}

/// The longest time that a warrant holds, and so the part of the log that counts at start: a
/// week, and a day for budgets and clocks.
const RECALL_DAYS: i32 = 8;

impl App {
    /// Opens the log, and takes budgets and warrants from what it says.
    pub async fn open(
        config: &Config,
        db: Db,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
    ) -> Result<Self, StartError> {
        let sealed = store::secrets(&db).await?;
        let root = ceremony::root_key(config, &sealed).await?;
        let secrets = Secrets::open(&root, &sealed)?;
        let generation = store::generation(&db).await?;
        let shared = read_shared(&db, &root, &secrets.pepper, &secrets.index).await?;
        let started = clock.now();
        let mut recalled = Recalled::new(shared.access.clone());
        let place = Place {
            dir: &config.log,
            archive: config.log_archive.as_deref(),
            key: ceremony::open_log_key(config, &root, &sealed)?,
            witness: config.witness_key.clone(),
        };
        let since = cofferdam_tlog::Day::of(started).minus(RECALL_DAYS);
        let (log, opened) = ReleaseLog::open(place, since, &mut |entry| recalled.take(&entry))?;
        recalled.save(&db).await?;
        // What the log knew better than the database holds from the first request on.
        let shared = read_shared(&db, &root, &secrets.pepper, &secrets.index).await?;
        let app = Self {
            controller: config.controller.clone(),
            auditors: config.auditors.clone(),
            fronts: config.fronts.clone(),
            origin: config.log_origin.clone(),
            grown: Notify::new(),
            decoys: Decoys::new(&secrets.decoy, config.decoy_one_in),
            log,
            alarms: Alarms::new(db.clone()),
            steady: SteadyTime::new(started, clock.monotonic()),
            charging: Charging::new(recalled.budgets, &db),
            shared: RwLock::new(shared),
            generation: Mutex::new(generation),
            reloading: tokio::sync::Mutex::new(()),
            db,
            clock,
            rng,
            root,
        };
        app.report_start(opened.bytes_cut, recalled.last).await?;
        Ok(app)
    }

    async fn report_start(
        &self,
        bytes_cut: u64,
        last: Option<Timestamp>,
    ) -> Result<(), StartError> {
        let now = self.now().await;
        if bytes_cut > 0 {
            let detail = format!("the log's end was torn: {bytes_cut} bytes without an answer cut");
            self.alarms.ring(now, AlarmKind::LogDamage, None, detail).await;
        }
        if let Some(ahead) = last.filter(|last| *last > now + SignedDuration::from_secs(2)) {
            let detail =
                format!("the log ends at {ahead}, which is still to come: the clock was set back");
            self.alarms.ring(now, AlarmKind::ClockJump, None, detail).await;
        }
        let event = if bytes_cut == 0 { Event::Started } else { Event::Recovered { bytes_cut } };
        self.log.append(&[Entry { at: now, event }]).await?;
        Ok(self.log.save_checkpoint()?)
    }

    /// The time to go by. A clock that was moved rings, and is not followed until the next start.
    pub async fn now(&self) -> Timestamp {
        let reading = self.steady.read(self.clock.now(), self.clock.monotonic());
        if let Some(jump) = reading.jump {
            let detail = format!("the machine's clock is off by {jump:#}; it is not followed");
            self.alarms.ring(reading.now, AlarmKind::ClockJump, None, detail).await;
        }
        reading.now
    }

    /// Writes to the log; only then may an answer leave.
    pub async fn write(&self, at: Timestamp, events: Vec<Event>) -> Result<(), Problem> {
        let entries: Vec<_> = events.into_iter().map(|event| Entry { at, event }).collect();
        self.log.append(&entries).await.map_err(|e| {
            tracing::error!(cause = %e, "the release log refused an entry");
            Problem::new(ProblemType::UNAVAILABLE, "the release log can't be written")
        })?;
        self.grown.notify_one();
        Ok(())
    }

    /// Reads again what the database holds for all instances.
    pub async fn reload(&self) -> Result<(), StartError> {
        let _one_at_a_time = self.reloading.lock().await;
        let generation = store::generation(&self.db).await?;
        let sealed = store::secrets(&self.db).await?;
        let secrets = Secrets::open(&self.root, &sealed)?;
        let shared = read_shared(&self.db, &self.root, &secrets.pepper, &secrets.index).await?;
        *self.shared.write().unwrap_or_else(PoisonError::into_inner) = shared;
        *lock(&self.generation) = generation;
        Ok(())
    }

    /// The same for an endpoint that has just changed something.
    pub async fn after_change(&self) -> Result<(), Problem> {
        self.reload().await.map_err(|e| Problem::internal(&e))
    }

    /// Grants and budgets.
    pub fn access(&self) -> Arc<Access> {
        self.shared().access.clone()
    }

    /// The keys that everything is derived from.
    pub fn ring(&self) -> Arc<KeyRing> {
        self.shared().ring.clone()
    }

    /// Open warrants.
    pub fn warrants(&self) -> Arc<Warrants> {
        self.shared().warrants.clone()
    }

    /// The records of a domain whose keys are never released again.
    pub fn erased(&self, domain: Domain) -> Arc<RoaringBitmap> {
        self.shared().erased.get(&domain).cloned().unwrap_or_default()
    }

    /// Until when a domain's records may be re-sealed.
    pub fn reseal_until(&self, domain: Domain) -> Option<Timestamp> {
        self.shared().reseal.get(&domain).copied()
    }

    /// Seals a new master key, for the database.
    pub fn new_master(&self, name: &str) -> Vec<u8> {
        let master = KeyBytes::new(self.rng.bytes());
        crate::custody::seal(&self.root, name, &master, &*self.rng)
    }

    pub fn is_frozen(&self, caller: &CallerName) -> bool {
        self.shared().frozen.contains(caller)
    }

    fn shared(&self) -> std::sync::RwLockReadGuard<'_, Shared> {
        self.shared.read().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn read_shared(
    db: &Db,
    root: &KeyBytes,
    pepper: &KeyBytes,
    index: &KeyBytes,
) -> Result<Shared, StartError> {
    let mut ring = KeyRing::new(pepper, index);
    for (domain, epoch, master) in ceremony::open_masters(root, &store::secrets(db).await?)? {
        ring.insert(domain, epoch, &master);
    }
    let mut warrants = Warrants::default();
    for (signed, closed) in store::warrants(db).await? {
        warrants.insert(signed.order, closed);
    }
    let mut erased = BTreeMap::new();
    for domain in Domain::ALL {
        erased.insert(domain, Arc::new(store::records_of(db, &erased_set(domain)).await?));
    }
    let lowered = store::lowered_budgets(db).await?.into_iter().collect();
    let policy = store::newest_policy(db).await?.ok_or(StartError::NoPolicy)?;
    Ok(Shared {
        access: Arc::new(Access::new(policy.order, lowered)),
        ring: Arc::new(ring),
        warrants: Arc::new(warrants),
        frozen: store::frozen_callers(db).await?.into_iter().collect(),
        reseal: store::reseal_windows(db).await?,
        erased,
    })
}

/// The name of a domain's set of erased records.
pub fn erased_set(domain: Domain) -> String {
    format!("erased/{domain}")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
