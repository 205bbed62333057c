//! `POST /v1/credentials/void`

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{People, VoidCredentials, VoidWhose, Voided};

use crate::acts::contain::{Group, void_some};
use crate::app::App;
use crate::staff::Staff;

/// Voids the credentials of some customers.
pub async fn handle(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<VoidCredentials>,
) -> Result<Answer<Voided>, Problem> {
    let incident = app.open_incident(call.incident).await?;
    let group = match call.whose {
        VoidWhose::Exposed if incident.people == People::Table => {
            let what =
                "the exposed people are those of the brought table, who have no credentials here";
            return Err(Problem::bad_request(what));
        }
        VoidWhose::Exposed => {
            let exposure = app.exposure(call.incident).await?;
            Group { records: app.levels(&exposure).await?.affected(), name: "everybody exposed" }
        }
        VoidWhose::Only { records } => Group {
            records: records.iter().map(|record| record.0).collect(),
            name: "the customers named",
        },
    };
    let voided = void_some(&app, call.incident, group, call.set_before, &by);
    Ok(Answer(voided.await?, encoding))
}
