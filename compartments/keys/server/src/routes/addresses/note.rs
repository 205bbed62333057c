//! `POST /v1/addresses/note`: a compartment tells whom a look-up found, before it answers.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_core::{CallerName, Domain, FieldSet, Operation};
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::{Event, NoteAddresses, RecordList, Search};

use crate::app::{App, Parties, bad_request};
use crate::domain::batch::{check_at_most, check_records};

/// Writes the note. The look-up itself took the budget.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(via): Caller,
    Body(call, encoding): Body<NoteAddresses>,
) -> Result<Answer<()>, Problem> {
    note(&app, via, call).await?;
    Ok(Answer((), encoding))
}

async fn note(app: &App, via: CallerName, call: NoteAddresses) -> Result<(), Problem> {
    let NoteAddresses { caller, ticket, search, records } = call;
    check_at_most(records.len())
        .and_then(|()| check_records(&records))
        .map_err(|e| bad_request(&e))?;
    let who = Parties { via: &via, caller: &caller };
    app.check_parties(&who, Domain::Accounts).await?;
    app.check_grant(&who, Domain::Accounts, Operation::Index, FieldSet::EMPTY).await?;
    let now = app.now().await;
    let (caller_name, via_name) = (caller.clone(), via.clone());
    let records = RecordList::new(records);
    let event = Event::Found { caller: caller_name, via: via_name, search, ticket, records };
    app.write(now, vec![event]).await?;
    app.look_ups().end(ticket);
    if search == Search::Mail {
        // The refusal comes after the note, whoever was found, so that it does not tell whose the
        // address is.
        app.check_reports_mail(&who).await?;
    }
    app.check_thawed(&who).await
}
