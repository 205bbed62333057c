//! The table of routes: a folder per noun, a file per call.

mod about;
mod access_logs;
mod alarms;
mod anchors;
mod bags;
mod budgets;
mod callers;
mod credentials;
mod customer_numbers;
mod epochs;
mod evidence;
mod exposures;
mod grounds;
mod holds;
mod incidents;
mod journals;
mod ledgers;
mod letters;
mod notices;
mod orders;
mod paper_post;
mod persons;
mod policies;
mod providers;
mod reports;
mod returned;
mod revoked_keys;
mod tables;
mod views;
mod void_orders;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::HeaderValue;
use axum::middleware::{self, Next};
use axum::response::Response;
use cofferdam_wire::{Problem, Routes, WARNING};
use keys_api::AlarmKind;
use response_api as api;
use serde::Serialize;
use serde_json::Value;

pub use about::ABOUT;
use views::Table;

use crate::app::App;

/// Every call of the compartment.
pub fn routes() -> Routes<Arc<App>> {
    table().finish().0
}

/// The router. An answer to an act leaves once the act is anchored.
pub fn router(app: Arc<App>) -> Router {
    let anchor = middleware::from_fn_with_state(app.clone(), anchor_acts);
    routes().into_router(app).layer(anchor)
}

/// Waits until what was journalled during the call is anchored. If `keys` does not anchor it in time,
/// the answer says so, and an alarm rings: the act is done, and the loop anchors it later.
async fn anchor_acts(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let journalled = app.store.journalled();
    let before = *journalled.borrow();
    let mut response = next.run(request).await;
    let commits = *journalled.borrow();
    if commits == before || app.anchoring.wait_for(commits).await {
        return response;
    }
    let not_anchored = HeaderValue::from_static(api::JOURNAL_NOT_ANCHORED);
    response.headers_mut().insert(WARNING, not_anchored);
    let detail = "an act was answered before its journal was anchored: keys does not anchor it";
    if let Err(e) = app.store.raise(AlarmKind::Journal.as_str(), detail, app.now()).await {
        tracing::error!(cause = %e, "the alarm about a journal can't be written");
    }
    response
}

/// The paths of the calls that show personal data.
pub fn views() -> Vec<&'static str> {
    table().finish().1
}

/// The table. A `view` shows personal data, and is journalled before it is handled.
fn table() -> Table {
    Table::new()
        .call::<api::BeginAccessLog, _, _>(access_logs::begin::handle)
        .call::<api::FinishAccessLog, _, _>(access_logs::finish::handle)
        .call::<api::ImportAccessLog, _, _>(access_logs::import::handle)
        .call::<api::ListAccessLogs, _, _>(access_logs::list::handle)
        .call::<api::RemoveAccessLog, _, _>(access_logs::remove::handle)
        .call::<api::ListAlarms, _, _>(alarms::list::handle)
        .call::<api::ListAnchors, _, _>(anchors::list::handle)
        .call::<api::SealBag, _, _>(bags::seal::handle)
        .call::<api::LowerBudget, _, _>(budgets::lower::handle)
        .call::<api::FreezeCaller, _, _>(callers::freeze::handle)
        .call::<api::ListCallers, _, _>(callers::list::handle)
        .call::<api::AddRevokedKey, _, _>(revoked_keys::add::handle)
        .call::<api::VoidCredentials, _, _>(credentials::void::handle)
        .view::<api::ResolveCustomerNumber, _, _>(customer_numbers::resolve::show)
        .call::<api::ListEpochs, _, _>(epochs::list::handle)
        .view::<api::DraftVoidOrder, _, _>(void_orders::draft::show)
        .view::<api::ListEvidence, _, _>(evidence::list::show)
        .view::<api::ReadExposure, _, _>(exposures::read::show)
        .view::<api::ReadGrounds, _, _>(grounds::read::show)
        .call::<api::ReadHolds, _, _>(holds::read::handle)
        .call::<api::AmendIncident, _, _>(incidents::amend::handle)
        .call::<api::CloseIncident, _, _>(incidents::close::handle)
        .call::<api::DeclareIncident, _, _>(incidents::declare::handle)
        .call::<api::ListIncidents, _, _>(incidents::list::handle)
        .call::<api::ScopeIncident, _, _>(incidents::scope::handle)
        .call::<api::ReadJournal, _, _>(journals::read::handle)
        .view::<api::ReadLedger, _, _>(ledgers::read::show)
        .call::<api::DraftLetter, _, _>(letters::draft::handle)
        .call::<api::ListLetters, _, _>(letters::list::handle)
        .call::<api::PauseLetter, _, _>(letters::pause::handle)
        .call::<api::PlanLetter, _, _>(letters::plan::handle)
        .call::<api::ReadLetter, _, _>(letters::read::handle)
        .call::<api::SettleLetter, _, _>(letters::settle::handle)
        .call::<api::StartLetter, _, _>(letters::start::handle)
        .call::<api::StopLetter, _, _>(letters::stop::handle)
        .call::<api::TestLetter, _, _>(letters::test::handle)
        .call::<api::PublishNotice, _, _>(notices::publish::handle)
        .call::<api::ApplyOrder, _, _>(orders::apply::handle)
        .call::<api::DraftPaperPost, _, _>(paper_post::draft::handle)
        .view::<api::ReadPaperPost, _, _>(paper_post::read::show)
        .view::<api::FindPerson, _, _>(persons::find::show)
        .view::<api::ReadPerson, _, _>(persons::read::show)
        .call::<api::ReadPolicy, _, _>(policies::read::handle)
        .call::<api::PauseProvider, _, _>(providers::pause::handle)
        .call::<api::ResumeProvider, _, _>(providers::resume::handle)
        .call::<api::MakeReport, _, _>(reports::make::handle)
        .call::<api::DecideReturned, _, _>(returned::decide::handle)
        .view::<api::ListReturned, _, _>(returned::list::show)
        .view::<api::ReadReturned, _, _>(returned::read::show)
        .call::<api::BeginTable, _, _>(tables::begin::handle)
        .call::<api::FinishTable, _, _>(tables::finish::handle)
        .call::<api::ImportTable, _, _>(tables::import::handle)
        .call::<api::ReadTable, _, _>(tables::read::handle)
}

/// A value in the form of another compartment's API, passed on as JSON.
fn json<T: Serialize>(value: &T) -> Result<Value, Problem> {
    serde_json::to_value(value).map_err(|e| Problem::internal(&e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_says_its_calls_name_and_every_example_is_read() {
        assert_eq!(routes().faults(&ABOUT), Vec::<String>::new());
    }
}
