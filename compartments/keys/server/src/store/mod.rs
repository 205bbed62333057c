//! What `keys` keeps beside its log: alarms, frozen callers, warrants, which decoys were named.

mod alarms;
mod decoys;
mod frozen;
mod warrants;

use cofferdam_store::Migrations;

pub use alarms::{insert_alarm, newest_alarm, read_alarms, update_alarm};
pub use decoys::{claim, filled, unfilled};
pub use frozen::{frozen_callers, set_frozen};
pub use warrants::{close_warrant, insert_warrant, warrants};

static SQLITE: sqlx::migrate::Migrator = sqlx::migrate!("./migrations/sqlite");
static POSTGRES: sqlx::migrate::Migrator = sqlx::migrate!("./migrations/postgres");

/// The tables of this compartment.
pub const MIGRATIONS: Migrations = Migrations { sqlite: &SQLITE, postgres: &POSTGRES };
