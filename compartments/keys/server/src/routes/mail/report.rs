//! `POST /v1/mail/report`: mail came for a customer. If the customer is a decoy, somebody uses our
//! list.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_core::{CallerName, Domain, Field, Record};
use cofferdam_wire::{Answer, Body, Caller, Problem, blocking};
use keys_api::{AlarmKind, ReportMail};

use crate::app::{App, Parties};

/// Raises an alarm for a decoy. The log is read after the answer, so that nothing in the answer
/// tells a decoy from a customer.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(via): Caller,
    Body(call, encoding): Body<ReportMail>,
) -> Result<Answer<()>, Problem> {
    let who = Parties { via: &via, caller: &call.caller };
    app.check_parties(&who, Domain::Accounts).await?;
    app.check_reports_mail(&who).await?;
    if app.decoys.is_decoy(Domain::Accounts, call.record) {
        tokio::spawn(raise(app, call.caller, call.record));
    }
    Ok(Answer((), encoding))
}

/// The alarm names the caller that reported the mail, because a thief with its certificate can report
/// mail that never came. The callers that opened the address stand in the detail.
async fn raise(app: Arc<App>, reporter: CallerName, decoy: Record) {
    let reader = app.clone();
    let readers = match blocking(move || reader.log.readers(decoy, Field::Email)).await {
        Ok(Ok(readers)) => readers,
        Ok(Err(e)) => return tracing::error!(cause = %e, "the log could not be read"),
        Err(e) => return tracing::error!(cause = %e, "the log could not be read"),
    };
    let opened = by(&readers);
    let detail =
        format!("{reporter} reports mail to decoy {decoy}, whose address was opened {opened}");
    app.alarms.ring(app.now().await, AlarmKind::DecoyMail, Some(&reporter), detail).await;
}

fn by(readers: &[CallerName]) -> String {
    if readers.is_empty() {
        return "by nobody in the log: look at backups and at accounts itself".to_owned();
    }
    let names: Vec<_> = readers.iter().map(CallerName::as_str).collect();
    format!("by {}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::by;

    #[test]
    fn an_alarm_names_every_reader() {
        let shown = |names: &[&str]| {
            let names = names.iter().map(|name| name.parse().unwrap());
            by(&names.collect::<Vec<_>>())
        };
        assert_eq!(shown(&["web-1"]), "by web-1");
        assert_eq!(shown(&["web-1", "web-2"]), "by web-1, web-2");
        assert!(shown(&[]).contains("backups"));
    }
}
