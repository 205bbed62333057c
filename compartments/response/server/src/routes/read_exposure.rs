//! `POST /v1/incidents/exposure`: who is exposed in one field at one level.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{ReadExposure, RecordBitmap};

use crate::app::App;
use crate::staff::Staff;
use crate::store::bytes_of;

/// Reads a bitmap of the exposure; an empty one where nobody is exposed.
pub async fn read(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<ReadExposure>,
) -> Result<Answer<RecordBitmap>, Problem> {
    app.incident(call.incident).await?;
    app.exposure(call.incident).await?;
    let bitmaps = app.store.bitmaps(call.incident, call.level).await;
    let records = bitmaps?.remove(&call.field).unwrap_or_default();
    if !records.is_empty() {
        let detail = format!("who is exposed in {}, {}", call.field, call.level.as_str());
        app.journal(call.incident, &by, "exposure.read", &detail).await?;
    }
    let roaring = bytes_of(&records)?;
    Ok(Answer(RecordBitmap { roaring }, encoding))
}
