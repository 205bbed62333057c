//! `POST /v1/passwords/enrol`: verifiers of passwords that were set, bound to the customer and the time.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::State;
use cofferdam_core::{CallerName, Domain, FieldSet, Operation, Record, Timestamp};
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::{EnrolPasswords, EnrolledPasswords, Enrolment, Event, RECORDS_SEALED, RecordList};
use roaring::RoaringBitmap;

use crate::app::{App, Parties, bad_request};
use crate::domain::batch::check_count;
use crate::domain::presence::whole_milliseconds;
use crate::store;

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
            check_new(app, &who, &records).await?;
            call.items.len()
        }
        Enrolment::Reset => count_outside_orders(app, &records, now).await?,
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

/// Refuses a first password for a customer who has one: a fallen `accounts` would set others without the
/// word that a reset code came back.
async fn check_new(app: &App, who: &Parties<'_>, records: &[Record]) -> Result<(), Problem> {
    let named: RoaringBitmap = records.iter().map(|record| record.0).collect();
    let Some(first) = app.sealed.among(Domain::Accounts, &named).min() else { return Ok(()) };
    let what = format!("first passwords of customers who have one, from {first}");
    let Problem { detail, .. } = app.refuse_party(who, what).await;
    Err(Problem::new(RECORDS_SEALED, detail))
}

/// Counts the customers for whom no void order raises the budget. A void order makes all its customers
/// set passwords, so each counts on the order.
async fn count_outside_orders(
    app: &App,
    records: &[Record],
    now: Timestamp,
) -> Result<usize, Problem> {
    let voids = app.shared.voids();
    let mut outside = 0;
    for record in records {
        let mut raised = false;
        for order in voids.covering(*record, now) {
            raised = raised || store::use_raised(&app.db, order).await?;
        }
        outside += usize::from(!raised);
    }
    Ok(outside)
}
