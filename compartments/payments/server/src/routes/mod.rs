//! The endpoints, one file each.

mod count_cards;
mod freeze_caller;
mod read_card;
mod read_reseal;
mod reveal_card;
mod store_cards;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use cofferdam_core::Call;
use cofferdam_wire::{Caller, Problem, ProblemKind, call_route};
use payments_api as api;
use payments_api::CardToken;

use crate::app::App;
use crate::domain::token_hash;
use crate::store::SealedCard;

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
    api::StoreCards => store_cards::handle,
    api::ReadCard => read_card::handle,
    api::RevealCard => reveal_card::handle,
    api::FreezeCaller => freeze_caller::handle,
    api::CountCards => count_cards::handle,
    api::ReadReseal => read_reseal::handle,
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
    if app.is_frozen(&caller) {
        tracing::warn!(%caller, "a frozen caller goes on asking");
        let detail = format!("{caller} is frozen");
        return Problem::new(ProblemKind::Frozen, detail).into_response();
    }
    next.run(request).await
}

/// The card of a token. An unknown token is *not found* for everybody, whatever they are granted:
/// a caller without a grant could tell it from a known one, which `keys` refuses it, but to try
/// tokens out is to guess 128 random bits.
async fn card_of(app: &App, token: &CardToken) -> Result<SealedCard, Problem> {
    let found = app.store.find_card(&token_hash(token)).await;
    let card = found.map_err(|e| Problem::internal(&e))?;
    card.ok_or_else(|| Problem::not_found("no card has this token"))
}
