//! `POST /v1/decoys/claim`: which new record numbers are decoys, told once.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_core::Record;
use cofferdam_wire::{Answer, Body, Caller, Problem, ProblemType};
use keys_api::{AlarmKind, ClaimDecoys, ClaimedDecoys};

use crate::app::{App, Parties};
use crate::store;

const MAX_RANGE: u32 = 100_000;

/// Names the decoys in a range.
pub async fn claim(
    State(app): State<Arc<App>>,
    Caller(via): Caller,
    Body(call, encoding): Body<ClaimDecoys>,
) -> Result<Answer<ClaimedDecoys>, Problem> {
    app.check_parties(&Parties { via: &via, caller: &via }, call.domain).await?;
    let upto =
        call.from.0.checked_add(call.count).filter(|_| (1..=MAX_RANGE).contains(&call.count));
    let upto = upto.ok_or_else(|| {
        Problem::bad_request(format!("a range has 1 to {MAX_RANGE} numbers below 2^32"))
    })?;
    let decoys: Vec<_> = (call.from.0..upto)
        .map(Record)
        .filter(|record| app.decoys.is_decoy(call.domain, *record))
        .collect();
    let new = store::claim(&app.db, call.domain, call.from, upto.into(), &decoys).await?;
    if !new {
        let detail = format!("{via} asked a second time where decoys are, from {}", call.from);
        let now = app.now().await;
        app.alarms.ring(now, AlarmKind::DecoyProbe, Some(&via), detail).await;
        return Err(Problem::new(ProblemType::CONFLICT, "these numbers were claimed before"));
    }
    Ok(Answer(ClaimedDecoys { decoys }, encoding))
}
