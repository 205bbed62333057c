//! The table of routes. A path is `/v1/<noun>/<verb>`; its call is handled in the file
//! `<noun>/<verb>.rs`.

mod about;

mod callers {
    pub mod freeze;
}
mod cards {
    pub mod count;
    pub mod read;
    pub mod reveal;
    pub mod store;
}
mod checkpoints {
    pub mod list;
}
mod reseal {
    pub mod read;
}

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use cofferdam_wire::{Caller, Routes};
use payments_api as api;

pub use about::ABOUT;

use crate::app::App;

/// Every call of the compartment.
pub fn routes() -> Routes<Arc<App>> {
    Routes::new()
        .call::<api::StoreCards, _, _>(cards::store::handle)
        .call::<api::ReadCard, _, _>(cards::read::handle)
        .call::<api::RevealCard, _, _>(cards::reveal::handle)
        .call::<api::CountCards, _, _>(cards::count::handle)
        .call::<api::FreezeCaller, _, _>(callers::freeze::handle)
        .call::<api::ListCheckpoints, _, _>(checkpoints::list::handle)
        .call::<api::ReadReseal, _, _>(reseal::read::handle)
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
