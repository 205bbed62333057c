//! `POST /v1/tables/begin`

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{BeginTable, TableImportId};

use crate::acts::table;
use crate::app::App;
use crate::staff::Staff;

/// Begins to import the table from a source.
pub async fn handle(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<BeginTable>,
) -> Result<Answer<TableImportId>, Problem> {
    Ok(Answer(table::begin(&app, &call, &by).await?, encoding))
}
