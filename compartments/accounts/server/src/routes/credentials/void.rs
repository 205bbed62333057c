//! `POST /v1/credentials/void`: credentials that were set up to an instant become void, of all
//! customers or of some.

use std::sync::Arc;

use accounts_api::{VoidCredentials, VoidOutcome, VoidWhose};
use axum::extract::State;
use cofferdam_core::{Record, whole_milliseconds};
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::{CustomerSet, Signed, VoidOrder};
use roaring::RoaringBitmap;

use crate::app::{App, bad_request};
use crate::domain::orders;
use crate::voiding::{self, Named};

/// Voids credentials.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(call, encoding): Body<VoidCredentials>,
) -> Result<Answer<VoidOutcome>, Problem> {
    app.check_controller(&caller)?;
    let until = orders::past(call.set_before, app.clock.now()).map_err(|e| bad_request(&e))?;
    let until = whole_milliseconds(until);
    let outcome = match &call.whose {
        VoidWhose::Everybody { order } => {
            voiding::signed(&app, signed(&call, order, None)?, None, until).await?
        }
        VoidWhose::Set { order, roaring } => {
            let records = bitmap(roaring)?;
            let signed = signed(&call, order, Some(&records))?;
            voiding::signed(&app, signed, Some(records), until).await?
        }
        VoidWhose::Only { roaring, again } => {
            let records = bitmap(roaring)?;
            let named = Named { incident: call.incident, records, again: *again, until };
            voiding::some(&app, named).await?
        }
    };
    Ok(Answer(outcome, encoding))
}

/// The signed order, which is for this incident, instant and set of customers. `keys` checks the
/// signatures.
fn signed(
    call: &VoidCredentials,
    order: &str,
    records: Option<&RoaringBitmap>,
) -> Result<Signed<VoidOrder>, Problem> {
    let signed: Signed<VoidOrder> = serde_json::from_str(order)
        .map_err(|e| Problem::bad_request(format!("not a signed void order: {e}")))?;
    if signed.order.incident != call.incident || signed.order.set_before != call.set_before {
        return Err(Problem::bad_request("another incident or instant was signed"));
    }
    let set = records.map(|records| CustomerSet::of(records.iter().map(Record)));
    if signed.order.customers != set {
        return Err(Problem::bad_request("other customers were signed"));
    }
    Ok(signed)
}

fn bitmap(roaring: &[u8]) -> Result<RoaringBitmap, Problem> {
    RoaringBitmap::deserialize_from(roaring)
        .map_err(|e| Problem::bad_request(format!("not a Roaring bitmap: {e}")))
}
