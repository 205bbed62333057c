//! `POST /v1/passkeys/check`: what a passkey signed is verified, and a session gets its ticket.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_core::{CallerName, Domain, FieldSet, Operation, Timestamp, whole_milliseconds};
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::{CheckPasskey, CheckedPasskey, Event};

use crate::app::{App, Parties};
use crate::domain::passkeys::{self, NotShown, Shown};
use crate::domain::presence;

/// Verifies a signature after every check. The ticket leaves after the log has it.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(via): Caller,
    Body(call, encoding): Body<CheckPasskey>,
) -> Result<Answer<CheckedPasskey>, Problem> {
    Ok(Answer(check(&app, &via, &call).await?, encoding))
}

/// The check takes no budget, and so leaves nothing for a start to recall: nobody guesses a signature, and
/// a ticket is good for nobody but the customer who signed. Reads with the ticket take the budget
/// of `release_present`.
async fn check(
    app: &App,
    via: &CallerName,
    call: &CheckPasskey,
) -> Result<CheckedPasskey, Problem> {
    let began = app.shared.generation();
    let who = Parties { via, caller: &call.caller };
    app.check_parties(&who, Domain::Accounts).await?;
    app.check_grant(&who, Domain::Accounts, Operation::Harden, FieldSet::EMPTY).await?;
    let now = whole_milliseconds(app.now().await);
    // One reading of the policy gives the group of the challenge, of the ticket and of the log's entry.
    let access = app.shared.access();
    let group = access.policy.group(&call.caller);
    if let Err(why) = verify(app, call, group, now) {
        tracing::debug!(caller = %call.caller, %why, "a passkey was refused");
        return Ok(CheckedPasskey { ticket: None });
    }
    let ticket = presence::give(&app.shared.ring(), call.record, group, &call.session, now);
    let signed_in = Event::SignedIn {
        caller: call.caller.clone(),
        via: via.clone(),
        group: group.clone(),
        record: call.record,
        until: ticket.until,
    };
    app.write(now, vec![signed_in]).await?;
    app.check_thawed(&who).await?;
    app.check_grant(&who, Domain::Accounts, Operation::Harden, FieldSet::EMPTY).await?;
    // An order that came while the log was written covers this sign-in.
    let over = app.shared.generation() != began && verify(app, call, group, now).is_err();
    Ok(CheckedPasskey { ticket: (!over).then_some(ticket) })
}

fn verify(
    app: &App,
    call: &CheckPasskey,
    group: &CallerName,
    now: Timestamp,
) -> Result<(), NotShown> {
    let CheckPasskey { record, passkey, assertion, session, .. } = call;
    let shown = Shown { record: *record, passkey, assertion, session: session.secret, group };
    passkeys::check(&app.shared.ring(), &shown, now, &app.shared.voids())
}
