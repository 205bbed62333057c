//! `POST /v1/letters/list`

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{LetterStatus, ListLetters};

use crate::acts::letters;
use crate::app::App;
use crate::staff::Staff;

/// Lists the letters, of one incident or of all.
pub async fn handle(
    State(app): State<Arc<App>>,
    Staff(_): Staff,
    Body(call, encoding): Body<ListLetters>,
) -> Result<Answer<Vec<LetterStatus>>, Problem> {
    let listed = match call.incident {
        Some(incident) => app.store.letters_about(incident).await?,
        None => app.store.letters().await?,
    };
    let mut answer = Vec::with_capacity(listed.len());
    for letter in listed {
        answer.push(letters::status(&app, letter.letter).await?);
    }
    Ok(Answer(answer, encoding))
}
