//! `POST /v1/letters/ledger`

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{LedgerRow, ReadLedger};

use crate::app::App;
use crate::domain::identity::message_id;
use crate::staff::Staff;

const MAX_ROWS: u32 = 10_000;

/// Reads the ledger of a letter, by person.
pub async fn read(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<ReadLedger>,
) -> Result<Answer<Vec<LedgerRow>>, Problem> {
    let letter = super::read_letter::find(&app, call.letter).await?;
    if call.from == 0 {
        // Once, and not for every page.
        let detail = format!("the ledger of letter {}", call.letter);
        app.journal(letter.incident, &by, "ledger.read", &detail).await?;
    }
    let limit = call.limit.min(MAX_ROWS);
    let rows = app.store.ledger(call.letter, call.state, call.from, limit).await;
    let domain = &app.config.shop.message_id_domain;
    let rows = rows?.into_iter();
    let rows = rows.map(|row| LedgerRow {
        person: row.person,
        state: row.state,
        fields: row.fields,
        message_id: message_id(&letter.seed, letter.letter.0, row.person, domain),
        outcome: Some(row.outcome).filter(|text| !text.is_empty()),
        at: row.at,
    });
    Ok(Answer(rows.collect(), encoding))
}
