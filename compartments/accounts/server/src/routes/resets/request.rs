//! `POST /v1/resets/request`: a reset code is mailed, if the address is a customer's.
//!
//! The answer does not tell whether there is such a customer, and the letter is made after it, so
//! that its time does not tell either.

use std::sync::Arc;

use accounts_api::RequestReset;
use axum::extract::State;
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::Search;

use crate::app::App;
use crate::at_rest;
use crate::domain::address;
use crate::domain::letter::Replaced;
use crate::loops::AskedReset;
use crate::store::KnownCredential;

/// Queues a reset, and answers. The log of `keys` then has whom it was asked for at this caller.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(call, encoding): Body<RequestReset>,
) -> Result<Answer<()>, Problem> {
    let place = app.resets.take_place()?;
    let (index, looked_up) = app.vault.index_one(&caller, address::digest(&call.email)).await?;
    let known = at_rest::credential(&app, &index).await?;
    let found = known.as_ref().map(|of| of.record);
    app.vault.note_found(&caller, looked_up, Search::Reset, found).await?;
    if let Some(KnownCredential { record, credential }) = known {
        let void = app.orders()?.voids(record, credential.set_at);
        let replaced = if void { Replaced::Void } else { Replaced::Valid };
        let address = address::normalise(&call.email);
        place.send(AskedReset { record, replaced, address });
    }
    Ok(Answer((), encoding))
}
