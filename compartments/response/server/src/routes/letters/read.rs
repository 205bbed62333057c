//! `POST /v1/letters/read`

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{LetterStatus, ReadLetter};

use crate::acts::letters;
use crate::app::App;
use crate::staff::Staff;

/// Reads the status of a letter.
pub async fn handle(
    State(app): State<Arc<App>>,
    Staff(_): Staff,
    Body(call, encoding): Body<ReadLetter>,
) -> Result<Answer<LetterStatus>, Problem> {
    Ok(Answer(letters::status(&app, call.letter).await?, encoding))
}
