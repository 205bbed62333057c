//! `POST /v1/letters/post/draft`: what two people sign for the addresses of those not reached.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{DraftPost, WarrantTerms};

use crate::app::App;
use crate::jobs;
use crate::staff::Staff;

/// Says the terms.
pub async fn draft(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<DraftPost>,
) -> Result<Answer<WarrantTerms>, Problem> {
    let letter = super::read_letter::find(&app, call.letter).await?;
    app.journal(letter.incident, &by, "letters.post.draft", &format!("letter {}", letter.letter))
        .await?;
    Ok(Answer(jobs::post_terms(&app, &letter).await?, encoding))
}
