//! The endpoints, one file each.

mod approve_letter;
mod begin_access_log;
mod declare_incident;
mod draft_letter;
mod draft_post;
mod find_person;
mod finish_access_log;
mod finish_roster;
mod freeze_caller;
mod give_order;
mod import_accesses;
mod import_roster;
mod list_access_logs;
mod list_incidents;
mod lower_budget;
mod make_report;
mod open_post;
mod pause_letter;
mod plan_letter;
mod publish_notice;
mod read_exposure;
mod read_feed;
mod read_grounds;
mod read_journal;
mod read_keys;
mod read_ledger;
mod read_letter;
mod read_person;
mod read_post;
mod read_scoped;
mod remove_access_log;
mod resume_provider;
mod scope_incident;
mod seal_bag;
mod settle_letter;
mod start_letter;
mod stop_letter;
mod void_credentials;

use std::sync::Arc;

use axum::Router;
use cofferdam_core::Call;
use cofferdam_wire::call_route;
use response_api::{
    ApproveLetter, BeginAccessLog, DeclareIncident, DraftLetter, DraftPost, FindPerson,
    FinishAccessLog, FinishRoster, FreezeCaller, GiveOrder, ImportAccesses, ImportRoster,
    ListAccessLogs, ListIncidents, LowerBudget, MakeReport, OpenPost, PauseLetter, PlanLetter,
    PublishNotice, ReadExposure, ReadFeed, ReadGrounds, ReadJournal, ReadKeys, ReadLedger,
    ReadLetter, ReadPerson, ReadPost, ReadScoped, RemoveAccessLog, ResumeProvider, ScopeIncident,
    SealBag, SettleLetter, StartLetter, StopLetter, VoidCredentials,
};

pub use read_letter::no_letter;

use crate::app::App;

/// Every path, for the test that walks them all.
pub const PATHS: [&str; 38] = [
    DeclareIncident::PATH,
    ListIncidents::PATH,
    ReadJournal::PATH,
    ReadFeed::PATH,
    ScopeIncident::PATH,
    ReadExposure::PATH,
    ReadPerson::PATH,
    FreezeCaller::PATH,
    VoidCredentials::PATH,
    LowerBudget::PATH,
    ReadScoped::PATH,
    ReadGrounds::PATH,
    SealBag::PATH,
    PlanLetter::PATH,
    StartLetter::PATH,
    SettleLetter::PATH,
    StopLetter::PATH,
    ResumeProvider::PATH,
    PauseLetter::PATH,
    DraftLetter::PATH,
    DraftPost::PATH,
    OpenPost::PATH,
    ReadPost::PATH,
    ApproveLetter::PATH,
    ReadLetter::PATH,
    ReadLedger::PATH,
    PublishNotice::PATH,
    MakeReport::PATH,
    ReadKeys::PATH,
    GiveOrder::PATH,
    BeginAccessLog::PATH,
    FindPerson::PATH,
    FinishAccessLog::PATH,
    FinishRoster::PATH,
    ImportAccesses::PATH,
    ImportRoster::PATH,
    ListAccessLogs::PATH,
    RemoveAccessLog::PATH,
];

/// Every route of the compartment.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .merge(call_route::<DeclareIncident, _, _, _>(declare_incident::declare))
        .merge(call_route::<ListIncidents, _, _, _>(list_incidents::list))
        .merge(call_route::<ReadJournal, _, _, _>(read_journal::read))
        .merge(call_route::<ReadFeed, _, _, _>(read_feed::read))
        .merge(call_route::<ScopeIncident, _, _, _>(scope_incident::scope))
        .merge(call_route::<ReadExposure, _, _, _>(read_exposure::read))
        .merge(call_route::<ReadPerson, _, _, _>(read_person::read))
        .merge(call_route::<FreezeCaller, _, _, _>(freeze_caller::freeze))
        .merge(call_route::<VoidCredentials, _, _, _>(void_credentials::void))
        .merge(call_route::<LowerBudget, _, _, _>(lower_budget::lower))
        .merge(call_route::<ReadScoped, _, _, _>(read_scoped::read))
        .merge(call_route::<ReadGrounds, _, _, _>(read_grounds::read))
        .merge(call_route::<SealBag, _, _, _>(seal_bag::seal))
        .merge(call_route::<PlanLetter, _, _, _>(plan_letter::plan))
        .merge(call_route::<ApproveLetter, _, _, _>(approve_letter::approve))
        .merge(call_route::<DraftLetter, _, _, _>(draft_letter::draft))
        .merge(call_route::<DraftPost, _, _, _>(draft_post::draft))
        .merge(call_route::<OpenPost, _, _, _>(open_post::open))
        .merge(call_route::<ReadPost, _, _, _>(read_post::read))
        .merge(call_route::<PauseLetter, _, _, _>(pause_letter::pause))
        .merge(call_route::<ResumeProvider, _, _, _>(resume_provider::resume))
        .merge(call_route::<StopLetter, _, _, _>(stop_letter::stop))
        .merge(call_route::<SettleLetter, _, _, _>(settle_letter::settle))
        .merge(call_route::<StartLetter, _, _, _>(start_letter::start))
        .merge(call_route::<ReadLetter, _, _, _>(read_letter::read))
        .merge(call_route::<ReadLedger, _, _, _>(read_ledger::read))
        .merge(call_route::<PublishNotice, _, _, _>(publish_notice::publish))
        .merge(call_route::<MakeReport, _, _, _>(make_report::make))
        .merge(call_route::<ReadKeys, _, _, _>(read_keys::read))
        .merge(call_route::<GiveOrder, _, _, _>(give_order::give))
        .merge(call_route::<BeginAccessLog, _, _, _>(begin_access_log::begin))
        .merge(call_route::<FindPerson, _, _, _>(find_person::find))
        .merge(call_route::<FinishAccessLog, _, _, _>(finish_access_log::finish))
        .merge(call_route::<FinishRoster, _, _, _>(finish_roster::finish))
        .merge(call_route::<ImportAccesses, _, _, _>(import_accesses::import))
        .merge(call_route::<ImportRoster, _, _, _>(import_roster::import))
        .merge(call_route::<ListAccessLogs, _, _, _>(list_access_logs::list))
        .merge(call_route::<RemoveAccessLog, _, _, _>(remove_access_log::remove))
        .with_state(app)
}
