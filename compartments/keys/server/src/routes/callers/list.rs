//! `POST /v1/callers/list`: the grants, the recent use and the hours to drain of each caller.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::{CallerPolicy, CallerStatus, ListCallers};

use crate::app::App;
use crate::domain::callers;
use crate::store;

/// Lists the callers, by name.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(by): Caller,
    Body(ListCallers {}, encoding): Body<ListCallers>,
) -> Result<Answer<Vec<CallerStatus>>, Problem> {
    app.check_controller(&by, "the list of callers").await?;
    app.catch_up().await?;
    let records = store::claimed_records(&app.db).await?;
    let (now, access) = (app.now().await, app.shared.access());
    let status = |caller: &CallerPolicy| {
        let last_hour = |operation| app.last_hour(&caller.name, operation, now);
        let frozen = app.shared.is_frozen(&caller.name);
        callers::status(&access, caller, frozen, &records, last_hour)
    };
    Ok(Answer(access.callers().map(status).collect(), encoding))
}
