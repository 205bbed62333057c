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
use cofferdam_wire::{Caller, Problem, ProblemType, Routes};
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

/// The router. A frozen caller is refused before any route.
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
    if app.frozen.read().await.contains(&caller) {
        tracing::warn!(%caller, "a frozen caller goes on asking");
        return Problem::new(ProblemType::FROZEN, format!("{caller} is frozen")).into_response();
    }
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_is_described() {
        assert_eq!(routes().faults(&ABOUT), [""; 0]);
    }
}
