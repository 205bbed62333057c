//! `POST /v1/returned/decide`

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem, ProblemType};
use response_api::{DecideReturned, JournalAct, LetterStatus};

use crate::acts::letters;
use crate::app::App;
use crate::staff::Staff;
use crate::store::Decided;

/// Decides about a person from whose letter unknown mail came back, if staff saw all of it.
pub async fn handle(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<DecideReturned>,
) -> Result<Answer<LetterStatus>, Problem> {
    let DecideReturned { letter: id, person, seen, decision } = call;
    let letter = app.letter(id).await?;
    let word = decision.as_str();
    let detail = format!("letter {id}, person {person}, {seen} messages seen: {word}");
    let act = app.act(letter.incident, &by, JournalAct::DecideReturned, detail);
    match app.store.decide_returned((id, person), seen, decision, &act).await? {
        Decided::Stands => Ok(Answer(letters::status(&app, id).await?, encoding)),
        Decided::NothingCame => Err(Problem::not_found(format!(
            "nothing came back from person {person} of letter {id}"
        ))),
        Decided::NotSeen { messages } => Err(conflict(format!(
            "{messages} messages of person {person} of letter {id} came, and {seen} were seen: the \
             case stays open"
        ))),
        Decided::TooEarly => {
            Err(conflict(format!("the letter to person {person} is still being sent")))
        }
    }
}

fn conflict(what: String) -> Problem {
    Problem::new(ProblemType::CONFLICT, what)
}
