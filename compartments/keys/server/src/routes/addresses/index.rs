//! `POST /v1/addresses/index`: digests of e-mail addresses become look-up indexes.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_core::{CallerName, Domain, FieldSet, Operation};
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::{Event, IndexAddresses, IndexedAddresses, Ticket};

use crate::app::{App, Parties, bad_request};
use crate::domain::batch::check_count;
use crate::domain::look_ups::Sought;

/// Turns digests of addresses into look-up indexes.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(via): Caller,
    Body(call, encoding): Body<IndexAddresses>,
) -> Result<Answer<IndexedAddresses>, Problem> {
    Ok(Answer(index(&app, via, call).await?, encoding))
}

async fn index(
    app: &App,
    via: CallerName,
    call: IndexAddresses,
) -> Result<IndexedAddresses, Problem> {
    check_count(call.digests.len()).map_err(|e| bad_request(&e))?;
    let who = Parties { via: &via, caller: &call.caller };
    app.check_parties(&who, Domain::Accounts).await?;
    app.check_grant(&who, Domain::Accounts, Operation::Index, FieldSet::EMPTY).await?;
    let now = app.now().await;
    app.charge(&who, Operation::Index, now, call.digests.len()).await?;

    let count = u32::try_from(call.digests.len()).unwrap_or(u32::MAX);
    let ticket = Ticket(u64::from_be_bytes(app.rng.bytes()));
    let (caller, via_name) = (call.caller.clone(), via.clone());
    app.look_ups().begin(ticket, Sought { caller, via: via_name, count, at: now });
    let event = Event::Sought { caller: call.caller.clone(), via: via.clone(), count, ticket };
    app.write(now, vec![event]).await?;
    app.check_thawed(&who).await?;
    app.check_grant(&who, Domain::Accounts, Operation::Index, FieldSet::EMPTY).await?;
    let ring = app.shared.ring();
    let indexes = call.digests.iter().map(|digest| ring.index(digest)).collect();
    Ok(IndexedAddresses { indexes, ticket })
}
