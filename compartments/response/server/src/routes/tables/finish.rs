//! `POST /v1/tables/finish`

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{FinishTable, TableCounts};

use crate::acts::table;
use crate::app::App;
use crate::staff::Staff;

/// Finishes an import, and counts the people of the table.
pub async fn handle(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<FinishTable>,
) -> Result<Answer<TableCounts>, Problem> {
    Ok(Answer(table::finish(&app, &call, &by).await?, encoding))
}
