//! `POST /v1/decoys/claim`: the decoys among new record numbers, named once.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_core::Record;
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::{AlarmKind, ClaimDecoys, ClaimedDecoys, DECOYS_CLAIMED};

use crate::app::{App, Parties};
use crate::store;

/// The most numbers that one claim names.
const MAX_RANGE: u32 = 100_000;

/// Names the decoys in a range, if no number of it was claimed before.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(via): Caller,
    Body(call, encoding): Body<ClaimDecoys>,
) -> Result<Answer<ClaimedDecoys>, Problem> {
    let ClaimDecoys { domain, from, count } = call;
    let who = Parties { via: &via, caller: &via };
    app.check_parties(&who, domain).await?;
    let upto = from.0.checked_add(count).filter(|_| (1..=MAX_RANGE).contains(&count));
    let upto = upto.ok_or_else(|| {
        Problem::bad_request(format!("a range has 1 to {MAX_RANGE} numbers below 2^32"))
    })?;
    app.check_numbers(&who, domain, upto).await?;
    let records = (from.0..upto).map(Record);
    let decoys: Vec<_> = records.filter(|record| app.decoys.is_decoy(domain, *record)).collect();
    if !store::claim_decoys(&app.db, domain, from, upto.into(), &decoys).await? {
        let detail = format!("{via} asked a second time where decoys are, from {from}");
        let now = app.now().await;
        app.alarms.ring(now, AlarmKind::DecoyProbe, Some(&via), detail).await;
        return Err(Problem::new(DECOYS_CLAIMED, "some of these numbers were claimed before"));
    }
    app.numbers.note(domain, upto);
    Ok(Answer(ClaimedDecoys { decoys }, encoding))
}
