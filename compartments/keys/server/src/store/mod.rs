//! The tables of `keys`. Instances that share the database see each other's changes through its
//! generation, which every change moves.

mod alarms;
mod anchors;
mod budgets;
mod decoys;
mod holds;
mod lowerings;
mod policy;
mod record_sets;
mod reseal;
mod revoked_keys;
mod secrets;
mod states;
mod void_orders;
mod warrants;
mod watch;

use cofferdam_core::Domain;
use cofferdam_store::{Migrations, StoreError};
use sqlx::{Any, Transaction};

pub use alarms::{delivered_upto, insert_alarm, read_alarms, set_delivered, update_alarm};
pub use anchors::{journal_anchor, raise_anchor};
pub use budgets::{Reservation, reserve};
pub use decoys::{claim_decoys, claimed_records, take_first_password};
pub use holds::{holds, save_hold, take_hold};
pub use lowerings::{lower_budget, lowerings, save_lowering};
pub use policy::{insert_policy, newest_policy};
pub use record_sets::{
    erase_records, erased_records, knows_sealed, note_log_of_sealed, note_sealed, sealed_records,
};
pub use reseal::{reseal_windows, start_epoch};
pub use revoked_keys::{revoke_key, revoked_keys};
pub use secrets::{delete_secret, insert_secrets, secrets};
pub use states::{newest_state, numbers_given, raise_numbers, set_beat, set_state};
pub use void_orders::{
    NewVoid, note_void, orders_over_some, passwords_bound_since, use_raised, void_orders,
};
pub use warrants::{close_warrant, draw, insert_warrant, redraw, warrants};
pub use watch::{set_watched, watched_upto};

static SQLITE: sqlx::migrate::Migrator = sqlx::migrate!("./migrations/sqlite");
static POSTGRES: sqlx::migrate::Migrator = sqlx::migrate!("./migrations/postgres");

/// The tables of this compartment.
pub const MIGRATIONS: Migrations = Migrations { sqlite: &SQLITE, postgres: &POSTGRES };

/// A transaction.
type Tx = Transaction<'static, Any>;

/// The domain with a stored name.
fn domain_of(name: &str) -> Result<Domain, StoreError> {
    let domain = Domain::ALL.into_iter().find(|domain| domain.as_str() == name);
    domain.ok_or_else(|| StoreError::Corrupt(format!("there is no domain {name:?}")))
}
