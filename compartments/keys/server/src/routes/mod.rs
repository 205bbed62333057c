//! The endpoints, one file each, and what they share.

mod alarms;
mod app;
mod callers;
mod decoys;
mod freeze;
mod harden;
mod index;
mod log;
mod release;
mod warrants;

use std::sync::Arc;

use axum::Router;
use cofferdam_wire::call_route;
use keys_api::{
    ClaimDecoys, CloseWarrant, FreezeCaller, HardenPasswords, IndexAddresses, ListCallers,
    OpenWarrant, ReadAlarms, ReadCheckpoint, ReadEntries, ReleaseKeys,
};

pub use app::App;

/// Every route of the compartment.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .merge(call_route::<ReleaseKeys, _, _, _>(release::release))
        .merge(call_route::<HardenPasswords, _, _, _>(harden::harden))
        .merge(call_route::<IndexAddresses, _, _, _>(index::index))
        .merge(call_route::<ClaimDecoys, _, _, _>(decoys::claim))
        .merge(call_route::<FreezeCaller, _, _, _>(freeze::freeze))
        .merge(call_route::<ListCallers, _, _, _>(callers::list))
        .merge(call_route::<OpenWarrant, _, _, _>(warrants::open))
        .merge(call_route::<CloseWarrant, _, _, _>(warrants::close))
        .merge(call_route::<ReadAlarms, _, _, _>(alarms::read))
        .merge(call_route::<ReadCheckpoint, _, _, _>(log::checkpoint))
        .merge(call_route::<ReadEntries, _, _, _>(log::entries))
        .with_state(app)
}
