//! `POST /v1/void-orders/approve`: an order that voids credentials, signed by two people or by
//! one person with a reason.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_core::{Domain, Sha256};
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::{ApproveVoidOrder, CustomerSet, Event, VoidOrder};

use crate::app::{App, Parties};

/// Approves a void order, and logs it.
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
    app.write(app.now().await, vec![event]).await?;
    Ok(Answer((), encoding))
}
