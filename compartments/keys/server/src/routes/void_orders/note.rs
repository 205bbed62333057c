//! `POST /v1/void-orders/note`: `accounts` names the customers of an order over some.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_core::{CallerName, Domain, Record, Sha256, Timestamp};
use cofferdam_wire::{Answer, Body, Caller, Problem, ProblemType};
use jiff::SignedDuration;
use keys_api::{AlarmKind, CustomerSet, Event, NoteVoidOrder};
use roaring::RoaringBitmap;

use crate::app::{App, Parties};
use crate::domain::voids::{Whose, void_id};
use crate::store::{self, NewVoid};

/// The span in which orders are counted.
const SPAN: SignedDuration = SignedDuration::from_hours(24);
/// The most orders over some within it.
const MOST: u64 = 200;

/// Notes the customers, and holds to the order.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(via): Caller,
    Body(call, encoding): Body<NoteVoidOrder>,
) -> Result<Answer<()>, Problem> {
    let who = Parties { via: &via, caller: &via };
    app.check_parties(&who, Domain::Accounts).await?;
    let NoteVoidOrder { incident, set_before, opened_before, roaring } = call;
    let records = RoaringBitmap::deserialize_from(roaring.as_slice())
        .map_err(|e| Problem::bad_request(format!("not a Roaring bitmap: {e}")))?;
    let CustomerSet { sha256: Sha256(set), count } = CustomerSet::of(records.iter().map(Record));
    let now = app.now().await;
    check_number(&app, &via, now).await?;
    let customers = count;
    app.write(now, vec![Event::VoidOrderNoted { incident, set_before, set, customers, via }])
        .await?;
    let void = NewVoid {
        id: void_id(incident, set_before, Some(Sha256(set))),
        set_before: set_before.min(now),
        opened_before: opened_before.min(now),
        whose: Some(&Whose::Some(records)),
        known_at: now,
        // `keys` has the word of `accounts` alone for this order. An order that people signed got its number
        // when `keys` approved it.
        raised: 0,
    };
    store::note_void(&app.db, &void).await?;
    app.catch_up().await?;
    Ok(Answer((), encoding))
}

/// Refuses more orders than any day has. Each is kept for good, and a fallen `accounts` could fill the disk.
async fn check_number(app: &App, via: &CallerName, now: Timestamp) -> Result<(), Problem> {
    let since = now.saturating_sub(SPAN).unwrap_or(Timestamp::MIN);
    if store::orders_over_some(&app.db, since).await? < MOST {
        return Ok(());
    }
    let detail = format!("{via} names more than {MOST} void orders a day");
    app.alarms.ring(now, AlarmKind::Budget, Some(via), detail.clone()).await;
    Err(Problem::new(ProblemType::BUDGET_EXHAUSTED, detail).retry_after(3_600))
}
