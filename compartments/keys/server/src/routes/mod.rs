//! The endpoints, one file each.

mod alarms;
mod callers;
mod contain;
mod decoys;
mod epochs;
mod erase;
mod freeze;
mod harden;
mod index;
mod log;
mod metrics;
mod policy;
mod release;
mod report_mail;
mod tiles;
mod warrants;

use std::sync::Arc;

use axum::Router;
use cofferdam_wire::call_route;
use keys_api::{
    ApproveVoid, ChangeEpoch, ChangePolicy, ClaimDecoys, CloseWarrant, Cosign, EraseRecords,
    FreezeCaller, HardenPasswords, IndexAddresses, ListCallers, LowerBudget, OpenWarrant,
    ProveInclusion, ReadAlarms, ReadCheckpoint, ReadEntries, ReadEpochs, ReadPolicy, ReleaseKeys,
    ReportMail,
};

use crate::app::App;

/// Every route of the compartment.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .merge(call_route::<ReleaseKeys, _, _, _>(release::release))
        .merge(call_route::<EraseRecords, _, _, _>(erase::erase))
        .merge(call_route::<HardenPasswords, _, _, _>(harden::harden))
        .merge(call_route::<IndexAddresses, _, _, _>(index::index))
        .merge(call_route::<ClaimDecoys, _, _, _>(decoys::claim))
        .merge(call_route::<ReportMail, _, _, _>(report_mail::report))
        .merge(call_route::<FreezeCaller, _, _, _>(freeze::freeze))
        .merge(call_route::<ListCallers, _, _, _>(callers::list))
        .merge(call_route::<ApproveVoid, _, _, _>(contain::approve_void))
        .merge(call_route::<LowerBudget, _, _, _>(contain::lower_budget))
        .merge(call_route::<ReadPolicy, _, _, _>(policy::read))
        .merge(call_route::<ChangePolicy, _, _, _>(policy::change))
        .merge(call_route::<ReadEpochs, _, _, _>(epochs::read))
        .merge(call_route::<ChangeEpoch, _, _, _>(epochs::change))
        .merge(call_route::<OpenWarrant, _, _, _>(warrants::open))
        .merge(call_route::<CloseWarrant, _, _, _>(warrants::close))
        .merge(call_route::<ReadAlarms, _, _, _>(alarms::read))
        .merge(call_route::<ReadCheckpoint, _, _, _>(log::checkpoint))
        .merge(call_route::<ReadEntries, _, _, _>(log::entries))
        .merge(call_route::<ProveInclusion, _, _, _>(log::inclusion))
        .merge(call_route::<Cosign, _, _, _>(log::cosign))
        .merge(tiles::routes())
        .merge(metrics::routes())
        .with_state(app)
}
