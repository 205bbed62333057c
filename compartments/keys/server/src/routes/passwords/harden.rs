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

/// The entries of a call. Together they count every item, so that the next start recalls the whole
/// use of the budget.
fn events(call: &HardenPasswords, via: &CallerName, records: RecordList) -> Vec<Event> {
    let (caller, via) = (call.caller.clone(), via.clone());
    let beside = call.items.len() - records.as_slice().len();
    let beside = u32::try_from(beside).unwrap_or(u32::MAX);
    let mut events = vec![Event::Hardened { caller: caller.clone(), via: via.clone(), records }];
    if beside > 0 {
        events.push(Event::HardenedBeside { caller, via, count: beside });
    }
    events
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
    let records = || call.items.iter().map(|item| item.record).filter(|r| *r != Record::NOBODY);
    app.charge(&who, Operation::Harden, now, call.items.len()).await?;
    app.count_guesses(&who, now, records()).await?;

    let records = RecordList::new(records().collect());
    let mut events = events(&call, &via, records.clone());
    if let Some(ticket) = call.looked_up {
        let (caller, via) = (call.caller.clone(), via.clone());
        events.push(Event::Found { caller, via, search: Search::SignIn, ticket, records });
    }
    app.write(now, events).await?;
    if let Some(ticket) = call.looked_up {
        app.look_ups().end(ticket);
    }
    app.check_thawed(&who).await?;
    app.check_grant(&who, Domain::Accounts, Operation::Harden, FieldSet::EMPTY).await?;
    let ring = app.shared.ring();
    let verifiers = call.items.iter().map(|item| ring.harden(item.record, &item.hash));
    Ok(HardenedPasswords { verifiers: verifiers.collect() })
}
