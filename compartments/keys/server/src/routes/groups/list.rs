//! `POST /v1/groups/list`: the groups of callers that share sessions, for compartments.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use cofferdam_core::CallerName;
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::ListGroups;

use crate::app::App;

/// Lists the groups by the policy in force.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(by): Caller,
    Body(ListGroups {}, encoding): Body<ListGroups>,
) -> Result<Answer<BTreeMap<CallerName, CallerName>>, Problem> {
    app.check_role(&by, "the list of groups").await?;
    app.shared.check_newest()?;
    let access = app.shared.access();
    let in_group = access.callers().filter_map(|of| Some((of.name.clone(), of.group.clone()?)));
    Ok(Answer(in_group.collect(), encoding))
}
