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

use cofferdam_wire::Routes;
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

/// Every call of the compartment.
pub fn routes() -> Routes<Arc<App>> {
    Routes::new()
        .call::<DeclareIncident, _, _>(declare_incident::declare)
        .call::<ListIncidents, _, _>(list_incidents::list)
        .call::<ReadJournal, _, _>(read_journal::read)
        .call::<ReadFeed, _, _>(read_feed::read)
        .call::<ScopeIncident, _, _>(scope_incident::scope)
        .call::<ReadExposure, _, _>(read_exposure::read)
        .call::<ReadPerson, _, _>(read_person::read)
        .call::<FreezeCaller, _, _>(freeze_caller::freeze)
        .call::<VoidCredentials, _, _>(void_credentials::void)
        .call::<LowerBudget, _, _>(lower_budget::lower)
        .call::<ReadScoped, _, _>(read_scoped::read)
        .call::<ReadGrounds, _, _>(read_grounds::read)
        .call::<SealBag, _, _>(seal_bag::seal)
        .call::<PlanLetter, _, _>(plan_letter::plan)
        .call::<ApproveLetter, _, _>(approve_letter::approve)
        .call::<DraftLetter, _, _>(draft_letter::draft)
        .call::<DraftPost, _, _>(draft_post::draft)
        .call::<OpenPost, _, _>(open_post::open)
        .call::<ReadPost, _, _>(read_post::read)
        .call::<PauseLetter, _, _>(pause_letter::pause)
        .call::<ResumeProvider, _, _>(resume_provider::resume)
        .call::<StopLetter, _, _>(stop_letter::stop)
        .call::<SettleLetter, _, _>(settle_letter::settle)
        .call::<StartLetter, _, _>(start_letter::start)
        .call::<ReadLetter, _, _>(read_letter::read)
        .call::<ReadLedger, _, _>(read_ledger::read)
        .call::<PublishNotice, _, _>(publish_notice::publish)
        .call::<MakeReport, _, _>(make_report::make)
        .call::<ReadKeys, _, _>(read_keys::read)
        .call::<GiveOrder, _, _>(give_order::give)
        .call::<BeginAccessLog, _, _>(begin_access_log::begin)
        .call::<FindPerson, _, _>(find_person::find)
        .call::<FinishAccessLog, _, _>(finish_access_log::finish)
        .call::<FinishRoster, _, _>(finish_roster::finish)
        .call::<ImportAccesses, _, _>(import_accesses::import)
        .call::<ImportRoster, _, _>(import_roster::import)
        .call::<ListAccessLogs, _, _>(list_access_logs::list)
        .call::<RemoveAccessLog, _, _>(remove_access_log::remove)
}
