//! `POST /v1/returned/list`

use std::sync::Arc;

use cofferdam_wire::Problem;
use response_api::{ListReturned, ReturnedMail};

use crate::app::App;

/// Lists the people from whose letters unknown mail came back.
pub async fn show(app: Arc<App>, call: ListReturned) -> Result<Vec<ReturnedMail>, Problem> {
    Ok(app.store.returned(call.letter, call.from, call.decided).await?)
}
