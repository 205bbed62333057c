//! `POST /v1/epochs/change`: an epoch starts, or the master key of an old one is destroyed.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_core::{Domain, Epoch, Timestamp};
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::{ChangeEpoch, DomainEpochs, EPOCH_OUTDATED, EpochChange, EpochOrder};

use super::read::epochs_of;
use crate::app::App;
use crate::ceremony::master_name;
use crate::domain::epochs;
use crate::store;

/// Carries out an epoch order. The change is logged first.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(by): Caller,
    Body(call, encoding): Body<ChangeEpoch>,
) -> Result<Answer<DomainEpochs>, Problem> {
    app.check_controller(&by, "changing an epoch").await?;
    app.catch_up().await?;
    let signed = call.order;
    if !epochs::may_break_glass(&signed.order) {
        let why = "a master key is destroyed by two people or not at all".to_owned();
        return Err(app.refuse_order(&by, why).await);
    }
    if !epochs::is_short(&signed.order, app.now().await) {
        let why = "one person opens the time to re-seal for a day at most".to_owned();
        return Err(app.refuse_order(&by, why).await);
    }
    let approvers = app.check_approved(&by, &signed).await?;
    let EpochOrder { domain, change, break_glass, .. } = signed.order;
    epochs::check(&epochs_of(&app, domain)?, change)
        .map_err(|e| Problem::new(EPOCH_OUTDATED, e.to_string()))?;
    let event = epochs::event(domain, change, approvers, break_glass);
    app.write(app.now().await, vec![event]).await?;
    match change {
        EpochChange::Start { epoch, reseal_until } => {
            start(&app, domain, epoch, reseal_until).await?;
            tracing::warn!(%by, %domain, epoch = epoch.0, "a new epoch was started");
        }
        EpochChange::Retire { epoch } => {
            store::delete_secret(&app.db, &master_name(domain, epoch)).await?;
            tracing::warn!(%by, %domain, epoch = epoch.0, "an epoch's master key was destroyed");
        }
    }
    app.apply_change().await?;
    Ok(Answer(epochs_of(&app, domain)?, encoding))
}

async fn start(
    app: &App,
    domain: Domain,
    epoch: Epoch,
    reseal_until: Timestamp,
) -> Result<(), Problem> {
    let name = master_name(domain, epoch);
    let sealed = app.shared.new_master(&name, &*app.rng);
    if store::start_epoch(&app.db, name, sealed, domain, reseal_until).await? {
        return Ok(());
    }
    Err(Problem::new(EPOCH_OUTDATED, "another instance came first"))
}
