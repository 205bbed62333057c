//! `POST /v1/notices/publish`

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{JournalAct, Notice, PublishNotice};

use crate::app::App;
use crate::pages::{publish_notice, render_notice};
use crate::staff::Staff;
use crate::store::Finding;

/// Publishes the notice. It is served even with everything else down.
pub async fn handle(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<PublishNotice>,
) -> Result<Answer<Notice>, Problem> {
    let incident = app.open_incident(call.incident).await?;
    let exposure = app.exposure(call.incident).await?;
    let done = app.done(&incident).await?;
    let page = render_notice(&app.config.shop, &incident, &exposure, done, app.now())?;
    let notice = publish_notice(&app.config.notice_dir, &app.config.notice_url, &page)?;
    let detail = format!("SHA-256 {}", notice.sha256);
    let act = app.act(call.incident, &by, JournalAct::PublishNotice, detail);
    app.store.set_finding(Finding::Notice, &notice, &act).await?;
    Ok(Answer(notice, encoding))
}
