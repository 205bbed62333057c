//! The state of `keys` as staff see it through `response`: policy, epochs, and the budgets that
//! callers used.

use cofferdam_core::{Domain, Epoch};
use cofferdam_wire::Client;
use keys_api::{CallerStatus, DomainEpochs, Policy};
use response_api::{DomainState, ListCallers, ListEpochs, ReadPolicy};

use crate::StepError;
use crate::step::call;

/// Reads the policy in force.
pub async fn policy(response: &Client) -> Result<Policy, StepError> {
    serde_json::from_value(call(response, &ReadPolicy {}).await?).map_err(StepError::Answer)
}

/// Reads each caller with its budgets and their use.
pub async fn callers(response: &Client) -> Result<Vec<CallerStatus>, StepError> {
    serde_json::from_value(call(response, &ListCallers {}).await?).map_err(StepError::Answer)
}

/// Reads the epochs of each domain, and the progress of re-sealing.
pub async fn epochs(response: &Client) -> Result<Vec<DomainState>, StepError> {
    call(response, &ListEpochs {}).await
}

/// Reads the epoch under which a domain seals now.
pub async fn current_epoch(response: &Client, domain: Domain) -> Result<Epoch, StepError> {
    let states = epochs(response).await?;
    let state = states.into_iter().find(|state| state.domain == domain);
    let epochs = state.ok_or(StepError::NoMasterKey(domain))?.epochs;
    let epochs: DomainEpochs = serde_json::from_value(epochs).map_err(StepError::Answer)?;
    Ok(epochs.current)
}
