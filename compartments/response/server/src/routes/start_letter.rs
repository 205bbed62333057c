//! `POST /v1/letters/start`: sending begins, or goes on.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem, ProblemType};
use response_api::{Audience, LedgerState, LetterState, LetterStatus, StartLetter};

use crate::app::App;
use crate::jobs;
use crate::staff::Staff;
use crate::store::Letter;

/// Of a hundred letters to staff so many must be accepted before customers are written to.
const STAFF_FIRST: u64 = 99;

/// Starts or resumes a letter. Nothing here can name another version than the approved one.
pub async fn start(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<StartLetter>,
) -> Result<Answer<LetterStatus>, Problem> {
    let letter = super::read_letter::find(&app, call.letter).await?;
    let Some(version) = &letter.version else {
        return Err(conflict("two people must approve a version of the letter first"));
    };
    if letter.state == LetterState::Stopped {
        return Err(conflict("the letter was stopped; draft it, and have that version approved"));
    }
    let mut detail =
        format!("letter {} to {:?}, version {version}", letter.letter, letter.audience);
    if letter.audience == Audience::Customers
        && let Err(problem) = check_staff_first(&app, &letter).await
    {
        let reason = call.before_staff.filter(|reason| !reason.trim().is_empty());
        let reason = reason.ok_or(problem)?;
        detail.push_str("; before staff, because ");
        detail.push_str(&reason);
    }
    let gate = jobs::mailing::pass_gate(&app).await?;
    detail.push_str("; ");
    detail.push_str(&gate);
    app.journal(letter.incident, &by, "letters.start", &detail).await?;
    let running = app.store.set_running(letter.letter, version, app.now()).await;
    if !running? {
        return Err(conflict("the letter was stopped, or approved anew, at this moment"));
    }
    app.letters_stirred.notify_one();
    Ok(Answer(jobs::status(&app, letter.letter).await?, encoding))
}

/// Staff hear it before customers do.
async fn check_staff_first(app: &App, letter: &Letter) -> Result<(), Problem> {
    let letters = app.store.letters(letter.incident).await?;
    let staff = letters.into_iter().find(|other| other.audience == Audience::Staff);
    let first = "write to staff first: cofferdam incident letters --audience staff";
    let staff = staff.filter(|staff| staff.planned).ok_or_else(|| conflict(first))?;
    let counts = app.store.counts(staff.letter).await?;
    let accepted = counts.of(LedgerState::Accepted);
    if accepted * 100 >= counts.total() * STAFF_FIRST {
        return Ok(());
    }
    let total = counts.total();
    Err(conflict(&format!("{accepted} of {total} letters to staff are accepted; {first}")))
}

fn conflict(what: &str) -> Problem {
    Problem::new(ProblemType::CONFLICT, what)
}
