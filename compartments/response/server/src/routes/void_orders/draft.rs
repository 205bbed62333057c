//! `POST /v1/void-orders/draft`

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cofferdam_wire::Problem;
use response_api::{DraftVoidOrder, ExposedCustomers};

use crate::acts::contain::exposed_customers;
use crate::app::App;
use crate::store::bitmap_bytes;

/// Shows the customers that the order would name.
pub async fn show(app: Arc<App>, call: DraftVoidOrder) -> Result<ExposedCustomers, Problem> {
    let incident = app.incident(call.incident).await?;
    let records = exposed_customers(&app, &incident).await?;
    Ok(ExposedCustomers { roaring: STANDARD.encode(bitmap_bytes(&records)?) })
}
