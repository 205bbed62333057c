//! `POST /v1/evidence/grounds`: the keys that evidence rests on, and the notice.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{Grounds, Notice, ReadGrounds};

use crate::app::App;
use crate::pages;
use crate::staff::Staff;
use crate::store::Kind;

/// Reads them.
pub async fn read(
    State(app): State<Arc<App>>,
    _: Staff,
    Body(call, encoding): Body<ReadGrounds>,
) -> Result<Answer<Grounds>, Problem> {
    app.incident(call.incident).await?;
    let published = app.store.finding::<Notice>(call.incident, Kind::Notice).await;
    let notice = match published? {
        Some(_) => pages::published(&app.config.notice_dir),
        None => None,
    };
    let grounds = Grounds {
        organization: app.config.shop.name.clone(),
        log_keys: app.config.keys.iter().map(|instance| instance.log_key.clone()).collect(),
        witness_key: app.witness.verifier(),
        bag_key: app.sealer.verifier(),
        notice,
    };
    Ok(Answer(grounds, encoding))
}
