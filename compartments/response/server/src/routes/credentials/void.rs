//! `POST /v1/credentials/void`

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{VoidCredentials, VoidWhose, Voided};

use crate::acts::contain::{Group, exposed_customers, void_some};
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
        VoidWhose::Exposed => {
            let records = exposed_customers(&app, &incident).await?;
            Group { records, name: "everybody exposed" }
        }
        VoidWhose::Only { records } => Group {
            records: records.iter().map(|record| record.0).collect(),
            name: "the customers named",
        },
    };
    let voided = void_some(&app, call.incident, group, call.set_before, &by);
    Ok(Answer(voided.await?, encoding))
}
