//! `POST /v1/letters/draft`

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{DraftLetter, LETTER_NOT_PLANNED, LetterDraft};

use crate::acts::letters;
use crate::app::App;
use crate::staff::Staff;

/// Drafts a version of a planned letter.
pub async fn handle(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<DraftLetter>,
) -> Result<Answer<LetterDraft>, Problem> {
    let letter = app.letter(call.letter).await?;
    app.open_incident(letter.incident).await?;
    if !letter.planned {
        let what = "the ledger of the letter does not hold everybody yet";
        return Err(Problem::new(LETTER_NOT_PLANNED, what));
    }
    Ok(Answer(letters::draft(&app, &letter, &by).await?, encoding))
}
