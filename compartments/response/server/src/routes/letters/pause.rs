//! `POST /v1/letters/pause`

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{JournalAct, LetterStatus, PauseLetter};

use crate::acts::letters;
use crate::app::App;
use crate::routes::providers::check_running;
use crate::staff::Staff;

/// Pauses a running letter.
pub async fn handle(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<PauseLetter>,
) -> Result<Answer<LetterStatus>, Problem> {
    let letter = app.letter(call.letter).await?;
    check_running(&letter)?;
    let detail = format!("letter {}", call.letter);
    let act = app.act(letter.incident, &by, JournalAct::PauseLetter, detail);
    app.store.pause(call.letter, "", Some(&act)).await?;
    app.letters.room.stir();
    Ok(Answer(letters::status(&app, call.letter).await?, encoding))
}
