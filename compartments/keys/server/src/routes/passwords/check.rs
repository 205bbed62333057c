//! `POST /v1/passwords/check`: a typed password is compared with the verifier, and a session gets its
//! ticket.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_core::{CallerName, Domain, FieldSet, Operation, Record, whole_milliseconds};
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::{
    CheckPassword, CheckedPassword, Event, PresenceTicket, RecordList, RightPassword, Search,
};

use crate::app::{App, Parties};
use crate::domain::passwords::{self, Right, Typed};
use crate::domain::presence;

/// Compares a password, after every check and after the log has the attempt.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(via): Caller,
    Body(call, encoding): Body<CheckPassword>,
) -> Result<Answer<CheckedPassword>, Problem> {
    Ok(Answer(check(&app, &via, call).await?, encoding))
}

async fn check(
    app: &App,
    via: &CallerName,
    call: CheckPassword,
) -> Result<CheckedPassword, Problem> {
    let began = app.shared.generation();
    let who = Parties { via, caller: &call.caller };
    app.check_parties(&who, Domain::Accounts).await?;
    app.check_grant(&who, Domain::Accounts, Operation::Harden, FieldSet::EMPTY).await?;
    let now = whole_milliseconds(app.now().await);
    app.charge(&who, Operation::Harden, now, 1).await?;
    let known = Some(call.record).filter(|record| *record != Record::NOBODY);
    app.count_guesses(&who, now, known.into_iter()).await?;

    let right = compare(app, &call);
    // One reading of the policy gives the group of the ticket and that of the log's entry.
    let access = app.shared.access();
    let group = access.policy.group(&call.caller);
    let session = call.session.as_ref().filter(|_| right.is_some());
    let ring = app.shared.ring();
    let ticket = session.map(|session| presence::give(&ring, call.record, group, session, now));
    app.write(now, events(via, &call, group, ticket.as_ref())).await?;
    if let Some(looked_up) = call.looked_up {
        app.look_ups().end(looked_up);
    }
    app.check_thawed(&who).await?;
    app.check_grant(&who, Domain::Accounts, Operation::Harden, FieldSet::EMPTY).await?;
    // An order that came while the log was written covers this sign-in.
    let over = app.shared.generation() != began && compare(app, &call).is_none();
    let right = right.filter(|_| !over);
    let right = right.map(|Right { renewed }| RightPassword { renewed, ticket });
    Ok(CheckedPassword { right })
}

fn compare(app: &App, call: &CheckPassword) -> Option<Right> {
    let CheckPassword { record, hash, stored, renew, .. } = call;
    let typed = Typed { record: *record, hash, stored, renew: renew.as_ref() };
    let (ring, voids) = (app.shared.ring(), app.shared.voids());
    passwords::compare(&ring, &typed, app.passwords_bound_since, &voids)
}

/// The entries of an attempt: the typed password, whom the look-up found, and the ticket. Together they
/// count the attempt, so that the next start recalls the use of the budget.
fn events(
    via: &CallerName,
    call: &CheckPassword,
    group: &CallerName,
    ticket: Option<&PresenceTicket>,
) -> Vec<Event> {
    let parties = || (call.caller.clone(), via.clone());
    let known = call.record != Record::NOBODY;
    let records = RecordList::new(if known { vec![call.record] } else { Vec::new() });
    let (caller, via) = parties();
    let mut events = vec![Event::Hardened { caller, via, records: records.clone() }];
    if !known {
        let (caller, via) = parties();
        events.push(Event::HardenedBeside { caller, via, count: 1 });
    }
    if let Some(ticket) = call.looked_up {
        let (caller, via) = parties();
        events.push(Event::Found { caller, via, search: Search::SignIn, ticket, records });
    }
    if let Some(PresenceTicket { until, .. }) = ticket {
        let (caller, via) = parties();
        let (group, record, until) = (group.clone(), call.record, *until);
        events.push(Event::SignedIn { caller, via, group, record, until });
    }
    events
}
