//! `POST /v1/incidents/declare`: the clocks start.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{DeclareIncident, HostKind, Incident, People};

use crate::app::App;
use crate::staff::Staff;

/// The longest title and account of how it was found, in characters.
const MAX_TEXT: usize = 500;

/// Declares an incident.
pub async fn declare(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<DeclareIncident>,
) -> Result<Answer<Incident>, Problem> {
    for (what, text) in [("title", &call.title), ("found", &call.found)] {
        if text.trim().is_empty() || text.chars().count() > MAX_TEXT {
            return Err(Problem::bad_request(format!("{what} has 1 to {MAX_TEXT} characters")));
        }
    }
    if call.fallen.is_empty() {
        return Err(Problem::bad_request("name at least one fallen caller"));
    }
    if call.to.is_some_and(|to| to < call.from) || call.from > app.now() {
        return Err(Problem::bad_request("the window must begin in the past and end after that"));
    }
    let in_table = |kind: HostKind| {
        matches!(kind, HostKind::App | HostKind::Accounts | HostKind::AccountsDatabase)
    };
    if call.people == People::Roster && !call.fallen.iter().all(|of| in_table(of.kind)) {
        return Err(Problem::bad_request(
            "of the shop's own estate, name what appears in its access logs, or \
             NAME=accounts_database for the tables themselves or a backup",
        ));
    }
    let incident = app.store.declare(&call, app.now(), &by).await;
    Ok(Answer(incident?, encoding))
}
