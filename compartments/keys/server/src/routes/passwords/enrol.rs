//! `POST /v1/passwords/enrol`: verifiers of passwords that were set, bound to the customer and the time.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::State;
use cofferdam_core::{CallerName, Domain, FieldSet, Operation, Record, whole_milliseconds};
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::{EnrolPasswords, EnrolledPasswords, Enrolment, Event, RecordList};

use crate::app::{App, Parties, bad_request};
use crate::domain::batch::check_count;

/// Makes verifiers, after every check and after the log has the enrolment.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(via): Caller,
    Body(call, encoding): Body<EnrolPasswords>,
) -> Result<Answer<EnrolledPasswords>, Problem> {
    Ok(Answer(enrol(&app, &via, call).await?, encoding))
}

async fn enrol(
    app: &App,
    via: &CallerName,
    call: EnrolPasswords,
) -> Result<EnrolledPasswords, Problem> {
    let records = customers(&call)?;
    let who = Parties { via, caller: &call.caller };
    let operation = match call.on {
        Enrolment::SignUp => Operation::Enrol,
        Enrolment::Reset => Operation::Attest,
    };
    app.check_parties(&who, Domain::Accounts).await?;
    app.check_grant(&who, Domain::Accounts, operation, FieldSet::EMPTY).await?;
    let now = whole_milliseconds(app.now().await);
    let charged = match call.on {
        Enrolment::SignUp => {
            app.check_new(&who, &records).await?;
            call.items.len()
        }
        Enrolment::Reset => app.count_outside_orders(&records, now).await?,
    };
    app.charge(&who, operation, now, charged).await?;

    let (caller, via) = (call.caller.clone(), via.clone());
    let (records, attested) = (RecordList::new(records), call.on == Enrolment::Reset);
    app.write(now, vec![Event::Enrolled { caller, via, records, attested }]).await?;
    app.check_thawed(&who).await?;
    app.check_grant(&who, Domain::Accounts, operation, FieldSet::EMPTY).await?;
    let ring = app.shared.ring();
    let verifiers = call.items.iter().map(|of| ring.verifier(of.record, now, &of.hash));
    Ok(EnrolledPasswords { set_at: now, verifiers: verifiers.collect() })
}

/// The customers of a call, ascending.
fn customers(call: &EnrolPasswords) -> Result<Vec<Record>, Problem> {
    check_count(call.items.len()).map_err(|e| bad_request(&e))?;
    let records: BTreeSet<_> = call.items.iter().map(|item| item.record).collect();
    if records.len() != call.items.len() || records.contains(&Record::NOBODY) {
        return Err(Problem::bad_request("each password is another customer's"));
    }
    Ok(records.into_iter().collect())
}
