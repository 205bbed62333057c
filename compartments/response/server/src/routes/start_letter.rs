//! `POST /v1/letters/start`: sending begins, or goes on.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem, ProblemKind};
use keys_api::{OpenWarrant, Signed, Warrant};
use response_api::{Audience, LetterStatus, StartLetter};

use crate::app::App;
use crate::jobs;
use crate::staff::Staff;
use crate::store::Letter;

/// Starts or resumes a letter.
pub async fn start(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<StartLetter>,
) -> Result<Answer<LetterStatus>, Problem> {
    let mut letter = super::read_letter::find(&app, call.letter).await?;
    if !letter.planned {
        return Err(conflict("the letter's ledger is not whole; plan it again"));
    }
    if letter.audience == Audience::Customers {
        check_staff_first(&app, &letter).await?;
        open_warrant(&app, &mut letter, call.warrant).await?;
    }
    let detail = format!("letter {} to {:?}", letter.letter, letter.audience);
    app.journal(letter.incident, &by, "letters.start", &detail).await?;
    jobs::start(&app, letter.clone()).await?;
    Ok(Answer(jobs::status(&app, &letter).await?, encoding))
}

/// Staff hear it before customers do.
async fn check_staff_first(app: &App, letter: &Letter) -> Result<(), Problem> {
    let letters = app.store.letters(letter.incident).await.map_err(|e| Problem::internal(&e))?;
    let staff = letters.into_iter().find(|other| other.audience == Audience::Staff);
    let first = "write to staff first: cofferdam incident letters --audience staff";
    let staff = staff.filter(|staff| staff.planned).ok_or_else(|| conflict(first))?;
    let counts = app.store.counts(staff.letter).await.map_err(|e| Problem::internal(&e))?;
    if counts.unsettled() { Err(conflict(first)) } else { Ok(()) }
}

/// Hands the signed warrant to `keys`, which checks both signatures itself.
async fn open_warrant(
    app: &App,
    letter: &mut Letter,
    signed: Option<serde_json::Value>,
) -> Result<(), Problem> {
    match signed {
        Some(signed) => {
            let warrant: Signed<Warrant> = serde_json::from_value(signed)
                .map_err(|e| Problem::bad_request(format!("not a signed warrant: {e}")))?;
            let id = app.keys.call(&OpenWarrant { warrant }).await?;
            app.store.set_warrant(letter.letter, id).await.map_err(|e| Problem::internal(&e))?;
            letter.warrant = Some(id);
            Ok(())
        }
        None if letter.warrant.is_some() => Ok(()),
        None => Err(conflict("a letter to customers takes a warrant that two people signed")),
    }
}

fn conflict(what: &str) -> Problem {
    Problem::new(ProblemKind::Conflict, what)
}
