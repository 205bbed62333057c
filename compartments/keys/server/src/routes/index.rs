//! `POST /v1/index`: look-up indexes of e-mail addresses.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_core::{Domain, FieldSet, Operation};
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::{Event, IndexAddresses, IndexedAddresses};

use crate::app::{App, Parties, check_count};

/// Indexes addresses.
pub async fn index(
    State(app): State<Arc<App>>,
    Caller(via): Caller,
    Body(call, encoding): Body<IndexAddresses>,
) -> Result<Answer<IndexedAddresses>, Problem> {
    check_count(call.digests.len())?;
    let who = Parties { via: &via, caller: &call.caller };
    app.check_parties(&who, Domain::Accounts).await?;
    app.check_grant(&who, Domain::Accounts, Operation::Index, FieldSet::EMPTY).await?;
    let now = app.now().await;
    app.charge(&who, Operation::Index, now, call.digests.len()).await?;

    let count = u32::try_from(call.digests.len()).unwrap_or(u32::MAX);
    let event = Event::Indexed { caller: call.caller.clone(), via: via.clone(), count };
    app.write(now, vec![event]).await?;
    app.check_thawed(&who).await?;
    let ring = app.ring();
    let indexes = call.digests.iter().map(|digest| ring.index(digest)).collect();
    Ok(Answer(IndexedAddresses { indexes }, encoding))
}
