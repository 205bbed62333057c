//! `POST /v1/budgets/restore`: a lowered budget is given back, by an order that an approver signed.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::{Event, NO_SUCH_LOWERING, RestoreBudget, RestoreOrder};

use crate::app::App;
use crate::domain::lowerings;
use crate::store;

/// Ends a lowering. A stolen certificate of the controller gives nothing back, because it signs nothing.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(by): Caller,
    Body(RestoreBudget { order: signed }, encoding): Body<RestoreBudget>,
) -> Result<Answer<()>, Problem> {
    app.check_controller(&by, "giving a budget back").await?;
    app.catch_up().await?;
    let approvers = app.check_approved(&by, &signed).await?;
    let is_open = app.shared.access().lowered.check(&signed.order);
    if is_open.map_err(|e| Problem::new(NO_SUCH_LOWERING, e.to_string()))? {
        let RestoreOrder { caller, operation, lowering, reason, .. } = signed.order;
        let (of, reason) = (caller.clone(), reason.into());
        let event = Event::Restored { caller: of, operation, lowering, approvers, reason };
        app.write(app.now().await, vec![event]).await?;
        let ended = (lowering, lowerings::State::Ended);
        store::save_lowering(&app.db, &caller, operation, ended).await?;
        app.apply_change().await?;
    }
    Ok(Answer((), encoding))
}
