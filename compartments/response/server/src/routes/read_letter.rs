//! `POST /v1/letters/status`

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{LetterId, LetterStatus, ReadLetter};

use crate::app::App;
use crate::jobs;
use crate::staff::Staff;
use crate::store::Letter;

/// How a letter stands.
pub async fn read(
    State(app): State<Arc<App>>,
    _: Staff,
    Body(call, encoding): Body<ReadLetter>,
) -> Result<Answer<LetterStatus>, Problem> {
    Ok(Answer(jobs::status(&app, call.letter).await?, encoding))
}

/// The letter with this number.
pub async fn find(app: &App, id: LetterId) -> Result<Letter, Problem> {
    let found = app.store.letter(id).await?;
    found.ok_or_else(|| no_letter(id))
}

/// There is none with this number.
pub fn no_letter(id: LetterId) -> Problem {
    Problem::not_found(format!("there is no letter {id}"))
}
