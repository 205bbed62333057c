//! `POST /v1/customer-numbers/resolve`

use std::sync::Arc;

use cofferdam_core::Record;
use cofferdam_wire::Problem;
use response_api::ResolveCustomerNumber;

use crate::acts::customer_numbers::record_of;
use crate::app::App;

/// Finds the record behind a customer number.
pub async fn show(app: Arc<App>, call: ResolveCustomerNumber) -> Result<Record, Problem> {
    let incident = app.incident(call.incident).await?;
    record_of(&app, &incident, call.number).await
}
