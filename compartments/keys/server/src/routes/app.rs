//! What the endpoints share: the compartment's state, and the checks that every call passes.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use cofferdam_core::{CallerName, Clock, Domain, Field, FieldSet, Operation, Record, Timestamp};
use cofferdam_store::Db;
use cofferdam_wire::{Problem, ProblemKind};
use keys_api::{AlarmKind, ApproverKey, Entry, Event, MAX_BATCH, RecordList};

use crate::alarms::Alarms;
use crate::ceremony::{Secrets, note_key};
use crate::domain::access::Access;
use crate::domain::budget::Budgets;
use crate::domain::decoy::Decoys;
use crate::domain::derive::KeyRing;
use crate::domain::warrants::Warrants;
use crate::log::ReleaseLog;
use crate::{Config, StartError, store};

/// The state of the compartment.
pub struct App {
    pub access: Access,
    pub ring: KeyRing,
    pub decoys: Decoys,
    pub approvers: Vec<ApproverKey>,
    pub log: ReleaseLog,
    pub alarms: Alarms,
    pub db: Db,
    pub clock: Arc<dyn Clock>,
    budgets: Mutex<Budgets>,
    warrants: Mutex<Warrants>,
    frozen: RwLock<HashSet<CallerName>>,
    unfilled: Mutex<HashSet<Record>>,
}

/// Who asks, and for whom.
pub struct Parties<'a> {
    /// The identity of the caller: the compartment in front of the data.
    pub via: &'a CallerName,
    /// The caller that it serves.
    pub caller: &'a CallerName,
}

impl App {
    /// Opens the log, and takes budgets and warrants from what it says.
    pub async fn open(config: &Config, db: Db, clock: Arc<dyn Clock>) -> Result<Self, StartError> {
        let access = Access::new(config).map_err(StartError::Nonsense)?;
        let secrets = Secrets::load(&config.secrets)?;
        let key = note_key(&secrets.log, &config.log_origin)?;
        let mut warrants = Warrants::default();
        for (signed, closed) in store::warrants(&db).await? {
            warrants.insert(signed.warrant, closed);
        }
        let mut budgets = Budgets::default();
        let (log, opened) = ReleaseLog::open(
            &config.log,
            &config.log_origin,
            key.signer,
            &key.verifier,
            &mut |entry| recall(&mut budgets, &mut warrants, &entry),
        )?;
        let app = Self {
            access,
            ring: KeyRing::new(&secrets.masters, &secrets.pepper, &secrets.index),
            decoys: Decoys::new(&secrets.decoy, config.decoy_one_in),
            approvers: config.approvers.clone(),
            log,
            alarms: Alarms::open(db.clone(), clock.clone()).await?,
            frozen: RwLock::new(store::frozen_callers(&db).await?.into_iter().collect()),
            unfilled: Mutex::new(store::unfilled(&db).await?),
            db,
            clock,
            budgets: Mutex::new(budgets),
            warrants: Mutex::new(warrants),
        };
        app.report_start(opened.bytes_cut).await?;
        Ok(app)
    }

    async fn report_start(&self, bytes_cut: u64) -> Result<(), StartError> {
        let event = if bytes_cut == 0 { Event::Started } else { Event::Recovered { bytes_cut } };
        if bytes_cut > 0 {
            let detail = format!("the log's end was torn: {bytes_cut} bytes without an answer cut");
            self.alarms.ring(AlarmKind::LogDamage, None, detail).await;
        }
        self.log.append(&Entry { at: self.clock.now(), event }).await?;
        self.log.save_checkpoint()?;
        Ok(())
    }

    /// Writes counted alarms and the checkpoint, every second.
    pub async fn keep_alarms(self: Arc<Self>) {
        loop {
            tokio::time::sleep(Duration::from_secs(1)).await;
            if let Err(e) = self.alarms.flush().await {
                tracing::error!(cause = %e, "alarms could not be written");
            }
            if let Err(e) = self.log.save_checkpoint() {
                tracing::error!(cause = %e, "the checkpoint could not be written");
            }
        }
    }

    /// Only the controller may command.
    pub async fn check_controller(&self, caller: &CallerName, what: &str) -> Result<(), Problem> {
        if self.access.is_controller(caller) {
            return Ok(());
        }
        Err(self.refuse_grant(caller, format!("{what} is for the controller")).await)
    }

    /// The call comes from the compartment in front of `domain`, and nobody in it is frozen.
    pub async fn check_parties(&self, who: &Parties<'_>, domain: Domain) -> Result<(), Problem> {
        if !self.access.is_front(domain, who.via) {
            let what = format!("keys of {domain} are given to its own compartment only");
            return Err(self.refuse_grant(who.via, what).await);
        }
        for name in [who.caller, who.via] {
            if self.is_frozen(name) {
                self.alarms
                    .ring(AlarmKind::Frozen, Some(name), format!("{name} asks on while frozen"))
                    .await;
                return Err(Problem::new(ProblemKind::Frozen, format!("{name} is frozen")));
            }
        }
        Ok(())
    }

    /// The caller has a grant for this.
    pub async fn check_grant(
        &self,
        who: &Parties<'_>,
        domain: Domain,
        operation: Operation,
        fields: FieldSet,
    ) -> Result<(), Problem> {
        if self.access.allows(who.caller, domain, operation, fields) {
            return Ok(());
        }
        let names: Vec<_> = fields.iter().map(Field::as_str).collect();
        let what = match names.as_slice() {
            [] => format!("{operation} in {domain}"),
            names => format!("{operation} of {} in {domain}", names.join(", ")),
        };
        Err(self.refuse_grant(who.caller, what).await)
    }

    async fn refuse_grant(&self, caller: &CallerName, what: String) -> Problem {
        let detail = format!("{caller} has no grant: {what}");
        self.alarms.ring(AlarmKind::RefusedGrant, Some(caller), detail.clone()).await;
        Problem::not_granted(detail)
    }

    /// Charges the budgets that count for this, or says when to come back.
    pub async fn charge(
        &self,
        who: &Parties<'_>,
        operation: Operation,
        now: Timestamp,
        records: usize,
    ) -> Result<(), Problem> {
        let Some(budgets) = self.access.budgets(who.caller, who.via, operation) else {
            let what = format!("{operation} without a budget");
            return Err(self.refuse_grant(who.caller, what).await);
        };
        let charged = lock(&self.budgets).charge(&budgets, operation, now, records as u64);
        let Err(spent) = charged else { return Ok(()) };
        let (caller, window, limit) = (&spent.caller, spent.window, spent.limit);
        let detail = format!("{caller} is past its {operation} budget of {limit} a {window}");
        self.alarms.ring(AlarmKind::Budget, Some(caller), detail.clone()).await;
        let problem = Problem::new(ProblemKind::BudgetExhausted, detail);
        Err(match spent.retry_after_s {
            Some(seconds) => problem.retry_after(seconds),
            None => problem,
        })
    }

    /// Writes to the log; only then may an answer leave.
    pub async fn write(&self, at: Timestamp, event: Event) -> Result<(), Problem> {
        self.log.append(&Entry { at, event }).await.map_err(|e| {
            tracing::error!(cause = %e, "the release log refused an entry");
            Problem::new(ProblemKind::Unavailable, "the release log can't be written")
        })?;
        Ok(())
    }

    /// Rings for each decoy among the records.
    pub async fn watch_decoys(&self, who: &Parties<'_>, records: &[Record], what: &str) {
        for record in records {
            if self.decoys.is_decoy(Domain::Accounts, *record) {
                let detail = format!("{} {what} decoy {record}", who.caller);
                self.alarms.ring(AlarmKind::Decoy, Some(who.caller), detail).await;
            }
        }
    }

    /// Records last hour, for the list of callers.
    pub fn released_last_hour(&self, caller: &CallerName) -> u64 {
        lock(&self.budgets).last_hour(caller, Operation::Release, self.clock.now())
    }

    pub fn warrants(&self) -> MutexGuard<'_, Warrants> {
        lock(&self.warrants)
    }

    /// Decoys that wait for their first password.
    pub fn unfilled(&self) -> MutexGuard<'_, HashSet<Record>> {
        lock(&self.unfilled)
    }

    pub fn is_frozen(&self, caller: &CallerName) -> bool {
        self.frozen.read().unwrap_or_else(PoisonError::into_inner).contains(caller)
    }

    pub fn set_frozen(&self, caller: &CallerName, frozen: bool) {
        let mut set = self.frozen.write().unwrap_or_else(PoisonError::into_inner);
        if frozen {
            set.insert(caller.clone());
        } else {
            set.remove(caller);
        }
    }
}

/// One to [`MAX_BATCH`] items.
pub fn check_count(items: usize) -> Result<(), Problem> {
    if (1..=MAX_BATCH).contains(&items) {
        Ok(())
    } else {
        Err(Problem::bad_request(format!("a call names 1 to {MAX_BATCH} items, not {items}")))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What an entry of the log means for budgets and warrants.
fn recall(budgets: &mut Budgets, warrants: &mut Warrants, entry: &Entry) {
    let mut spend = |caller: &CallerName, via: &CallerName, operation, count: usize| {
        for name in [caller, via] {
            budgets.record(name, operation, entry.at, count as u64);
        }
    };
    let count = |records: &RecordList| records.as_slice().len();
    match &entry.event {
        Event::Released { warrant: Some(id), records, .. } => {
            warrants.recall(*id, records.as_slice());
        }
        Event::Released { caller, via, operation, records, .. } => {
            spend(caller, via, *operation, count(records));
        }
        Event::Hardened { caller, via, records } => {
            spend(caller, via, Operation::Harden, count(records));
        }
        Event::Indexed { caller, via, count } => {
            spend(caller, via, Operation::Index, *count as usize);
        }
        Event::Started
        | Event::Recovered { .. }
        | Event::Froze { .. }
        | Event::WarrantOpened { .. }
        | Event::WarrantClosed { .. } => {}
    }
}
