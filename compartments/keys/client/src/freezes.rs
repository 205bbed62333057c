//! The freezes of a compartment, and the holds of `keys`. A compartment freezes a caller while `keys` is
//! down as well. It thaws the caller only after `keys` held it, because only the end of a hold is signed.

use std::time::Duration;

use cofferdam_core::{CallerName, FREEZE_NOT_HELD, FreezeCaller, STILL_HELD, Timestamp};
use cofferdam_store::{Db, Generation};
use cofferdam_wire::{Client, Problem};
use keys_api::{Hold, ReadHolds};
use tokio::time::{sleep, timeout};

use crate::Vault;

/// The longest time for which the answer to a freeze waits for `keys`.
const ASK_WITHIN: Duration = Duration::from_millis(300);
/// The time between two questions for that answer.
const ASK_EVERY: Duration = Duration::from_millis(25);
/// The time between two looks at the freezes that `keys` may not hold.
const LOOK_EVERY: Duration = Duration::from_secs(1);

impl Vault {
    /// Freezes a caller in the compartment's database, or thaws it if no incident holds it. Returns the
    /// generation of orders from which that holds.
    pub async fn freeze_or_thaw(
        &self,
        db: &Db,
        order: &FreezeCaller,
        now: Timestamp,
    ) -> Result<Generation, Problem> {
        if order.frozen {
            return Ok(db.freeze_caller(order, now).await?);
        }
        // A freeze that comes while `keys` is asked moves the generation past this one.
        let seen = db.generation().await?;
        self.check_released(db, &order.caller).await?;
        let thawed = db.thaw_caller(&order.caller, seen).await?;
        thawed.ok_or_else(|| {
            Problem::new(STILL_HELD, "another order was carried out at this moment: thaw it again")
        })
    }

    /// Asks `keys` until it holds a caller that was just frozen, at most for 0.3 seconds. `keys` gets the
    /// order at the same time. If it does not hold the caller by then, [`follow_holds`] asks again.
    pub async fn confirm_freeze(&self, db: &Db, order: &FreezeCaller) {
        let Some(incident) = order.incident.filter(|_| order.frozen) else { return };
        let asked = async {
            while !matches!(confirm(self.client(), db, &order.caller, incident).await, Ok(true)) {
                sleep(ASK_EVERY).await;
            }
        };
        if timeout(ASK_WITHIN, asked).await.is_err() {
            tracing::warn!("keys does not yet hold a caller that is frozen here");
        }
    }

    /// Checks that no incident holds a caller, and that `keys` knew of every freeze, so that the caller
    /// may be thawed.
    async fn check_released(&self, db: &Db, caller: &CallerName) -> Result<(), Problem> {
        let holds = holds(self.client(), caller).await?;
        if !holds.is_empty() {
            let holds: Vec<_> = holds.iter().map(ToString::to_string).collect();
            let what = format!("{caller} is held by {}", holds.join(" and "));
            return Err(Problem::new(STILL_HELD, what));
        }
        let unheld = db.unheld_freezes().await?;
        let Some((_, incident)) = unheld.iter().find(|(of, _)| of == caller) else {
            return Ok(());
        };
        let what = format!(
            "incident {incident} froze {caller}, and keys was not seen to hold it: freeze it again, and \
             sign the thaw"
        );
        Err(Problem::new(FREEZE_NOT_HELD, what))
    }
}

/// Asks `keys` each second whether it holds the callers that were frozen while it did not answer, for as
/// long as the future is polled.
pub async fn follow_holds(keys: Client, db: Db) {
    loop {
        if let Err(problem) = confirm_all(&keys, &db).await {
            tracing::debug!(%problem, "keys may not know of a freeze");
        }
        sleep(LOOK_EVERY).await;
    }
}

async fn confirm_all(keys: &Client, db: &Db) -> Result<(), Problem> {
    for (caller, incident) in db.unheld_freezes().await? {
        confirm(keys, db, &caller, incident).await?;
    }
    Ok(())
}

/// Notes that `keys` holds a caller for an incident. Returns whether that is noted: not if it does not
/// hold the caller, or if another order came at this moment.
async fn confirm(
    keys: &Client,
    db: &Db,
    caller: &CallerName,
    incident: u32,
) -> Result<bool, Problem> {
    let seen = db.generation().await?;
    let is_held = holds(keys, caller).await?.iter().any(|of| of.incident == incident);
    Ok(is_held && db.note_held(caller, incident, seen).await?)
}

async fn holds(keys: &Client, caller: &CallerName) -> Result<Vec<Hold>, Problem> {
    Ok(keys.call(&ReadHolds { caller: caller.clone() }).await?)
}
