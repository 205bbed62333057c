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
use cofferdam_core::Call;
use cofferdam_wire::{Caller, call_route};

use crate::app::{App, frozen};

macro_rules! routes {
    ($($call:ty => $handler:path,)*) => {
        /// The path of every route: each has a row in the table of the authorisation test.
        pub const PATHS: &[&str] = &[$(<$call>::PATH,)*];

        fn calls() -> Router<Arc<App>> {
            Router::new()$(.merge(call_route::<$call, _, _, _>($handler)))*
        }
    };
}

routes! {
    api::CreateCustomer => create_customer::handle,
    api::ReadCustomers => read_customers::handle,
    api::FindCustomer => find_customer::handle,
    api::EraseCustomer => erase_customer::handle,
    api::ListCoarse => list_coarse::handle,
    api::ImportCustomers => import_customers::handle,
    api::ReadImport => read_import::handle,
    api::OpenSession => open_session::handle,
    api::CheckSession => check_session::handle,
    api::CloseSession => close_session::handle,
    api::CheckPassword => check_password::handle,
    api::RequestReset => request_reset::handle,
    api::CompleteReset => complete_reset::handle,
    api::OrderVoid => order_void::handle,
    api::RevokeSessions => revoke_sessions::handle,
    api::FreezeCaller => freeze_caller::handle,
    api::ReportMail => report_mail::handle,
    api::ReadReseal => read_reseal::handle,
    api::ReadResetLoad => read_reset_load::handle,
    api::ReadContacts => read_contacts::handle,
    api::ReadPostal => read_postal::handle,
    api::ReadChanges => read_changes::handle,
    api::ReadSeen => read_seen::handle,
}

/// All routes. A frozen caller is refused before any of them.
pub fn router(app: Arc<App>) -> Router {
    calls().layer(middleware::from_fn_with_state(app.clone(), refuse_frozen)).with_state(app)
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
