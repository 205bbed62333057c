//! `POST /v1/persons/read`

use std::sync::Arc;

use cofferdam_wire::Problem;
use response_api::{PersonExposure, ReadPerson};

use crate::acts::scope;
use crate::app::App;

/// Reads the exposure of one person: affected or not, by what, and when.
pub async fn show(app: Arc<App>, call: ReadPerson) -> Result<PersonExposure, Problem> {
    let incident = app.incident(call.incident).await?;
    scope::person(&app, &incident, call.record).await
}
