//! `POST /v1/keys/order`: what two people signed, carried to `keys`.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use keys_api::{ChangeEpoch, ChangePolicy};
use response_api::{GiveOrder, OrderKind};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::app::App;
use crate::staff::Staff;

/// Carries an order. Whether two people signed it is for `keys` to say; its log names them.
pub async fn give(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<GiveOrder>,
) -> Result<Answer<()>, Problem> {
    match call.kind {
        OrderKind::Policy => {
            app.keys.call(&ChangePolicy { policy: parse(call.signed)? }).await?;
        }
        OrderKind::Epoch => {
            app.keys.call(&ChangeEpoch { order: parse(call.signed)? }).await?;
        }
    }
    tracing::warn!(by = %by.name, kind = ?call.kind, "an order of two people was carried to keys");
    Ok(Answer((), encoding))
}

fn parse<T: DeserializeOwned>(signed: Value) -> Result<T, Problem> {
    serde_json::from_value(signed)
        .map_err(|e| Problem::bad_request(format!("not a signed order of this kind: {e}")))
}
