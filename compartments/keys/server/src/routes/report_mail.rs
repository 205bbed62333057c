//! `POST /v1/decoys/mail`: mail came for a customer; if that is a decoy, somebody uses our list.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_core::{Domain, Field};
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::{AlarmKind, ReportMail};

use crate::app::{App, Parties};

/// Rings for a decoy. The look through the log is beside the request, so that nothing in the
/// answer tells a decoy from a customer.
pub async fn report(
    State(app): State<Arc<App>>,
    Caller(via): Caller,
    Body(call, encoding): Body<ReportMail>,
) -> Result<Answer<()>, Problem> {
    app.check_parties(&Parties { via: &via, caller: &via }, Domain::Accounts).await?;
    if app.decoys.is_decoy(Domain::Accounts, call.record) {
        tokio::spawn(ring(app, call));
    }
    Ok(Answer((), encoding))
}

async fn ring(app: Arc<App>, call: ReportMail) {
    let record = call.record;
    let look = app.clone();
    let opened = cofferdam_wire::blocking(move || look.log.readers(record, Field::Email)).await;
    let readers = match opened {
        Ok(Ok(readers)) => readers,
        Ok(Err(e)) => return tracing::error!(cause = %e, "the log could not be looked through"),
        Err(e) => return tracing::error!(cause = %e, "the log could not be looked through"),
    };
    let names: Vec<_> = readers.iter().map(ToString::to_string).collect();
    let by = match names.as_slice() {
        [] => "by nobody in the log: look at backups and at accounts itself".to_owned(),
        names => format!("by {}", names.join(", ")),
    };
    let detail = format!("mail came to decoy {record}, whose address was opened {by}");
    let only = readers.first().filter(|_| readers.len() == 1);
    app.alarms.ring(app.now().await, AlarmKind::DecoyMail, only, detail).await;
}
