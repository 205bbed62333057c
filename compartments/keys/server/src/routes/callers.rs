//! `POST /v1/callers/list`: what each caller may do.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_core::Operation;
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::{CallerStatus, ListCallers};

use super::app::App;

/// Lists the callers, by name.
pub async fn list(
    State(app): State<Arc<App>>,
    Caller(by): Caller,
    Body(_, encoding): Body<ListCallers>,
) -> Result<Answer<Vec<CallerStatus>>, Problem> {
    app.check_controller(&by, "the list of callers").await?;
    let status = app.access.callers().map(|(caller, grants, budgets)| CallerStatus {
        caller: caller.clone(),
        frozen: app.is_frozen(caller),
        grants: grants.to_vec(),
        release_per_hour: budgets.get(&Operation::Release).map_or(0, |budget| budget.hour),
        released_last_hour: app.released_last_hour(caller),
    });
    Ok(Answer(status.collect(), encoding))
}
