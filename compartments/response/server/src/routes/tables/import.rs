//! `POST /v1/tables/import`

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{ImportTable, TablePage};

use crate::acts::table;
use crate::app::App;
use crate::staff::Staff;

/// Imports a page of people into the brought table.
pub async fn handle(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<ImportTable>,
) -> Result<Answer<TablePage>, Problem> {
    Ok(Answer(table::import(&app, call, &by).await?, encoding))
}
