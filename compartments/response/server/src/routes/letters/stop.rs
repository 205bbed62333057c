//! `POST /v1/letters/stop`

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use keys_api::CloseWarrant;
use response_api::{
    ActStage, JournalAct, LETTER_NOT_RUNNING, LetterState, LetterStatus, StopLetter,
};

use crate::acts::letters;
use crate::app::App;
use crate::staff::Staff;

/// Stops a letter for good, and closes its warrant.
pub async fn handle(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<StopLetter>,
) -> Result<Answer<LetterStatus>, Problem> {
    let letter = app.letter(call.letter).await?;
    if letter.state == LetterState::Finished {
        let what = "the letter is finished: everybody was written to";
        return Err(Problem::new(LETTER_NOT_RUNNING, what));
    }
    let detail = format!("letter {}: {}", call.letter, call.reason);
    let act = app.act(letter.incident, &by, JournalAct::StopLetter, detail);
    let (worker, done) = (app.clone(), act.clone());
    let status = app.intended(act, async move {
        // The letter stops before its warrant is closed, because `keys` may be down.
        let done = worker.at_stage(&done, ActStage::Done);
        worker.store.stop(letter.letter, call.reason.as_str(), &done).await?;
        worker.letters.room.stir();
        if let Some(warrant) = letter.warrant {
            worker.compartments.keys.call(&CloseWarrant { warrant }).await?;
        }
        letters::status(&worker, letter.letter).await
    });
    Ok(Answer(status.await?, encoding))
}
