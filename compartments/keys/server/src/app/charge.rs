//! Charging budgets: the instance's own windows, which it recalls from its log, and where the
//! database is shared, credits from common windows.

use std::collections::HashMap;
use std::sync::Mutex;

use cofferdam_core::{CallerName, Operation, Timestamp};
use cofferdam_store::{Backend, Db, StoreError};
use cofferdam_wire::{Problem, ProblemType};
use jiff::SignedDuration;
use keys_api::{AlarmKind, Budget};

use super::{App, Parties, lock};
use crate::domain::budget::{Budgets, Spent};
use crate::store::{self, Reservation};

/// How long a credit may be spent; the common windows keep a slot more for it.
const CREDIT_LIFE: SignedDuration = SignedDuration::from_millis(900);
/// The largest credit, in records.
const MAX_CREDIT: u64 = 100_000;

/// What has been spent.
pub struct Charging {
    own: Mutex<Budgets>,
    /// `Some` where other instances may share the budgets.
    credits: Option<tokio::sync::Mutex<HashMap<(CallerName, Operation), Credit>>>,
}

#[derive(Clone, Copy)]
struct Credit {
    taken: Timestamp,
    size: u64,
    left: u64,
}

impl Charging {
    /// Goes on from what the log recalls.
    pub fn new(own: Budgets, db: &Db) -> Self {
        let shared = db.backend() == Backend::Postgres;
        Self { own: Mutex::new(own), credits: shared.then(Default::default) }
    }

    /// Records of the last hour, through this instance.
    pub fn last_hour(&self, caller: &CallerName, operation: Operation, now: Timestamp) -> u64 {
        lock(&self.own).last_hour(caller, operation, now)
    }

    async fn charge(
        &self,
        db: &Db,
        budgets: &[(&CallerName, Budget)],
        operation: Operation,
        now: Timestamp,
        records: u64,
    ) -> Result<Result<(), Spent>, StoreError> {
        let Some(credits) = &self.credits else {
            return Ok(lock(&self.own).charge(budgets, operation, now, records));
        };
        // Who is past its budget here costs the others no turn at the database.
        if let Some(spent) = lock(&self.own).refusal(budgets, operation, now, records) {
            return Ok(Err(spent));
        }
        let mut credits = credits.lock().await;
        for (n, (caller, budget)) in budgets.iter().enumerate() {
            let key = ((*caller).clone(), operation);
            // Out of the map while it is handed in: what is given back is given back once,
            // whatever becomes of the request.
            let credit = credits.remove(&key);
            match take(db, credit, caller, operation, *budget, now, records).await? {
                Ok(credit) => credits.insert(key, credit),
                Err(spent) => {
                    give_back(&mut credits, &budgets[..n], operation, records);
                    return Ok(Err(spent));
                }
            };
        }
        let own = lock(&self.own).charge(budgets, operation, now, records);
        if own.is_err() {
            give_back(&mut credits, budgets, operation, records);
        }
        Ok(own)
    }
}

/// Spends from a credit, or takes a new one: twice as large when the last was used up, and as
/// small as can be when it was not.
async fn take(
    db: &Db,
    credit: Option<Credit>,
    caller: &CallerName,
    operation: Operation,
    budget: Budget,
    now: Timestamp,
    records: u64,
) -> Result<Result<Credit, Spent>, StoreError> {
    let fresh = credit.filter(|credit| now < credit.taken + CREDIT_LIFE && now >= credit.taken);
    if let Some(credit) = fresh.filter(|credit| credit.left >= records) {
        return Ok(Ok(Credit { left: credit.left - records, ..credit }));
    }
    let wanted = match fresh {
        Some(credit) => (credit.size * 2).min(MAX_CREDIT).min(budget.minute / 4),
        None => records,
    };
    let reservation = Reservation {
        caller,
        operation,
        budget,
        now,
        at_least: records,
        wanted: wanted.max(records),
        returned: credit.filter(|credit| credit.left > 0).map(|c| (c.taken, c.left)),
    };
    let reserved = store::reserve(db, &reservation).await?;
    Ok(reserved.map(|size| Credit { taken: now, size, left: size - records }))
}

/// What one budget gave is not spent when the other refuses.
fn give_back(
    credits: &mut HashMap<(CallerName, Operation), Credit>,
    budgets: &[(&CallerName, Budget)],
    operation: Operation,
    records: u64,
) {
    for (caller, _) in budgets {
        if let Some(credit) = credits.get_mut(&((*caller).clone(), operation)) {
            credit.left += records;
        }
    }
}

impl App {
    /// Charges the budgets that count for this, or says when to come back.
    pub async fn charge(
        &self,
        who: &Parties<'_>,
        operation: Operation,
        now: Timestamp,
        records: usize,
    ) -> Result<(), Problem> {
        if records == 0 {
            return Ok(());
        }
        let access = self.access();
        let Some(budgets) = access.budgets(who.caller, who.via, operation) else {
            let what = format!("{operation} without a budget");
            return Err(self.refuse_party(who, what).await);
        };
        let charged =
            self.charging.charge(&self.db, &budgets, operation, now, records as u64).await;
        let Err(spent) = charged? else { return Ok(()) };
        let (caller, window, limit) = (&spent.caller, spent.window, spent.limit);
        let detail = format!("{caller} is past its {operation} budget of {limit} a {window}");
        self.alarms.ring(now, AlarmKind::Budget, Some(caller), detail.clone()).await;
        let problem = Problem::new(ProblemType::BUDGET_EXHAUSTED, detail);
        Err(match spent.retry_after_s {
            Some(seconds) => problem.retry_after(seconds),
            None => problem,
        })
    }

    /// Records of the last hour, for the list of callers.
    pub fn last_hour(&self, caller: &CallerName, operation: Operation, now: Timestamp) -> u64 {
        self.charging.last_hour(caller, operation, now)
    }
}
