//! `POST /v1/holds/read`: the incidents that hold a caller frozen.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::{Hold, ReadHolds};

use crate::app::App;

/// Reads the holds on a caller, as the database has them: a compartment thaws by this answer.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(by): Caller,
    Body(ReadHolds { caller }, encoding): Body<ReadHolds>,
) -> Result<Answer<Vec<Hold>>, Problem> {
    app.check_role(&by, "the holds on a caller").await?;
    app.catch_up().await?;
    Ok(Answer(app.shared.holds(&caller), encoding))
}
