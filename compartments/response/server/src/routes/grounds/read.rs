//! `POST /v1/grounds/read`

use std::sync::Arc;

use cofferdam_wire::Problem;
use response_api::{Grounds, Notice, ReadGrounds};

use crate::app::App;
use crate::pages::published_notice;
use crate::store::Finding;

/// Reads the keys that verify the evidence, and the published notice.
pub async fn show(app: Arc<App>, call: ReadGrounds) -> Result<Grounds, Problem> {
    let published = app.store.finding::<Notice>(call.incident, Finding::Notice).await?;
    let notice = published.and_then(|_| published_notice(&app.config.notice_dir));
    Ok(Grounds {
        organization: app.config.shop.name.clone(),
        log_keys: app.config.keys.iter().map(|instance| instance.log_key.clone()).collect(),
        witness_key: app.logs.witness.verifier(),
        bag_key: app.logs.sealer.verifier(),
        notice,
    })
}
