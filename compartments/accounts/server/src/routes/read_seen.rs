//! `POST /v1/customers/seen`: who had a session at some hosts, and who was mailed a reset code.

use std::sync::Arc;

use accounts_api::{ReadSeen, Seen};
use axum::extract::State;
use cofferdam_store::StoreError;
use cofferdam_wire::{Answer, Body, Caller, Problem};
use roaring::RoaringBitmap;

use crate::app::App;
use crate::store::bitmap_bytes;

/// The most callers that one call names.
const MAX_CALLERS: usize = 1_000;

/// Reads who was seen.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(call, encoding): Body<ReadSeen>,
) -> Result<Answer<Seen>, Problem> {
    app.check_controller(&caller)?;
    if call.callers.as_ref().is_some_and(|callers| callers.len() > MAX_CALLERS) {
        return Err(Problem::bad_request(format!("name at most {MAX_CALLERS} callers")));
    }
    let seen = read(&app, &call).await?;
    Ok(Answer(seen, encoding))
}

async fn read(app: &App, call: &ReadSeen) -> Result<Seen, StoreError> {
    let ReadSeen { callers, from, to } = call;
    let [mut opened, mut held] = [RoaringBitmap::new(), RoaringBitmap::new()];
    let each: Vec<_> = match callers {
        Some(callers) => callers.iter().map(Some).collect(),
        None => vec![None],
    };
    for caller in each {
        let [more, longer] = app.store.sessions_seen(caller, *from, *to).await?;
        opened |= more;
        held |= longer;
    }
    let mailed = app.store.mailed(*from, *to).await?;
    Ok(Seen {
        opened: bitmap_bytes(&opened)?,
        held: bitmap_bytes(&held)?,
        mailed: bitmap_bytes(&mailed)?,
    })
}
