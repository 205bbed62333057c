//! `POST /v1/orders/apply`

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{AppliedOrder, ApplyOrder};

use crate::acts::orders;
use crate::app::App;
use crate::staff::Staff;

/// Carries out an order that people signed.
pub async fn handle(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<ApplyOrder>,
) -> Result<Answer<AppliedOrder>, Problem> {
    Ok(Answer(orders::apply(&app, call.order, &by).await?, encoding))
}
