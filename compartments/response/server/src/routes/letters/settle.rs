//! `POST /v1/letters/settle`

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{LETTER_RUNNING, LetterState, SettleLetter, Settled};

use crate::acts::letters;
use crate::app::App;
use crate::staff::Staff;

/// Settles doubts from the relay's own log.
pub async fn handle(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<SettleLetter>,
) -> Result<Answer<Settled>, Problem> {
    let letter = app.letter(call.letter).await?;
    if call.complete && letter.state == LetterState::Running {
        let what = "a log is not complete while the letter is being sent";
        return Err(Problem::new(LETTER_RUNNING, what));
    }
    let relayed = (call.relayed.as_slice(), call.complete);
    let settled = letters::settle(&app, &letter, relayed, &by).await?;
    let (accepted, planned) = (settled.accepted, settled.replanned);
    let status = letters::status(&app, call.letter).await?;
    Ok(Answer(Settled { accepted, planned, status }, encoding))
}
