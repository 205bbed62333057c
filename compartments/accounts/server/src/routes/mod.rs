//! The endpoints, one file each.

mod check_password;
mod check_session;
mod close_session;
mod complete_reset;
mod create_customer;
mod erase_customer;
mod find_customer;
mod freeze_caller;
mod import_customers;
mod list_coarse;
mod open_session;
mod order_void;
mod read_changes;
mod read_contacts;
mod read_customers;
mod read_import;
mod read_postal;
mod read_reseal;
mod read_reset_load;
mod read_seen;
mod report_mail;
mod request_reset;
mod revoke_sessions;

use std::sync::Arc;

use accounts_api as api;
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use cofferdam_wire::{Caller, Routes};

use crate::app::{App, frozen};

/// Every call of the compartment.
pub fn routes() -> Routes<Arc<App>> {
    Routes::new()
        .call::<api::CreateCustomer, _, _>(create_customer::handle)
        .call::<api::ReadCustomers, _, _>(read_customers::handle)
        .call::<api::FindCustomer, _, _>(find_customer::handle)
        .call::<api::EraseCustomer, _, _>(erase_customer::handle)
        .call::<api::ListCoarse, _, _>(list_coarse::handle)
        .call::<api::ImportCustomers, _, _>(import_customers::handle)
        .call::<api::ReadImport, _, _>(read_import::handle)
        .call::<api::OpenSession, _, _>(open_session::handle)
        .call::<api::CheckSession, _, _>(check_session::handle)
        .call::<api::CloseSession, _, _>(close_session::handle)
        .call::<api::CheckPassword, _, _>(check_password::handle)
        .call::<api::RequestReset, _, _>(request_reset::handle)
        .call::<api::CompleteReset, _, _>(complete_reset::handle)
        .call::<api::OrderVoid, _, _>(order_void::handle)
        .call::<api::RevokeSessions, _, _>(revoke_sessions::handle)
        .call::<api::FreezeCaller, _, _>(freeze_caller::handle)
        .call::<api::ReportMail, _, _>(report_mail::handle)
        .call::<api::ReadReseal, _, _>(read_reseal::handle)
        .call::<api::ReadResetLoad, _, _>(read_reset_load::handle)
        .call::<api::ReadContacts, _, _>(read_contacts::handle)
        .call::<api::ReadPostal, _, _>(read_postal::handle)
        .call::<api::ReadChanges, _, _>(read_changes::handle)
        .call::<api::ReadSeen, _, _>(read_seen::handle)
}

/// All routes. A frozen caller is refused before any of them.
pub fn router(app: Arc<App>) -> Router {
    let refuse = middleware::from_fn_with_state(app.clone(), refuse_frozen);
    routes().into_router(app).layer(refuse)
}

async fn refuse_frozen(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    request: Request,
    next: Next,
) -> Response {
    if app.orders.read().await.frozen.contains(&caller) {
        tracing::warn!(%caller, "a frozen caller goes on asking");
        return frozen(&caller).into_response();
    }
    next.run(request).await
}
