//! `POST /v1/letters/test`

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::TestLetter;

use crate::acts::letters;
use crate::app::App;
use crate::staff::Staff;

/// Sends a test letter to a member of staff.
pub async fn handle(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<TestLetter>,
) -> Result<Answer<String>, Problem> {
    let letter = app.letter(call.letter).await?;
    app.open_incident(letter.incident).await?;
    let receipt = letters::send_test_letter(&app, &letter, &call, &by).await?;
    Ok(Answer(receipt, encoding))
}
