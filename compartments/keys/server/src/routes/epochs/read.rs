//! `POST /v1/epochs/read`: the generations of a domain's master key.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_core::Domain;
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::{DomainEpochs, ReadEpochs};

use crate::app::App;

/// Reads the epochs of a domain.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(by): Caller,
    Body(call, encoding): Body<ReadEpochs>,
) -> Result<Answer<DomainEpochs>, Problem> {
    if !app.roles.is_front(call.domain, &by) {
        app.check_controller(&by, "reading epochs").await?;
    }
    app.catch_up().await?;
    Ok(Answer(epochs_of(&app, call.domain)?, encoding))
}

/// The epochs of a domain as this instance knows them.
pub fn epochs_of(app: &App, domain: Domain) -> Result<DomainEpochs, Problem> {
    let readable = app.shared.ring().epochs(domain);
    let current = readable.last().copied();
    let current = current.ok_or_else(|| Problem::not_found(format!("{domain} has no key here")))?;
    Ok(DomainEpochs { current, readable, reseal_until: app.shared.reseal_until(domain) })
}
