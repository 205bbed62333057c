//! `POST /v1/imports/read`: the progress of an import.

use std::sync::Arc;

use accounts_api::{ImportState, ReadImport};
use axum::extract::State;
use cofferdam_wire::{Answer, Body, Caller, Problem};

use crate::app::App;

/// Reads the progress of an import.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(call, encoding): Body<ReadImport>,
) -> Result<Answer<ImportState>, Problem> {
    app.check_importer(&caller)?;
    Ok(Answer(app.store.import_state(&call.source).await?, encoding))
}
