//! The state that routes and loops share, and the checks that every call passes.

mod alarms;
mod charge;
mod checks;
mod enrolment;
mod numbers;
mod presence;
mod sealed;
mod shared;
mod time;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cofferdam_core::{Clock, Domain, Rng, Timestamp};
use cofferdam_store::{Db, DiskWatch, StoreError};
use cofferdam_tlog::Day;
use cofferdam_wire::{Health, Identity, Problem, ProblemType, RevokedKeys};
use jiff::SignedDuration;
use keys_api::{AlarmKind, Entry, Event};

use crate::StartError;
use crate::ceremony::{self, Secrets, master_name};
use crate::config::Config;
use crate::domain::anchors::Growth;
use crate::domain::decoy::Decoys;
use crate::domain::guesses::Guesses;
use crate::domain::look_ups::LookUps;
use crate::domain::recall::Recalled;
use crate::domain::voids::{Whose, void_id};
use crate::domain::warrants::ToldAgain;
use crate::log::{LogError, Place, ReleaseLog, Since};
use crate::store;

use alarms::Alarms;
use charge::Charging;
use numbers::Numbers;
use sealed::{SEALED_ONCE, Sealed};
use shared::{Opener, Shared, read_access};
use time::SteadyClock;

pub use checks::{Parties, Roles, bad_request};

/// The state of the compartment.
pub struct App {
    /// The controller, the auditors, and the front of each domain.
    pub roles: Roles,
    /// The certificate of this process, and the authority.
    pub identity: Identity,
    /// The function that tells decoys from customers.
    pub decoys: Decoys,
    /// The release log of this instance.
    pub log: ReleaseLog,
    /// The alarms and their repeats.
    pub alarms: Alarms,
    /// The health that `/healthz` shows.
    pub health: Health,
    /// The disks of the log and of the database.
    pub disks: DiskWatch,
    /// The instant from which `keys` sets the time of every password.
    pub passwords_bound_since: Timestamp,
    /// The record numbers that were given out.
    pub numbers: Numbers,
    /// The records that were sealed.
    pub sealed: Sealed,
    /// The database, which instances share.
    pub db: Db,
    /// The source of randomness.
    pub rng: Arc<dyn Rng>,
    /// The state in the database that all instances share.
    pub shared: Shared,
    /// The growth of the journals. Held while one is anchored, so that its length never shrinks.
    pub anchoring: tokio::sync::Mutex<Growth>,
    told_again: Mutex<ToldAgain>,
    charging: Charging,
    guesses: Mutex<Guesses>,
    look_ups: Mutex<LookUps>,
    clock: SteadyClock,
}

/// The number of days of the log that are always read at a start. A warrant holds for a week, and
/// budgets and clocks take a day more.
const RECALL_DAYS: i32 = 8;

impl App {
    /// Opens the log, and brings budgets and the database up to the log's state.
    pub async fn open(
        config: &Config,
        identity: &Identity,
        db: Db,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
    ) -> Result<Self, StartError> {
        let sealed = store::secrets(&db).await?;
        let root = ceremony::root_key(config, &sealed).await?;
        let decoy_key = Secrets::open(&root, &sealed)?.decoy;
        let place = Place {
            origin: &config.log_origin,
            dir: &config.log,
            archive: config.log_archive.as_deref(),
            key: ceremony::open_log_key(config, &root, &sealed)?,
            witness: config.witness_key.clone(),
        };
        let mut recalled = Recalled::new(read_access(&db, &root).await?);
        let started = clock.now();
        let known = store::watched_upto(&db, &config.log_origin).await?;
        let since = if store::knows_sealed(&db, &config.log_origin).await? {
            Since { day: Day::of(started).minus(RECALL_DAYS), known }
        } else {
            // An earlier version did not note which records were sealed.
            Since { day: Day::of(Timestamp::UNIX_EPOCH), known: 0 }
        };
        let (log, opened) = ReleaseLog::open(place, since, &mut |entry| recalled.take(&entry))?;
        check_whole(config, log.size(), known)?;
        save_recalled(&db, &config.log_origin, &recalled).await?;
        store::note_log_of_sealed(&db, &config.log_origin).await?;
        let passwords_bound_since = store::passwords_bound_since(&db, started).await?;
        let opener = Arc::new(Opener { root, refused_keys: RevokedKeys::default() });
        let shared = Shared::open(db.clone(), opener, &*rng).await?;
        let app = Self {
            roles: Roles::new(config),
            identity: identity.clone(),
            decoys: Decoys::new(&decoy_key, config.decoy_one_in),
            log,
            alarms: Alarms::new(db.clone()),
            health: Health::default(),
            disks: disks(config),
            passwords_bound_since,
            numbers: Numbers::new(db.clone(), recalled.numbers),
            sealed: Sealed::read(db.clone(), &config.log_origin).await?,
            anchoring: tokio::sync::Mutex::default(),
            told_again: Mutex::default(),
            charging: Charging::new(recalled.budgets, &db),
            guesses: Mutex::default(),
            look_ups: Mutex::new(LookUps::new(recalled.sought)),
            shared,
            clock: SteadyClock::new(clock, started),
            db,
            rng,
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

    /// The time for all rules. A clock that was moved raises an alarm, and is not followed until
    /// the next start.
    pub async fn now(&self) -> Timestamp {
        let reading = self.clock.read();
        if let Some(jump) = reading.jump {
            let detail = format!("the machine's clock is off by {jump:#}; it is not followed");
            self.alarms.ring(reading.now, AlarmKind::ClockJump, None, detail).await;
        }
        reading.now
    }

    /// Writes events to the log. An answer may leave only after that.
    pub async fn write(&self, at: Timestamp, events: Vec<Event>) -> Result<(), Problem> {
        if events.is_empty() {
            return Ok(());
        }
        let entries: Vec<_> = events.into_iter().map(|event| Entry { at, event }).collect();
        self.log.append(&entries).await.map_err(|e| {
            tracing::error!(cause = %e, "the release log refused an entry");
            Problem::new(ProblemType::UNAVAILABLE, "the release log can't be written")
        })
    }

    /// The look-ups that wait for a note.
    pub fn look_ups(&self) -> MutexGuard<'_, LookUps> {
        lock(&self.look_ups)
    }

    /// Writes into the log which look-ups were never noted.
    pub async fn tell_unanswered(&self, at: Timestamp) -> Result<(), LogError> {
        let (tickets, events): (Vec<_>, Vec<_>) =
            self.look_ups().unanswered(at).into_iter().unzip();
        if tickets.is_empty() {
            return Ok(());
        }
        tracing::warn!(look_ups = tickets.len(), "a compartment did not note whom it found");
        let entries: Vec<_> = events.into_iter().map(|event| Entry { at, event }).collect();
        self.log.append(&entries).await?;
        let mut waiting = self.look_ups();
        for ticket in tickets {
            waiting.end(ticket);
        }
        drop(waiting);
        Ok(())
    }

    /// Waits until a change that this instance wrote holds at every instance.
    pub async fn apply_change(&self) -> Result<(), Problem> {
        let newest = self.db.generation().await?;
        Ok(self.shared.hold_everywhere(newest).await?)
    }

    /// Reads what other instances changed, before an order is held against it.
    pub async fn catch_up(&self) -> Result<(), Problem> {
        Ok(self.shared.catch_up().await?)
    }
}

/// Refuses a log that is shorter than the part that was already read for decoys. A log that is gone
/// has no checkpoint to tell.
fn check_whole(config: &Config, size: u64, read: u64) -> Result<(), LogError> {
    if size < read {
        return Err(LogError::Lost { dir: config.log.clone(), size, read });
    }
    Ok(())
}

/// Brings the database up to the log's state, so that an older copy of the database reopens
/// nothing.
async fn save_recalled(db: &Db, log: &str, recalled: &Recalled) -> Result<(), StoreError> {
    for (id, drawn) in &recalled.drawn {
        store::redraw(db, *id, drawn).await?;
    }
    for id in &recalled.closed {
        store::close_warrant(db, *id).await?;
    }
    for (caller, hold, ended) in recalled.holds.all() {
        store::save_hold(db, caller, hold, ended).await?;
    }
    for (key, caller) in &recalled.revoked {
        store::revoke_key(db, *key, caller).await?;
    }
    for (caller, operation, lowering, state) in recalled.lowered.all() {
        store::save_lowering(db, caller, operation, (lowering, state)).await?;
    }
    for (domain, epoch) in &recalled.retired {
        store::delete_secret(db, &master_name(*domain, *epoch)).await?;
    }
    for domain in SEALED_ONCE {
        let sealed = recalled.sealed.get(&domain).cloned().unwrap_or_default();
        store::note_sealed(db, domain, log, &sealed).await?;
    }
    for (domain, erased) in &recalled.erased {
        store::erase_records(db, *domain, erased).await?;
    }
    save_voids(db, recalled).await?;
    for (journal, end) in &recalled.anchors {
        store::raise_anchor(db, *journal, *end).await?;
    }
    for (domain, state) in &recalled.states {
        let newest = store::newest_state(db, *domain).await?;
        if newest.is_none_or(|(known, _)| known != *state) {
            store::set_state(db, *domain, *state, Timestamp::UNIX_EPOCH).await?;
        }
    }
    Ok(())
}

/// Notes the void orders over everybody that the log knows.
async fn save_voids(db: &Db, recalled: &Recalled) -> Result<(), StoreError> {
    let given = store::numbers_given(db).await?;
    for (incident, set_before, opened_before) in &recalled.voids {
        let id = void_id(*incident, *set_before, None);
        let (set_before, opened_before) = (*set_before.min(opened_before), *opened_before);
        let raised = given.get(&Domain::Accounts).copied().unwrap_or_default().into();
        let whose = Some(&Whose::Everybody);
        let known_at = opened_before;
        let void = store::NewVoid { id, set_before, opened_before, known_at, whose, raised };
        store::note_void(db, &void).await?;
    }
    Ok(())
}

fn disks(config: &Config) -> DiskWatch {
    let archive = config.log_archive.clone();
    let dirs = [config.log.clone()].into_iter().chain(archive).chain(config.database.directory());
    DiskWatch::new(dirs, config.least_free_mib)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
