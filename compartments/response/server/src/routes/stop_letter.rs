//! `POST /v1/letters/stop`: a letter ends before its time.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use keys_api::CloseWarrant;
use response_api::{LetterStatus, StopLetter};

use crate::app::App;
use crate::jobs;
use crate::staff::Staff;

/// Stops a letter and closes its warrant: it goes on only with a new approval.
pub async fn stop(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<StopLetter>,
) -> Result<Answer<LetterStatus>, Problem> {
    let letter = super::read_letter::find(&app, call.letter).await?;
    let detail = format!("letter {}: {}", letter.letter, call.reason);
    app.journal(letter.incident, &by, "letters.stop", &detail).await?;
    let stopped = app.store.stop(letter.letter, &call.reason).await;
    stopped?;
    app.letters_stirred.notify_one();
    if let Some(warrant) = letter.warrant {
        app.keys.call(&CloseWarrant { warrant }).await?;
    }
    Ok(Answer(jobs::status(&app, letter.letter).await?, encoding))
}
