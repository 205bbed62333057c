//! What `keys` keeps beside its log. Instances that share the database see each other's changes
//! through its generation, which every change moves.

mod alarms;
mod budgets;
mod decoys;
mod frozen;
mod lowered;
mod policy;
mod record_sets;
mod reseal;
mod secrets;
mod warrants;
mod watch;

use cofferdam_store::{Db, Migrations, StoreError};
use sqlx::{Any, Row, Transaction};

pub use alarms::{delivered_upto, insert_alarm, read_alarms, set_delivered, update_alarm};
pub use budgets::{Reservation, reserve};
pub use decoys::{claim, first_password, highest_claims};
pub use frozen::{frozen_callers, set_frozen};
pub use lowered::{lowered_budgets, set_lowered};
pub use policy::{insert_policy, newest_policy};
pub use record_sets::{add_records, records_of};
pub use reseal::{reseal_windows, start_epoch};
pub use secrets::{delete_secret, insert_secret, secrets};
pub use warrants::{close_warrant, draw, insert_warrant, warrants};
pub use watch::{set_watched, watched_upto};

static SQLITE: sqlx::migrate::Migrator = sqlx::migrate!("./migrations/sqlite");
static POSTGRES: sqlx::migrate::Migrator = sqlx::migrate!("./migrations/postgres");

/// The tables of this compartment.
pub const MIGRATIONS: Migrations = Migrations { sqlite: &SQLITE, postgres: &POSTGRES };

/// The number that every change moves.
pub async fn generation(db: &Db) -> Result<i64, StoreError> {
    let row = sqlx::query("SELECT value FROM generation").fetch_one(db.reader()).await?;
    Ok(row.try_get(0)?)
}

/// Tells other instances that something changed. Part of the change's own transaction; on
/// PostgreSQL it makes changes wait for each other.
async fn changed(tx: &mut Transaction<'static, Any>) -> Result<(), StoreError> {
    sqlx::query("UPDATE generation SET value = value + 1").execute(&mut **tx).await?;
    Ok(())
}
