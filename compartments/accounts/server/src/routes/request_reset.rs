//! `POST /v1/resets/request`: has a reset code mailed, if the address is a customer's.
//!
//! Whether it is, is found out by a job after the answer: neither the answer nor its time says.

use std::sync::Arc;

use accounts_api::RequestReset;
use axum::extract::State;
use cofferdam_wire::{Answer, Body, Caller, Problem};

use crate::app::App;
use crate::domain::address;
use crate::jobs::AskedReset;

/// Asks for a reset.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(call, encoding): Body<RequestReset>,
) -> Result<Answer<()>, Problem> {
    let index = app.keys.index_one(&caller, address::digest(&call.email)).await?;
    app.resets.push(AskedReset { index, address: address::normalise(&call.email) })?;
    Ok(Answer((), encoding))
}
