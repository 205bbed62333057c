//! `POST /v1/providers/resume`

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{JournalAct, LetterStatus, ResumeProvider};

use crate::acts::letters;
use crate::app::App;
use crate::routes::providers::configured_provider;
use crate::staff::Staff;

/// Resumes a letter's mail to one mail provider. The provider's bounces and complaints are
/// forgotten.
pub async fn handle(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<ResumeProvider>,
) -> Result<Answer<LetterStatus>, Problem> {
    let letter = app.letter(call.letter).await?;
    let provider = configured_provider(&app, &call.provider).await?;
    let detail = format!("letter {}, mailboxes of {}", call.letter, call.provider);
    let act = app.act(letter.incident, &by, JournalAct::ResumeProvider, detail);
    app.store.resume_provider(call.letter, provider, &act).await?;
    app.letters.room.adopt_pauses(call.letter).await?;
    Ok(Answer(letters::status(&app, call.letter).await?, encoding))
}
