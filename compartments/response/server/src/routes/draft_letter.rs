//! `POST /v1/letters/draft`: a version of a letter, for two people to approve.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem, ProblemType};
use response_api::{DraftLetter, LetterDraft};

use crate::app::App;
use crate::jobs;
use crate::staff::Staff;

/// Writes a version.
pub async fn draft(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<DraftLetter>,
) -> Result<Answer<LetterDraft>, Problem> {
    let letter = super::read_letter::find(&app, call.letter).await?;
    if !letter.planned {
        let what = "the letter's ledger is not whole; plan it again";
        return Err(Problem::new(ProblemType::CONFLICT, what));
    }
    let draft = jobs::draft(&app, &letter, &by).await?;
    let detail = format!("letter {}, version {}", letter.letter, draft.version);
    app.journal(letter.incident, &by, "letters.draft", &detail).await?;
    Ok(Answer(draft, encoding))
}
