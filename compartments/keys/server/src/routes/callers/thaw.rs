//! `POST /v1/callers/thaw`: an incident lets go of a caller, by an order that an approver signed.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::{Event, Hold, NO_SUCH_HOLD, ThawCaller, ThawOrder};

use crate::app::App;
use crate::domain::holds::Ending;
use crate::store;

/// Ends a hold. A stolen certificate of the controller thaws nobody, because it signs nothing.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(by): Caller,
    Body(ThawCaller { order: signed }, encoding): Body<ThawCaller>,
) -> Result<Answer<Vec<Hold>>, Problem> {
    app.check_controller(&by, "thawing a caller").await?;
    app.catch_up().await?;
    let approvers = app.check_approved(&by, &signed).await?;
    let ending = app.shared.hold_of(&signed.order);
    let ending = ending.map_err(|e| Problem::new(NO_SUCH_HOLD, e.to_string()))?;
    let ThawOrder { caller, incident, reason, .. } = signed.order;
    if let Ending::Ends(hold) = ending {
        let reason = reason.into();
        let event = Event::LetGo { caller: caller.clone(), hold, incident, approvers, reason };
        app.write(app.now().await, vec![event]).await?;
        store::save_hold(&app.db, &caller, hold, true).await?;
        app.apply_change().await?;
    }
    Ok(Answer(app.shared.holds(&caller), encoding))
}
