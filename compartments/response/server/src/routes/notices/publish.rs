//! `POST /v1/notices/publish`

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{JournalAct, Notice, PublishNotice};
use response_letter::Claims;

use crate::acts::claims::current;
use crate::acts::exposed_people::exposed_people;
use crate::app::App;
use crate::pages::{publish_notice, render_notice};
use crate::staff::Staff;

/// Publishes the notice. It is served even with everything else down.
pub async fn handle(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<PublishNotice>,
) -> Result<Answer<Notice>, Problem> {
    let incident = app.open_incident(call.incident).await?;
    let exposure = app.exposure(call.incident).await?;
    let current = current(&app, &incident, &exposure).await?;
    let people = exposed_people(&app, call.incident).await?.unwrap_or_default();
    let claims = Claims::new(&incident, &exposure, &current);
    let page = render_notice(&app.config.shop, (&incident, &exposure, people), &claims, app.now())?;
    let notice = publish_notice(&app.config.notice_dir, &app.config.notice_url, &page)?;
    let detail = format!("SHA-256 {}", notice.sha256);
    let act = app.act(call.incident, &by, JournalAct::PublishNotice, detail);
    app.store.set_notice(&notice, &claims, &act).await?;
    Ok(Answer(notice, encoding))
}
