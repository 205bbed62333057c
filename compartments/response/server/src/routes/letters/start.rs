//! `POST /v1/letters/start`

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{LetterStatus, StartLetter};

use crate::acts::letters;
use crate::app::App;
use crate::staff::Staff;

/// Starts an approved letter, or resumes a paused one.
pub async fn handle(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<StartLetter>,
) -> Result<Answer<LetterStatus>, Problem> {
    let letter = app.letter(call.letter).await?;
    app.open_incident(letter.incident).await?;
    letters::start(&app, &letter, call.before_staff, &by).await?;
    Ok(Answer(letters::status(&app, call.letter).await?, encoding))
}
