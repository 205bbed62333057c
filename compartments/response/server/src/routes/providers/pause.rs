//! `POST /v1/providers/pause`

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{JournalAct, LetterStatus, PauseProvider};

use crate::acts::letters;
use crate::app::App;
use crate::routes::providers::{check_running, configured_provider};
use crate::staff::Staff;

/// Pauses a letter's mail to one mail provider.
pub async fn handle(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<PauseProvider>,
) -> Result<Answer<LetterStatus>, Problem> {
    let letter = app.letter(call.letter).await?;
    check_running(&letter)?;
    let provider = configured_provider(&app, &call.provider).await?;
    let detail = format!("letter {}, mailboxes of {}", call.letter, call.provider);
    let act = app.act(letter.incident, &by, JournalAct::PauseLetter, detail);
    let reason = format!("paused by {}", by.name);
    let pause = (reason.as_str(), app.now());
    app.store.pause_provider(call.letter, provider, pause, Some(&act)).await?;
    app.letters.room.adopt_pauses(call.letter).await?;
    Ok(Answer(letters::status(&app, call.letter).await?, encoding))
}
