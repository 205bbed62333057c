//! The table of routes. A path is `/v1/<noun>/<verb>`; its call is handled in the file
//! `<noun>/<verb>.rs`.

mod about;

mod activity {
    pub mod read;
}
mod callers {
    pub mod freeze;
}
mod changes {
    pub mod read;
}
mod checkpoints {
    pub mod list;
}
mod contacts {
    pub mod read;
}
mod credentials {
    pub mod void;
}
mod customer_numbers {
    pub mod read;
    pub mod resolve;
}
mod customers {
    pub mod create;
    pub mod erase;
    pub mod find;
    pub mod import;
    pub mod list;
    pub mod read;
}
mod imports {
    pub mod read;
}
mod mail {
    pub mod report;
}
mod passkeys {
    pub mod add;
    pub mod answer;
    pub mod ask;
}
mod passwords {
    pub mod check;
}
mod postal_contacts {
    pub mod read;
}
mod reseal {
    pub mod read;
}
mod reset_load {
    pub mod read;
}
mod resets {
    pub mod complete;
    pub mod request;
}
mod sessions {
    pub mod check;
    pub mod close;
    pub mod open;
}

use std::sync::Arc;

use accounts_api as api;
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use cofferdam_wire::{Caller, Routes};

pub use about::ABOUT;

use crate::app::App;

/// Every call of the compartment.
pub fn routes() -> Routes<Arc<App>> {
    Routes::new()
        .call::<api::CreateCustomer, _, _>(customers::create::handle)
        .call::<api::ReadCustomers, _, _>(customers::read::handle)
        .call::<api::FindCustomer, _, _>(customers::find::handle)
        .call::<api::ListCustomers, _, _>(customers::list::handle)
        .call::<api::EraseCustomer, _, _>(customers::erase::handle)
        .call::<api::ReadCustomerNumbers, _, _>(customer_numbers::read::handle)
        .call::<api::ResolveCustomerNumbers, _, _>(customer_numbers::resolve::handle)
        .call::<api::ImportCustomers, _, _>(customers::import::handle)
        .call::<api::ReadImport, _, _>(imports::read::handle)
        .call::<api::OpenSession, _, _>(sessions::open::handle)
        .call::<api::CheckSession, _, _>(sessions::check::handle)
        .call::<api::CloseSession, _, _>(sessions::close::handle)
        .call::<api::CheckPassword, _, _>(passwords::check::handle)
        .call::<api::AddPasskey, _, _>(passkeys::add::handle)
        .call::<api::AskPasskey, _, _>(passkeys::ask::handle)
        .call::<api::AnswerPasskey, _, _>(passkeys::answer::handle)
        .call::<api::VoidCredentials, _, _>(credentials::void::handle)
        .call::<api::RequestReset, _, _>(resets::request::handle)
        .call::<api::CompleteReset, _, _>(resets::complete::handle)
        .call::<api::ReadResetLoad, _, _>(reset_load::read::handle)
        .call::<api::FreezeCaller, _, _>(callers::freeze::handle)
        .call::<api::ReadContacts, _, _>(contacts::read::handle)
        .call::<api::ReadPostalContacts, _, _>(postal_contacts::read::handle)
        .call::<api::ReadChanges, _, _>(changes::read::handle)
        .call::<api::ReadActivity, _, _>(activity::read::handle)
        .call::<api::ListCheckpoints, _, _>(checkpoints::list::handle)
        .call::<api::ReadReseal, _, _>(reseal::read::handle)
        .call::<api::ReportMail, _, _>(mail::report::handle)
}

/// The router. A frozen caller is refused before any route, and once more before it gets an answer:
/// an order may have come meanwhile, or the process may have stood still.
pub fn router(app: Arc<App>) -> Router {
    let refuse = middleware::from_fn_with_state(app.clone(), obey_orders);
    routes().into_router(app).layer(refuse)
}

async fn obey_orders(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    request: Request,
    next: Next,
) -> Response {
    if let Err(problem) = app.check_frozen(&caller) {
        tracing::warn!(%caller, code = problem.code(), "an order, or the lack of one, refuses a caller");
        return problem.into_response();
    }
    let answer = next.run(request).await;
    match app.check_frozen(&caller) {
        Ok(()) => answer,
        Err(problem) => problem.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_is_described() {
        assert_eq!(routes().faults(&ABOUT), [""; 0]);
    }
}
