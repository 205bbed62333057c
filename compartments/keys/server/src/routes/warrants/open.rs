//! `POST /v1/warrants/open`: a warrant that two people signed.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::{Event, OpenWarrant, WarrantId};

use crate::app::App;
use crate::domain::warrants::NotOpened;
use crate::store;

/// Opens a warrant after checking both signatures here, so that the controller can't make one up.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(by): Caller,
    Body(call, encoding): Body<OpenWarrant>,
) -> Result<Answer<WarrantId>, Problem> {
    app.check_controller(&by, "opening a warrant").await?;
    app.catch_up().await?;
    let signed = call.warrant;
    let approvers = match signed.verify(&app.shared.access().policy.approvers) {
        Ok(approvers) => approvers,
        Err(e) => return Err(app.refuse_warrant(&by, e.to_string()).await),
    };
    let (warrant, now) = (&signed.order, app.now().await);
    if let Err(e) = app.shared.warrants().check_open(warrant, now) {
        return Err(app.refuse_warrant(&by, e.to_string()).await);
    }
    let event = Event::WarrantOpened {
        warrant: warrant.id,
        caller: warrant.caller.clone(),
        fields: warrant.fields,
        records: warrant.records,
        approvers,
    };
    app.write(now, vec![event]).await?;
    if !store::insert_warrant(&app.db, &signed).await? {
        // Another instance opened it since this one read the database.
        return Err(app.refuse_warrant(&by, NotOpened::Before.to_string()).await);
    }
    app.apply_change().await?;
    Ok(Answer(signed.order.id, encoding))
}
