//! `POST /v1/keys/read`: policy, callers and epochs, for staff.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_core::Domain;
use cofferdam_wire::{Answer, Body, Problem};
use keys_api::{ListCallers, ReadEpochs, ReadPolicy};
use response_api::{DomainState, KeysView, ReadKeys};
use serde::Serialize;
use serde_json::Value;

use crate::app::App;
use crate::staff::Staff;

/// Asks `keys`, and for epochs the compartments that move their records.
pub async fn read(
    State(app): State<Arc<App>>,
    _: Staff,
    Body(call, encoding): Body<ReadKeys>,
) -> Result<Answer<Value>, Problem> {
    let value = match call.view {
        KeysView::Policy => json(&app.keys.call(&ReadPolicy {}).await?)?,
        KeysView::Callers => json(&app.keys.call(&ListCallers {}).await?)?,
        KeysView::Epochs => json(&epochs(&app).await?)?,
    };
    Ok(Answer(value, encoding))
}

async fn epochs(app: &App) -> Result<Vec<DomainState>, Problem> {
    let mut states = Vec::new();
    for domain in Domain::ALL {
        // A domain that this instance of `keys` does not serve is left out.
        let Ok(epochs) = app.keys.call(&ReadEpochs { domain }).await else { continue };
        let reseal = match domain {
            Domain::Accounts => app.accounts.call(&accounts_api::ReadReseal {}).await.ok(),
            Domain::Payments => app.payments.call(&payments_api::ReadReseal {}).await.ok(),
            Domain::Response => None,
        };
        states.push(DomainState { domain, epochs: json(&epochs)?, reseal });
    }
    Ok(states)
}

fn json<T: Serialize>(value: &T) -> Result<Value, Problem> {
    serde_json::to_value(value).map_err(|e| Problem::internal(&e))
}
