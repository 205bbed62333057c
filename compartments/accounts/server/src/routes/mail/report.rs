//! `POST /v1/mail/report`: mail came to a customer, or to a decoy.

use std::sync::Arc;

use accounts_api::ReportMail;
use axum::extract::State;
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::Search;

use crate::app::App;
use crate::at_rest;
use crate::domain::address;

/// Finds the record of the address and reports it to `keys`, which knows whether it is a decoy.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(call, encoding): Body<ReportMail>,
) -> Result<Answer<()>, Problem> {
    let digest = address::digest(&call.recipient);
    let (index, looked_up) = app.vault.index_one(&caller, digest).await?;
    let found = at_rest::find(&app, &index).await?;
    app.vault.note_found(&caller, looked_up, Search::Mail, found).await?;
    if let Some(record) = found {
        app.vault.report_mail(&caller, record).await?;
    }
    Ok(Answer((), encoding))
}
