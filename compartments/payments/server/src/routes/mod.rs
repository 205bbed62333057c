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
use cofferdam_wire::{Caller, Problem, ProblemType, Routes};
use payments_api as api;
use payments_api::CardToken;

use crate::app::App;
use crate::domain::token_hash;
use crate::store::SealedCard;

/// Every call of the compartment.
pub fn routes() -> Routes<Arc<App>> {
    Routes::new()
        .call::<api::StoreCards, _, _>(store_cards::handle)
        .call::<api::ReadCard, _, _>(read_card::handle)
        .call::<api::RevealCard, _, _>(reveal_card::handle)
        .call::<api::FreezeCaller, _, _>(freeze_caller::handle)
        .call::<api::CountCards, _, _>(count_cards::handle)
        .call::<api::ReadReseal, _, _>(read_reseal::handle)
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
    if app.is_frozen(&caller) {
        tracing::warn!(%caller, "a frozen caller goes on asking");
        let detail = format!("{caller} is frozen");
        return Problem::new(ProblemType::FROZEN, detail).into_response();
    }
    next.run(request).await
}

/// The card of a token. An unknown token is *not found* for everybody, whatever they are granted:
/// a caller without a grant could tell it from a known one, which `keys` refuses it, but to try
/// tokens out is to guess 128 random bits.
async fn card_of(app: &App, token: &CardToken) -> Result<SealedCard, Problem> {
    let found = app.store.find_card(&token_hash(token)).await;
    let card = found?;
    card.ok_or_else(|| Problem::not_found("no card has this token"))
}
