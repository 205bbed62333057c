//! `POST /v1/resets/request`: a reset code is mailed, if the address is a customer's.
//!
//! A loop looks the address up after the answer, so that neither the answer nor its time tells
//! whether there is such a customer.

use std::sync::Arc;

use accounts_api::RequestReset;
use axum::extract::State;
use cofferdam_wire::{Answer, Body, Caller, Problem};

use crate::app::App;
use crate::domain::address;
use crate::loops::AskedReset;

/// Queues a reset, and answers at once.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(call, encoding): Body<RequestReset>,
) -> Result<Answer<()>, Problem> {
    let index = app.vault.index_one(&caller, address::digest(&call.email)).await?;
    let index = *index.expose();
    app.resets.push(AskedReset { index, address: address::normalise(&call.email) })?;
    Ok(Answer((), encoding))
}
