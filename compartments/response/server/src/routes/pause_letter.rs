//! `POST /v1/letters/pause`: a letter, or one provider's mailboxes, rests.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem, ProblemType};
use response_api::{LetterState, LetterStatus, PauseLetter};

use crate::app::App;
use crate::domain::governor::Pause;
use crate::jobs;
use crate::routes::resume_provider::{here, known};
use crate::staff::Staff;

/// Pauses. What is on the wire is sent to its end.
pub async fn pause(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<PauseLetter>,
) -> Result<Answer<LetterStatus>, Problem> {
    let letter = super::read_letter::find(&app, call.letter).await?;
    if letter.state != LetterState::Running {
        return Err(Problem::new(ProblemType::CONFLICT, "the letter is not being sent"));
    }
    let of = call.provider.as_deref().map_or(String::new(), |of| format!(", mailboxes of {of}"));
    let detail = format!("letter {}{of}", letter.letter);
    app.journal(letter.incident, &by, "letters.pause", &detail).await?;
    if let Some(provider) = call.provider {
        let provider = known(&app, &provider).await?;
        let why = format!("paused by {}", by.name);
        let kept = app.store.pause_provider(letter.letter, provider, &why, app.now()).await;
        kept?;
        let pause = Pause { why, kept: true };
        here(&app, letter.letter, provider, |lane| lane.pace().paused = Some(pause.clone())).await;
    } else {
        app.store.pause(letter.letter, "").await?;
        app.letters_stirred.notify_one();
    }
    Ok(Answer(jobs::status(&app, letter.letter).await?, encoding))
}
