//! `POST /v1/void-orders/approve`: an order that voids credentials, signed by two people or by
//! one person with a reason.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_core::{Domain, Sha256};
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::{ApproveVoidOrder, CustomerSet, Event, VoidOrder};

use crate::app::{App, Parties};
use crate::domain::voids::{Whose, void_id};
use crate::store::{self, NewVoid};

/// Approves a void order, logs it, and holds to it. Other instances of `keys` hold to it within a second;
/// `accounts` does everywhere before it answers.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(by): Caller,
    Body(call, encoding): Body<ApproveVoidOrder>,
) -> Result<Answer<()>, Problem> {
    if !app.roles.is_front(Domain::Accounts, &by) {
        return Err(app.refuse_grant(&by, "the approval of a void order".to_owned()).await);
    }
    app.check_thawed(&Parties { via: &by, caller: &by }).await?;
    let approvers = app.check_approved(&by, &call.order).await?;
    let VoidOrder { incident, set_before, break_glass, customers, .. } = call.order.order;
    let now = app.now().await;
    let set = customers.map(|of| of.sha256);
    let customers_of = customers.map(|of| u64::from(of.count));
    let event = match customers {
        None => Event::VoidApproved { incident, set_before, approvers, break_glass },
        Some(CustomerSet { sha256: Sha256(set), count: customers }) => Event::VoidOfSetApproved {
            incident,
            set_before,
            set,
            customers,
            approvers,
            break_glass,
        },
    };
    app.write(now, vec![event]).await?;
    let raised = match customers_of {
        Some(count) => count,
        None => app.numbers.given(Domain::Accounts).await?.into(),
    };
    let void = NewVoid {
        id: void_id(incident, set_before, set),
        set_before: set_before.min(now),
        opened_before: now,
        known_at: now,
        whose: set.is_none().then_some(&Whose::Everybody),
        raised,
    };
    store::note_void(&app.db, &void).await?;
    app.catch_up().await?;
    Ok(Answer((), encoding))
}
