//! Charges budgets. Each instance counts its own use, and recalls it from its log. If instances
//! share a database, they also take credits from shared windows.

use std::collections::HashMap;
use std::sync::Mutex;

use cofferdam_core::{CallerName, Operation, Record, Timestamp};
use cofferdam_store::{Backend, Db, StoreError};
use cofferdam_wire::{Problem, ProblemType};
use keys_api::{AlarmKind, Budget, WarrantId};

use super::{App, Parties, lock};
use crate::domain::budget::{Budgets, Charge, Spent};
use crate::domain::credit::Credit;
use crate::domain::guesses::Guessed;
use crate::store::{self, Reservation};

/// The use of budgets so far.
pub struct Charging {
    own: Mutex<Budgets>,
    /// The credits of this instance; `Some` if other instances may share the budgets.
    credits: Option<tokio::sync::Mutex<Credits>>,
}

type Credits = HashMap<(CallerName, Operation), Credit>;

impl Charging {
    /// Continues from the use that the log recalls.
    pub fn new(own: Budgets, db: &Db) -> Self {
        let shared = db.backend() == Backend::Postgres;
        Self { own: Mutex::new(own), credits: shared.then(Default::default) }
    }

    async fn charge(
        &self,
        db: &Db,
        budgets: &[(&CallerName, Budget)],
        charge: Charge,
    ) -> Result<Result<(), Spent>, StoreError> {
        let Some(credits) = &self.credits else {
            return Ok(lock(&self.own).charge(budgets, charge));
        };
        // A caller past its budget on this instance is refused before it takes a turn at the
        // database.
        if let Some(spent) = lock(&self.own).refusal(budgets, charge) {
            return Ok(Err(spent));
        }
        let mut credits = credits.lock().await;
        for (n, (caller, budget)) in budgets.iter().enumerate() {
            let key = ((*caller).clone(), charge.operation);
            // The credit leaves the map before its rest is returned to the database, so that the
            // rest is returned once, however this request ends.
            let credit = credits.remove(&key);
            match take_credit(db, credit, caller, *budget, charge).await? {
                Ok(credit) => credits.insert(key, credit),
                Err(spent) => {
                    give_back(&mut credits, &budgets[..n], charge);
                    return Ok(Err(spent));
                }
            };
        }
        let own = lock(&self.own).charge(budgets, charge);
        if own.is_err() {
            give_back(&mut credits, budgets, charge);
        }
        Ok(own)
    }
}

/// Spends from a credit, or takes a new one from the shared windows.
async fn take_credit(
    db: &Db,
    credit: Option<Credit>,
    caller: &CallerName,
    budget: Budget,
    charge: Charge,
) -> Result<Result<Credit, Spent>, StoreError> {
    let Charge { at, records, .. } = charge;
    if let Some(credit) = credit.and_then(|credit| credit.spend(at, records)) {
        return Ok(Ok(credit));
    }
    let reservation = Reservation {
        caller,
        budget,
        charge,
        wanted: credit.map_or(records, |credit| credit.next_size(at, records, budget.minute)),
        returned: credit.and_then(Credit::rest),
    };
    let reserved = store::reserve(db, &reservation).await?;
    Ok(reserved.map(|size| Credit::new(at, size, records)))
}

/// Returns to the credits the records that a refused request does not use.
fn give_back(credits: &mut Credits, budgets: &[(&CallerName, Budget)], charge: Charge) {
    for (caller, _) in budgets {
        if let Some(credit) = credits.get_mut(&((*caller).clone(), charge.operation)) {
            credit.give_back(charge.records);
        }
    }
}

impl App {
    /// Charges the budgets of the caller and of the compartment in front, or refuses and tells when
    /// to ask again.
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
        let access = self.shared.access();
        let Some(budgets) = access.budgets(who.caller, who.via, operation) else {
            let what = format!("{operation} without a budget");
            return Err(self.refuse_party(who, what).await);
        };
        let charge = Charge { operation, at: now, records: records as u64 };
        let Err(spent) = self.charging.charge(&self.db, &budgets, charge).await? else {
            return Ok(());
        };
        let Spent { caller, window, limit, retry_after_s } = spent;
        let detail = format!("{caller} is past its {operation} budget of {limit} a {window}");
        self.alarms.ring(now, AlarmKind::Budget, Some(&caller), detail.clone()).await;
        let problem = Problem::new(ProblemType::BUDGET_EXHAUSTED, detail);
        Err(match retry_after_s {
            Some(seconds) => problem.retry_after(seconds),
            None => problem,
        })
    }

    /// Counts the passwords that are tried for each customer, or refuses.
    pub async fn count_guesses(
        &self,
        who: &Parties<'_>,
        now: Timestamp,
        records: impl Iterator<Item = Record>,
    ) -> Result<(), Problem> {
        let guessed = lock(&self.guesses).count(records, now);
        let (record, too_many) = match guessed {
            Guessed::Few => return Ok(()),
            Guessed::Many(record) => (record, false),
            Guessed::TooMany(record) => (record, true),
        };
        let detail = format!("{}: many passwords for customer {record}", who.caller);
        self.alarms.ring(now, AlarmKind::Budget, Some(who.caller), detail.clone()).await;
        let refused = || Problem::new(ProblemType::BUDGET_EXHAUSTED, detail).retry_after(3_600);
        if too_many { Err(refused()) } else { Ok(()) }
    }

    /// Counts decoys that are told again under a warrant. Whether they are too many.
    pub fn tells_decoys_too_often(&self, warrant: WarrantId, again: u64) -> bool {
        lock(&self.told_again).too_many(warrant, again, self.decoys.one_in())
    }

    /// The records of the last hour through this instance.
    pub fn last_hour(&self, caller: &CallerName, operation: Operation, now: Timestamp) -> u64 {
        lock(&self.charging.own).last_hour(caller, operation, now)
    }
}
