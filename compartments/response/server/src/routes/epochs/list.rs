//! `POST /v1/epochs/list`

use std::sync::Arc;

use axum::extract::State;
use cofferdam_core::Domain;
use cofferdam_wire::{Answer, Body, Problem};
use keys_api::ReadEpochs;
use response_api::{DomainState, ListEpochs};

use crate::app::App;
use crate::routes::json;
use crate::staff::Staff;

/// Lists the epochs of each domain, and the progress of re-sealing.
pub async fn handle(
    State(app): State<Arc<App>>,
    Staff(_): Staff,
    Body(_, encoding): Body<ListEpochs>,
) -> Result<Answer<Vec<DomainState>>, Problem> {
    let mut states = Vec::new();
    for domain in Domain::ALL {
        // A domain that this instance of `keys` does not serve is left out.
        let Ok(epochs) = app.compartments.keys.call(&ReadEpochs { domain }).await else {
            continue;
        };
        let reseal = match domain {
            Domain::Accounts => {
                app.compartments.accounts.call(&accounts_api::ReadReseal {}).await.ok()
            }
            Domain::Payments => {
                app.compartments.payments.call(&payments_api::ReadReseal {}).await.ok()
            }
            Domain::Response => None,
        };
        states.push(DomainState { domain, epochs: json(&epochs)?, reseal });
    }
    Ok(Answer(states, encoding))
}
