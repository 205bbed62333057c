//! `POST /v1/grounds/read`

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{Grounds, Notice, ReadGrounds};

use crate::app::App;
use crate::pages::published_notice;
use crate::staff::Staff;
use crate::store::Finding;

/// Reads the keys that verify the evidence, and the published notice.
pub async fn handle(
    State(app): State<Arc<App>>,
    Staff(_): Staff,
    Body(call, encoding): Body<ReadGrounds>,
) -> Result<Answer<Grounds>, Problem> {
    app.incident(call.incident).await?;
    let published = app.store.finding::<Notice>(call.incident, Finding::Notice).await?;
    let notice = published.and_then(|_| published_notice(&app.config.notice_dir));
    let grounds = Grounds {
        organization: app.config.shop.name.clone(),
        log_keys: app.config.keys.iter().map(|instance| instance.log_key.clone()).collect(),
        witness_key: app.logs.witness.verifier(),
        bag_key: app.logs.sealer.verifier(),
        notice,
    };
    Ok(Answer(grounds, encoding))
}
