//! `POST /v1/tables/read`

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{ReadTable, TableCounts};

use crate::acts::table;
use crate::app::App;
use crate::staff::Staff;

/// Counts the people of the table.
pub async fn handle(
    State(app): State<Arc<App>>,
    Staff(_): Staff,
    Body(_, encoding): Body<ReadTable>,
) -> Result<Answer<TableCounts>, Problem> {
    Ok(Answer(table::counts(&app).await?, encoding))
}
