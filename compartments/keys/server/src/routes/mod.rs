//! The endpoints, one file each.

mod about;
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

use cofferdam_wire::Routes;
use keys_api::{
    ApproveVoid, ChangeEpoch, ChangePolicy, ClaimDecoys, CloseWarrant, Cosign, EraseRecords,
    FreezeCaller, HardenPasswords, IndexAddresses, ListCallers, LowerBudget, OpenWarrant,
    ProveInclusion, ReadAlarms, ReadCheckpoint, ReadEntries, ReadEpochs, ReadPolicy, ReleaseKeys,
    ReportMail,
};

pub use about::ABOUT;

use crate::app::App;

const TEXT: &str = "text/plain; charset=utf-8";
const BYTES: &str = "application/octet-stream";

/// Every route of the compartment.
pub fn routes() -> Routes<Arc<App>> {
    Routes::new()
        .call::<ReleaseKeys, _, _>(release::release)
        .call::<EraseRecords, _, _>(erase::erase)
        .call::<HardenPasswords, _, _>(harden::harden)
        .call::<IndexAddresses, _, _>(index::index)
        .call::<ClaimDecoys, _, _>(decoys::claim)
        .call::<ReportMail, _, _>(report_mail::report)
        .call::<FreezeCaller, _, _>(freeze::freeze)
        .call::<ListCallers, _, _>(callers::list)
        .call::<ApproveVoid, _, _>(contain::approve_void)
        .call::<LowerBudget, _, _>(contain::lower_budget)
        .call::<ReadPolicy, _, _>(policy::read)
        .call::<ChangePolicy, _, _>(policy::change)
        .call::<ReadEpochs, _, _>(epochs::read)
        .call::<ChangeEpoch, _, _>(epochs::change)
        .call::<OpenWarrant, _, _>(warrants::open)
        .call::<CloseWarrant, _, _>(warrants::close)
        .call::<ReadAlarms, _, _>(alarms::read)
        .call::<ReadCheckpoint, _, _>(log::checkpoint)
        .call::<ReadEntries, _, _>(log::entries)
        .call::<ProveInclusion, _, _>(log::inclusion)
        .call::<Cosign, _, _>(log::cosign)
        .get(
            "/checkpoint",
            ("The log's checkpoint (C2SP tlog-checkpoint)", TEXT),
            tiles::checkpoint,
        )
        .get(
            "/tile/{*path}",
            ("A tile of the log (C2SP tlog-tiles): hashes, or entries", BYTES),
            tiles::tile,
        )
        .get("/metrics", ("Figures for Prometheus", TEXT), metrics::metrics)
}
