//! `POST /v1/letters/resume-provider`: a provider's mailboxes are written to again.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{LetterId, LetterStatus, ResumeProvider};

use crate::app::App;
use crate::domain::governor::OTHERS;
use crate::jobs;
use crate::jobs::mailing::Lane;
use crate::staff::Staff;

/// Lets a provider go on, its window of bounces and complaints empty.
pub async fn resume(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<ResumeProvider>,
) -> Result<Answer<LetterStatus>, Problem> {
    let letter = super::read_letter::find(&app, call.letter).await?;
    let provider = known(&app, &call.provider).await?;
    let detail = format!("letter {}, mailboxes of {}", letter.letter, call.provider);
    let done = app.store.resume_provider(letter.letter, provider).await;
    done?;
    here(&app, letter.letter, provider, |lane| lane.pace().resume()).await;
    app.journal(letter.incident, &by, "letters.resume", &detail).await?;
    Ok(Answer(jobs::status(&app, letter.letter).await?, encoding))
}

/// The number of a provider that is configured.
pub async fn known(app: &App, provider: &str) -> Result<u16, Problem> {
    let named = |name: &str| name == provider;
    let providers = &app.config.letters.providers;
    if !named(OTHERS) && !providers.iter().any(|of| named(&of.name)) {
        return Err(Problem::not_found(format!("there is no mail provider {provider}")));
    }
    app.store.provider(provider).await.map_err(|e| Problem::internal(&e))
}

/// Does at once, where this instance sends the letter, what others hear from the ledger.
pub async fn here(app: &App, letter: LetterId, provider: u16, act: impl Fn(&Lane)) {
    if let Some(run) = app.sending.lock().await.get(&letter) {
        run.lanes.iter().filter(|lane| lane.provider == provider).for_each(act);
    }
}
