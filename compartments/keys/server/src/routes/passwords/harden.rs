//! `POST /v1/passwords/harden`: password hashes are keyed with the pepper.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_core::{CallerName, Domain, FieldSet, Operation, Record};
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::{Event, HardenPasswords, HardenedPasswords, RecordList, Search};

use crate::app::{App, Parties, bad_request};
use crate::domain::batch::check_count;

/// Hardens password hashes into verifiers.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(via): Caller,
    Body(call, encoding): Body<HardenPasswords>,
) -> Result<Answer<HardenedPasswords>, Problem> {
    Ok(Answer(harden(&app, via, call).await?, encoding))
}

async fn harden(
    app: &App,
    via: CallerName,
    call: HardenPasswords,
) -> Result<HardenedPasswords, Problem> {
    check_count(call.items.len()).map_err(|e| bad_request(&e))?;
    let who = Parties { via: &via, caller: &call.caller };
    app.check_parties(&who, Domain::Accounts).await?;
    app.check_grant(&who, Domain::Accounts, Operation::Harden, FieldSet::EMPTY).await?;
    let now = app.now().await;
    app.charge(&who, Operation::Harden, now, call.items.len()).await?;

    let records = call.items.iter().map(|item| item.record).filter(|r| *r != Record::NOBODY);
    let records = RecordList::new(records.collect());
    let names = || (call.caller.clone(), via.clone());
    let (caller, via_name) = names();
    let mut events = vec![Event::Hardened { caller, via: via_name, records: records.clone() }];
    if let Some(ticket) = call.looked_up {
        let (caller, via) = names();
        events.push(Event::Found { caller, via, search: Search::SignIn, ticket, records });
    }
    app.write(now, events).await?;
    if let Some(ticket) = call.looked_up {
        app.look_ups().end(ticket);
    }
    app.check_thawed(&who).await?;
    let ring = app.shared.ring();
    let verifiers = call.items.iter().map(|item| ring.harden(item.record, &item.hash));
    Ok(HardenedPasswords { verifiers: verifiers.collect() })
}
