//! `POST /v1/decoys/mail`: mail came to a customer, or to nobody.

use std::sync::Arc;

use accounts_api::ReportMail;
use axum::extract::State;
use cofferdam_wire::{Answer, Body, Caller, Problem};

use crate::app::App;
use crate::domain::address;

/// Finds the customer and tells `keys`, which knows whether anybody lives there.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(call, encoding): Body<ReportMail>,
) -> Result<Answer<()>, Problem> {
    let index = app.keys.index_one(&caller, address::digest(&call.recipient)).await?;
    let found = app.store.find(&index).await?;
    if let Some(record) = found {
        app.keys.report_mail(record).await?;
    }
    Ok(Answer((), encoding))
}
