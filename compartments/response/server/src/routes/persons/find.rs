//! `POST /v1/persons/find`

use std::sync::Arc;

use cofferdam_core::Record;
use cofferdam_wire::Problem;
use response_api::FindPerson;

use crate::app::App;

/// Finds a person of the brought table by the shop's key.
pub async fn show(app: Arc<App>, call: FindPerson) -> Result<Option<Record>, Problem> {
    let found = app.store.people_by_key(&[&call.key]).await?;
    Ok(found.get(&call.key).map(|known| Record(known.record)))
}
