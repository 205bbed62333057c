//! `POST /v1/warrants/close`: a warrant is closed before its time.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::{CloseWarrant, Event};

use crate::app::App;
use crate::store;

/// Closes a warrant. It is closed before the log has the entry, so that nothing is drawn between
/// the two.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(by): Caller,
    Body(call, encoding): Body<CloseWarrant>,
) -> Result<Answer<()>, Problem> {
    app.check_controller(&by, "closing a warrant").await?;
    let warrant = call.warrant;
    if !store::close_warrant(&app.db, warrant).await? {
        return Err(Problem::not_found("no such warrant is open"));
    }
    app.apply_change().await?;
    app.write(app.now().await, vec![Event::WarrantClosed { warrant, by }]).await?;
    Ok(Answer((), encoding))
}
