//! `POST /v1/returned/decide`

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem, ProblemType};
use response_api::{DecideReturned, JournalAct, LetterStatus, ReturnedDecision};
use response_mailing::CameBack;

use crate::acts::letters;
use crate::app::App;
use crate::staff::Staff;
use crate::store::not_reached;

/// Decides about a person from whose letter unknown mail came back. The row moves before the
/// decision stands: a crash between the two leaves the person on the list.
pub async fn handle(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<DecideReturned>,
) -> Result<Answer<LetterStatus>, Problem> {
    let DecideReturned { letter: id, person, decision } = call;
    let letter = app.letter(id).await?;
    if !app.store.has_returned(id, person).await? {
        let what = format!("nothing came back from person {person} of letter {id}");
        return Err(Problem::not_found(what));
    }
    if decision == ReturnedDecision::NotReached {
        let outcome = not_reached(person, app.now());
        if app.store.came_back(id, &outcome).await? == CameBack::TooEarly {
            let what = format!("the letter to person {person} is still being sent");
            return Err(Problem::new(ProblemType::CONFLICT, what));
        }
    }
    let detail = format!("letter {id}, person {person}: {}", decision.as_str());
    let act = app.act(letter.incident, &by, JournalAct::DecideReturned, detail);
    app.store.decide_returned((id, person), decision, &act).await?;
    Ok(Answer(letters::status(&app, id).await?, encoding))
}
