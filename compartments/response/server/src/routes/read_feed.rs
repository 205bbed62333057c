//! `POST /v1/alarms/feed`

use std::sync::Arc;

use axum::extract::State;
use cofferdam_core::Timestamp;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{FeedAlarm, ReadFeed};

use crate::app::App;
use crate::staff::Staff;

/// Reads the alarms that were copied.
pub async fn read(
    State(app): State<Arc<App>>,
    _: Staff,
    Body(call, encoding): Body<ReadFeed>,
) -> Result<Answer<Vec<FeedAlarm>>, Problem> {
    let feed = app.store.feed(call.after, Timestamp::MIN).await;
    Ok(Answer(feed?, encoding))
}
