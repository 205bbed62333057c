//! The endpoints, one file each.

mod count_cards;
mod freeze_caller;
mod read_card;
mod reveal_card;
mod store_cards;

use std::sync::Arc;

use axum::Router;
use cofferdam_core::Call;
use cofferdam_wire::{Problem, call_route};
use payments_api::{CardToken, CountCards, FreezeCaller, ReadCard, RevealCard, StoreCards};

use crate::app::App;
use crate::store::{CardRow, TokenHash};

/// Every path, for the test that walks them all.
pub const PATHS: [&str; 5] =
    [StoreCards::PATH, ReadCard::PATH, RevealCard::PATH, FreezeCaller::PATH, CountCards::PATH];

/// Every route of the compartment.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .merge(call_route::<StoreCards, _, _, _>(store_cards::store))
        .merge(call_route::<ReadCard, _, _, _>(read_card::read))
        .merge(call_route::<RevealCard, _, _, _>(reveal_card::reveal))
        .merge(call_route::<FreezeCaller, _, _, _>(freeze_caller::freeze))
        .merge(call_route::<CountCards, _, _, _>(count_cards::count))
        .with_state(app)
}

/// The card of a token. Tokens have 128 random bits, so that saying "not found" to a caller
/// without a grant tells it nothing that it could guess its way to.
async fn find(app: &App, token: &CardToken) -> Result<CardRow, Problem> {
    let card = app.store.find(&TokenHash::of(token)).await.map_err(|e| Problem::internal(&e))?;
    card.ok_or_else(|| Problem::not_found("no card has this token"))
}
