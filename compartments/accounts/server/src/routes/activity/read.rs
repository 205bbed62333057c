//! `POST /v1/activity/read`: the customers who had a session at some callers, and those who were
//! mailed a reset code.

use std::sync::Arc;

use accounts_api::{Activity, ReadActivity};
use axum::extract::State;
use cofferdam_store::StoreError;
use cofferdam_wire::{Answer, Body, Caller, Problem};
use roaring::RoaringBitmap;

use crate::app::App;
use crate::store::bitmap_bytes;

/// The most callers that one call names.
const MAX_CALLERS: usize = 1_000;

/// Reads the customers with sessions and mailed codes.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(call, encoding): Body<ReadActivity>,
) -> Result<Answer<Activity>, Problem> {
    app.check_controller(&caller)?;
    if call.callers.as_ref().is_some_and(|callers| callers.len() > MAX_CALLERS) {
        return Err(Problem::bad_request(format!("name at most {MAX_CALLERS} callers")));
    }
    Ok(Answer(read(&app, &call).await?, encoding))
}

async fn read(app: &App, call: &ReadActivity) -> Result<Activity, StoreError> {
    let ReadActivity { callers, from, to } = call;
    let [mut opened, mut held] = [RoaringBitmap::new(), RoaringBitmap::new()];
    let each: Vec<_> = match callers {
        Some(callers) => callers.iter().map(Some).collect(),
        None => vec![None],
    };
    for caller in each {
        let sessions = app.store.sessions_within(caller, *from, *to).await?;
        opened |= sessions.opened;
        held |= sessions.held;
    }
    let mailed = app.store.mailed(*from, *to).await?;
    Ok(Activity {
        opened: bitmap_bytes(&opened)?,
        held: bitmap_bytes(&held)?,
        mailed: bitmap_bytes(&mailed)?,
    })
}
