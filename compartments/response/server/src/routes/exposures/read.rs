//! `POST /v1/exposures/read`

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{JournalAct, ReadExposure, RecordBitmap};

use crate::app::App;
use crate::staff::Staff;
use crate::store::bitmap_bytes;

/// Reads one bitmap of the exposure; an empty one if nobody is exposed. Each read of records is
/// journalled.
pub async fn handle(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<ReadExposure>,
) -> Result<Answer<RecordBitmap>, Problem> {
    app.incident(call.incident).await?;
    app.exposure(call.incident).await?;
    let mut bitmaps = app.store.bitmaps(call.incident, call.level).await?;
    let records = bitmaps.remove(&call.field).unwrap_or_default();
    if !records.is_empty() {
        let detail = format!("who is exposed in {}, {}", call.field, call.level.as_str());
        app.store.journal(&app.act(call.incident, &by, JournalAct::ReadExposure, detail)).await?;
    }
    Ok(Answer(RecordBitmap { roaring: bitmap_bytes(&records)? }, encoding))
}
