//! `POST /v1/exposures/read`

use std::sync::Arc;

use cofferdam_wire::Problem;
use response_api::{ReadExposure, RecordBitmap};

use crate::app::App;
use crate::store::bitmap_bytes;

/// Reads one bitmap of the exposure; an empty one if nobody is exposed.
pub async fn show(app: Arc<App>, call: ReadExposure) -> Result<RecordBitmap, Problem> {
    app.exposure(call.incident).await?;
    let mut bitmaps = app.store.bitmaps(call.incident, call.level).await?;
    let records = bitmaps.remove(&call.field).unwrap_or_default();
    Ok(RecordBitmap { roaring: bitmap_bytes(&records)? })
}
