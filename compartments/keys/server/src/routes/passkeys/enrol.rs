//! `POST /v1/passkeys/enrol`: the public key of a passkey is certified, bound to the customer and the
//! time.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_core::{CallerName, Domain, FieldSet, Operation, Record, whole_milliseconds};
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::{EnrolPasskey, Event, Passkey, PasskeyEnrolment, RecordList};

use crate::app::{App, Parties, bad_request};
use crate::domain::passkeys::certify;

/// Certifies a public key, after every check and after the log has the enrolment.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(via): Caller,
    Body(call, encoding): Body<EnrolPasskey>,
) -> Result<Answer<Passkey>, Problem> {
    Ok(Answer(enrol(&app, &via, call).await?, encoding))
}

async fn enrol(app: &App, via: &CallerName, call: EnrolPasskey) -> Result<Passkey, Problem> {
    let EnrolPasskey { caller, on, record, passkey } = call;
    let who = Parties { via, caller: &caller };
    let attested = matches!(on, PasskeyEnrolment::Reset);
    let operation = if attested { Operation::Attest } else { Operation::Enrol };
    app.check_parties(&who, Domain::Accounts).await?;
    app.check_grant(&who, Domain::Accounts, operation, FieldSet::EMPTY).await?;
    let now = whole_milliseconds(app.now().await);
    if record == Record::NOBODY {
        return Err(Problem::bad_request("a passkey is a customer's"));
    }
    let certified = certify(&app.shared.ring(), record, passkey, now);
    let passkey = certified.map_err(|e| bad_request(&e))?;
    let charged = match on {
        PasskeyEnrolment::SignUp => {
            app.check_new(&who, &[record]).await?;
            1
        }
        PasskeyEnrolment::Reset => app.count_outside_orders(&[record], now).await?,
        PasskeyEnrolment::Present { presence } => {
            app.check_present(&who, Some(&presence), [record], now).await?;
            1
        }
    };
    app.charge(&who, operation, now, charged).await?;

    let records = RecordList::new(vec![record]);
    let enrolled = Event::Enrolled { caller: caller.clone(), via: via.clone(), records, attested };
    app.write(now, vec![enrolled]).await?;
    app.check_thawed(&who).await?;
    app.check_grant(&who, Domain::Accounts, operation, FieldSet::EMPTY).await?;
    Ok(passkey)
}
