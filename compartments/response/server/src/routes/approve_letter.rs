//! `POST /v1/letters/approve`: two people signed a version.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_core::WarrantSubject;
use cofferdam_wire::{Answer, Body, Problem, ProblemType};
use keys_api::{OpenWarrant, Signed, Warrant};
use response_api::{ApproveLetter, LetterState, LetterStatus, WarrantTerms};

use crate::app::App;
use crate::jobs;
use crate::staff::Staff;
use crate::store::Letter;

/// Hands the signed warrant to `keys`, which checks both signatures itself, and takes the version
/// that it names for approved.
pub async fn approve(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<ApproveLetter>,
) -> Result<Answer<LetterStatus>, Problem> {
    let letter = super::read_letter::find(&app, call.letter).await?;
    if letter.state == LetterState::Running {
        return Err(conflict("the letter is being sent; pause it first"));
    }
    let signed: Signed<Warrant> = serde_json::from_value(call.warrant)
        .map_err(|e| Problem::bad_request(format!("not a signed warrant: {e}")))?;
    let version = version_of(&app, &letter, &signed.order).await?;
    let people: Vec<_> = signed.signatures.iter().map(|of| of.approver.clone()).collect();
    let warrant = app.keys.call(&OpenWarrant { warrant: signed }).await?;
    let approved = app.store.set_approved(letter.letter, &version, warrant).await;
    approved?;
    let detail =
        format!("letter {}, version {version}, by {}", letter.letter, people.join(" and "));
    app.journal(letter.incident, &by, "letters.approve", &detail).await?;
    Ok(Answer(jobs::status(&app, letter.letter).await?, encoding))
}

/// The version that a warrant is for. Its terms are exactly those of the draft.
async fn version_of(app: &App, letter: &Letter, warrant: &Warrant) -> Result<String, Problem> {
    let WarrantSubject::Letter { version, .. } = warrant.subject else {
        return Err(conflict("the warrant is for no letter"));
    };
    let kept = app.store.version(letter.letter, &version.to_string()).await?;
    if kept.is_none() {
        return Err(conflict("the warrant is for a version that this letter does not have"));
    }
    let people = app.incident(letter.incident).await?.people;
    let counts = app.store.counts(letter.letter).await?;
    let terms = jobs::terms(app, letter, people, version, counts.total());
    if same_terms(warrant, &terms) {
        Ok(version.to_string())
    } else {
        Err(conflict("the warrant's terms are not those of the draft"))
    }
}

/// Whether a warrant is exactly for what was drafted.
pub fn same_terms(warrant: &Warrant, terms: &WarrantTerms) -> bool {
    warrant.incident == terms.incident
        && warrant.subject == terms.subject
        && warrant.caller == terms.caller
        && warrant.domain == terms.domain
        && warrant.fields == terms.fields
        && warrant.records == terms.records
}

pub fn conflict(what: &str) -> Problem {
    Problem::new(ProblemType::CONFLICT, what)
}
