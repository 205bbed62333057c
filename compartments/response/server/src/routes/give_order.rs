//! `POST /v1/keys/order`: what two people signed, carried to `keys`.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::{ChangeEpoch, ChangePolicy};
use response_api::{GiveOrder, OrderKind};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::app::App;

/// Carries an order. Whether two people signed it is for `keys` to say; its log names them.
pub async fn give(
    State(app): State<Arc<App>>,
    Caller(by): Caller,
    Body(call, encoding): Body<GiveOrder>,
) -> Result<Answer<()>, Problem> {
    app.check_staff(&by)?;
    match call.kind {
        OrderKind::Policy => {
            app.keys.call(&ChangePolicy { policy: parse(call.signed)? }).await?;
        }
        OrderKind::Epoch => {
            app.keys.call(&ChangeEpoch { order: parse(call.signed)? }).await?;
        }
    }
    tracing::warn!(%by, kind = ?call.kind, "an order of two people was carried to keys");
    Ok(Answer((), encoding))
}

fn parse<T: DeserializeOwned>(signed: Value) -> Result<T, Problem> {
    serde_json::from_value(signed)
        .map_err(|e| Problem::bad_request(format!("not a signed order of this kind: {e}")))
}
