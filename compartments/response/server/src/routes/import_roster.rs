//! `POST /v1/roster/import`: a page of the shop's own table of customers.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem, ProblemType};
use response_api::{Audience, ImportRoster, IncidentId, LetterState, People, RosterPage};

use crate::app::App;
use crate::jobs;
use crate::staff::Staff;

/// Takes a page of the roster.
pub async fn import(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<ImportRoster>,
) -> Result<Answer<RosterPage>, Problem> {
    check_letters(&app).await?;
    let page = jobs::roster::import_people(&app, call.people).await?;
    let detail = format!("{} people added, {} changed", page.created, page.updated);
    app.journal(NO_INCIDENT, &by, "roster.import", &detail).await?;
    Ok(Answer(page, encoding))
}

/// The roster belongs to no incident: its entries are a chain of their own.
pub const NO_INCIDENT: IncidentId = IncidentId(0);

/// While a letter to people of the roster is approved and not over, nobody changes whom it goes to, or
/// what they are called: two people approved it for those who were there.
async fn check_letters(app: &App) -> Result<(), Problem> {
    for letter in app.store.all_letters().await? {
        let over = matches!(letter.state, LetterState::Finished | LetterState::Stopped);
        if letter.warrant.is_some()
            && !over
            && letter.audience == Audience::Customers
            && app.incident(letter.incident).await?.people == People::Roster
        {
            let detail = format!(
                "letter {} to people of the roster is approved: stop it, or wait for its end",
                letter.letter
            );
            return Err(Problem::new(ProblemType::CONFLICT, detail));
        }
    }
    Ok(())
}
