//! `POST /v1/notice/publish`: the letter to everybody, as a static page.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{Notice, PublishNotice};

use crate::app::App;
use crate::pages;
use crate::staff::Staff;
use crate::store::Kind;

/// Writes the notice; from then on it is served whatever else stands still.
pub async fn publish(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<PublishNotice>,
) -> Result<Answer<Notice>, Problem> {
    let incident = app.incident(call.incident).await?;
    let exposure = app.exposure(call.incident).await?;
    let done = app.done(&incident).await?;
    let page = pages::notice(&app.config.shop, &incident, &exposure, done, app.now())?;
    let notice = pages::publish(&app.config.notice_dir, &app.config.notice_url, &page)?;
    let kept = app.store.set_finding(call.incident, Kind::Notice, &notice).await;
    kept?;
    let detail = format!("SHA-256 {}", notice.sha256);
    app.journal(call.incident, &by, "notice.publish", &detail).await?;
    Ok(Answer(notice, encoding))
}
