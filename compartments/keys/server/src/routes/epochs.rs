//! `POST /v1/epochs/read` and `/change`: generations of a domain's master key.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_core::{CallerName, Domain, Epoch, Timestamp};
use cofferdam_wire::{Answer, Body, Caller, Problem, ProblemType};
use keys_api::{AlarmKind, ChangeEpoch, DomainEpochs, EpochChange, EpochOrder, Event, ReadEpochs};

use crate::app::App;
use crate::ceremony::master_name;
use crate::store;

/// The epochs of a domain.
pub async fn read(
    State(app): State<Arc<App>>,
    Caller(by): Caller,
    Body(call, encoding): Body<ReadEpochs>,
) -> Result<Answer<DomainEpochs>, Problem> {
    if !app.is_front(call.domain, &by) {
        app.check_controller(&by, "reading epochs").await?;
    }
    Ok(Answer(epochs(&app, call.domain)?, encoding))
}

fn epochs(app: &App, domain: Domain) -> Result<DomainEpochs, Problem> {
    let readable = app.ring().epochs(domain);
    let current = readable.last().copied();
    let current = current.ok_or_else(|| Problem::not_found(format!("{domain} has no key here")))?;
    Ok(DomainEpochs { current, readable, reseal_until: app.reseal_until(domain) })
}

/// Starts an epoch, or destroys an old one's master key.
pub async fn change(
    State(app): State<Arc<App>>,
    Caller(by): Caller,
    Body(call, encoding): Body<ChangeEpoch>,
) -> Result<Answer<DomainEpochs>, Problem> {
    app.check_controller(&by, "changing an epoch").await?;
    let signed = call.order;
    let glass = signed.order.break_glass.is_some();
    if glass && matches!(signed.order.change, EpochChange::Retire { .. }) {
        let why = "a master key is destroyed by two people or not at all".to_owned();
        return Err(app.refuse_order(&by, AlarmKind::RefusedOrder, why).await);
    }
    let approvers = app.check_approved(&by, &signed).await?;
    let now = app.now().await;
    let EpochOrder { domain, change, break_glass, .. } = signed.order;
    let before = epochs(&app, domain)?;
    check(&before, change)?;
    app.write(now, vec![event(domain, change, approvers, break_glass)]).await?;
    carry_out(&app, &by, domain, change).await?;
    app.after_change().await?;
    Ok(Answer(epochs(&app, domain)?, encoding))
}

fn event(
    domain: Domain,
    change: EpochChange,
    approvers: Vec<String>,
    break_glass: Option<String>,
) -> Event {
    match (<[String; 2]>::try_from(approvers), break_glass) {
        (Ok(approvers), None) => Event::EpochChanged { domain, change, approvers },
        (approvers, reason) => {
            let names = approvers.map_or_else(|names| names, Vec::from);
            let (approver, reason) = (names.join(" and "), reason.unwrap_or_default());
            Event::EpochForced { domain, change, approver, reason }
        }
    }
}

/// An order does what it says once.
fn check(before: &DomainEpochs, change: EpochChange) -> Result<(), Problem> {
    let conflict = |what: String| Err(Problem::new(ProblemType::CONFLICT, what));
    match change {
        EpochChange::Start { epoch, .. } if before.current.0.checked_add(1) != Some(epoch.0) => {
            conflict(format!("the current epoch is {}; the next is one more", before.current.0))
        }
        EpochChange::Retire { epoch } if epoch == before.current => {
            conflict(format!("epoch {} is the current one", epoch.0))
        }
        EpochChange::Retire { epoch } if !before.readable.contains(&epoch) => {
            conflict(format!("there is no epoch {}", epoch.0))
        }
        _ => Ok(()),
    }
}

async fn carry_out(
    app: &App,
    by: &CallerName,
    domain: Domain,
    change: EpochChange,
) -> Result<(), Problem> {
    let failed = |e: cofferdam_store::StoreError| Problem::internal(&e);
    match change {
        EpochChange::Start { epoch, reseal_until } => {
            start(app, domain, epoch, reseal_until).await?;
            tracing::warn!(%by, %domain, epoch = epoch.0, "a new epoch was started");
        }
        EpochChange::Retire { epoch } => {
            let name = master_name(domain, epoch);
            store::delete_secret(&app.db, &name).await.map_err(failed)?;
            tracing::warn!(%by, %domain, epoch = epoch.0, "an epoch's master key was destroyed");
        }
    }
    Ok(())
}

async fn start(
    app: &App,
    domain: Domain,
    epoch: Epoch,
    reseal_until: Timestamp,
) -> Result<(), Problem> {
    let name = master_name(domain, epoch);
    let sealed = app.new_master(&name);
    let started = store::start_epoch(&app.db, name, sealed, domain, reseal_until).await;
    if !started? {
        return Err(Problem::new(ProblemType::CONFLICT, "another instance came first"));
    }
    Ok(())
}
