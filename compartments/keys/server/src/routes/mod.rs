//! The table of routes. A path is `/v1/<noun>/<verb>`; its call is handled in the file
//! `<noun>/<verb>.rs`.

mod about;

mod addresses {
    pub mod index;
    pub mod note;
}
mod alarms {
    pub mod read;
}
mod budgets {
    pub mod lower;
    pub mod restore;
}
mod callers {
    pub mod check;
    pub mod freeze;
    pub mod list;
    pub mod thaw;
}
mod checkpoints {
    pub mod cosign;
    pub mod read;
}
mod revoked_keys {
    pub mod add;
    pub mod list;
}
mod decoys {
    pub mod claim;
}
mod entries {
    pub mod prove;
    pub mod read;
}
mod epochs {
    pub mod change;
    pub mod read;
}
mod groups {
    pub mod list;
}
mod holds {
    pub mod read;
}
mod journals {
    pub mod anchor;
}
mod keys {
    pub mod release;
}
mod mail {
    pub mod report;
}
mod passkeys {
    pub mod ask;
    pub mod check;
    pub mod enrol;
}
mod passwords {
    pub mod check;
    pub mod enrol;
}
mod policies {
    pub mod change;
    pub mod read;
}
mod records {
    pub mod erase;
}
mod server {
    pub mod checkpoint;
    pub mod metrics;
    pub mod tile;
}
mod states {
    pub mod accept;
    pub mod check;
}
mod void_orders {
    pub mod approve;
    pub mod note;
}
mod warrants {
    pub mod close;
    pub mod open;
}

use std::sync::Arc;

use cofferdam_wire::Routes;
use keys_api as api;

pub use about::ABOUT;

use crate::app::App;

const TEXT: &str = "text/plain; charset=utf-8";
const BYTES: &str = "application/octet-stream";

/// Every route of the compartment.
pub fn routes() -> Routes<Arc<App>> {
    Routes::new()
        .call::<api::ReleaseKeys, _, _>(keys::release::handle)
        .call::<api::EraseRecords, _, _>(records::erase::handle)
        .call::<api::CheckPassword, _, _>(passwords::check::handle)
        .call::<api::EnrolPasswords, _, _>(passwords::enrol::handle)
        .call::<api::EnrolPasskey, _, _>(passkeys::enrol::handle)
        .call::<api::AskPasskey, _, _>(passkeys::ask::handle)
        .call::<api::CheckPasskey, _, _>(passkeys::check::handle)
        .call::<api::ListGroups, _, _>(groups::list::handle)
        .call::<api::IndexAddresses, _, _>(addresses::index::handle)
        .call::<api::NoteAddresses, _, _>(addresses::note::handle)
        .call::<api::ClaimDecoys, _, _>(decoys::claim::handle)
        .call::<api::ReportMail, _, _>(mail::report::handle)
        .call::<api::CheckState, _, _>(states::check::handle)
        .call::<api::AcceptState, _, _>(states::accept::handle)
        .call::<api::CheckCaller, _, _>(callers::check::handle)
        .call::<api::FreezeCaller, _, _>(callers::freeze::handle)
        .call::<api::ThawCaller, _, _>(callers::thaw::handle)
        .call::<api::ReadHolds, _, _>(holds::read::handle)
        .call::<api::ListCallers, _, _>(callers::list::handle)
        .call::<api::AddRevokedKey, _, _>(revoked_keys::add::handle)
        .call::<api::ListRevokedKeys, _, _>(revoked_keys::list::handle)
        .call::<api::LowerBudget, _, _>(budgets::lower::handle)
        .call::<api::RestoreBudget, _, _>(budgets::restore::handle)
        .call::<api::ApproveVoidOrder, _, _>(void_orders::approve::handle)
        .call::<api::NoteVoidOrder, _, _>(void_orders::note::handle)
        .call::<api::ReadPolicy, _, _>(policies::read::handle)
        .call::<api::ChangePolicy, _, _>(policies::change::handle)
        .call::<api::ReadEpochs, _, _>(epochs::read::handle)
        .call::<api::ChangeEpoch, _, _>(epochs::change::handle)
        .call::<api::OpenWarrant, _, _>(warrants::open::handle)
        .call::<api::CloseWarrant, _, _>(warrants::close::handle)
        .call::<api::AnchorJournal, _, _>(journals::anchor::handle)
        .call::<api::ReadAlarms, _, _>(alarms::read::handle)
        .call::<api::ReadCheckpoint, _, _>(checkpoints::read::handle)
        .call::<api::CosignCheckpoint, _, _>(checkpoints::cosign::handle)
        .call::<api::ReadEntries, _, _>(entries::read::handle)
        .call::<api::ProveEntry, _, _>(entries::prove::handle)
        .get(
            "/checkpoint",
            ("The log's checkpoint (C2SP tlog-checkpoint)", TEXT),
            server::checkpoint::handle,
        )
        .get(
            "/tile/{*path}",
            ("A tile of the log (C2SP tlog-tiles): hashes, or entries", BYTES),
            server::tile::handle,
        )
        .get("/metrics", ("Figures for Prometheus", TEXT), server::metrics::handle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_is_described() {
        assert_eq!(routes().faults(&ABOUT), [""; 0]);
    }
}
