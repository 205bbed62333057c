//! `POST /v1/reports/make`: all that is known of an incident, as JSON and as a page.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{MakeReport, Report};

use crate::app::App;
use crate::staff::Staff;
use crate::store::Kind;
use crate::{jobs, pages};

/// Makes the report.
pub async fn make(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<MakeReport>,
) -> Result<Answer<Report>, Problem> {
    let id = call.incident;
    let incident = app.incident(id).await?;
    app.journal(id, &by, "report", "the report was made").await?;
    let mut letters = Vec::new();
    for letter in app.store.letters(id).await? {
        letters.push(jobs::status(&app, letter.letter).await?);
    }
    let mut report = Report {
        exposure: app.store.finding(id, Kind::Exposure).await?,
        voided: app.store.finding(id, Kind::Voided).await?,
        notice: app.store.finding(id, Kind::Notice).await?,
        alarms: app.store.feed(0, incident.from).await?,
        journal: app.store.read_journal(id).await?,
        letters,
        incident,
        html: String::new(),
    };
    report.html = pages::report(&report, app.now())?;
    Ok(Answer(report, encoding))
}
