//! `POST /v1/letters/settle`: doubts are settled from the relay's own log.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem, ProblemType};
use response_api::{LetterState, SettleLetter, Settled};

use crate::app::App;
use crate::jobs;
use crate::staff::Staff;

/// Settles what is in doubt.
pub async fn settle(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<SettleLetter>,
) -> Result<Answer<Settled>, Problem> {
    let letter = super::read_letter::find(&app, call.letter).await?;
    if call.complete && letter.state == LetterState::Running {
        let what = "pause the letter first: a log is not complete while letters are sent";
        return Err(Problem::new(ProblemType::CONFLICT, what));
    }
    let (accepted, planned) = jobs::settle(&app, &letter, &call.relayed, call.complete).await?;
    let detail = format!(
        "letter {}: {accepted} doubts accepted by the relay's log, {planned} planned again",
        letter.letter
    );
    app.journal(letter.incident, &by, "letters.settle", &detail).await?;
    if letter.state == LetterState::Finished {
        let closed = jobs::mailing::close_warrant(&app, &letter).await;
        closed?;
    }
    let status = jobs::status(&app, letter.letter).await?;
    Ok(Answer(Settled { accepted, planned, status }, encoding))
}
