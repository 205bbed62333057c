//! `POST /v1/reports/make`

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{JournalAct, MakeReport, Report};

use crate::acts::claims::current_claims;
use crate::acts::exposed_people::exposed_people;
use crate::acts::letters::status;
use crate::app::App;
use crate::pages::render_report;
use crate::staff::Staff;
use crate::store::Finding;

/// Makes the report of an incident, and journals that.
pub async fn handle(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<MakeReport>,
) -> Result<Answer<Report>, Problem> {
    let id = call.incident;
    let incident = app.incident(id).await?;
    app.store.journal(&app.act(id, &by, JournalAct::MakeReport, "the report was made")).await?;
    let mut letters = Vec::new();
    for letter in app.store.letters_about(id).await? {
        letters.push(status(&app, letter.letter).await?);
    }
    let mut report = Report {
        exposure: app.store.finding(id, Finding::Exposure).await?,
        people: exposed_people(&app, id).await?,
        voided: app.store.finding(id, Finding::Voided).await?,
        notice: app.store.finding(id, Finding::Notice).await?,
        alarms: app.store.alarms(0, incident.from).await?,
        journal: app.store.read_journal(id).await?,
        letters,
        incident,
        html: String::new(),
    };
    let claims = current_claims(&app, &report.incident).await?;
    report.html = render_report(&report, &claims, app.now())?;
    Ok(Answer(report, encoding))
}
