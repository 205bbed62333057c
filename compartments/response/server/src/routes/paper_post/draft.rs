//! `POST /v1/paper-post/draft`

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{DraftPaperPost, JournalAct, WarrantTerms};

use crate::acts::letters;
use crate::app::App;
use crate::staff::Staff;

/// Drafts the order that opens a list of postal addresses.
pub async fn handle(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<DraftPaperPost>,
) -> Result<Answer<WarrantTerms>, Problem> {
    let letter = app.letter(call.letter).await?;
    app.open_incident(letter.incident).await?;
    let terms = letters::paper_post_terms(&app, &letter).await?;
    let detail = format!("letter {}", call.letter);
    app.store.journal(&app.act(letter.incident, &by, JournalAct::DraftPaperPost, detail)).await?;
    Ok(Answer(terms, encoding))
}
