//! `POST /v1/ledgers/read`

use std::sync::Arc;

use cofferdam_wire::Problem;
use response_api::{LedgerRow, ReadLedger};
use response_mailing::Row;

use crate::app::App;

/// The most rows of one answer.
const MAX_ROWS: u32 = 10_000;

/// Reads rows of a letter's ledger.
pub async fn show(app: Arc<App>, call: ReadLedger) -> Result<Vec<LedgerRow>, Problem> {
    let letter = app.letter(call.letter).await?;
    let limit = call.limit.min(MAX_ROWS);
    let rows = app.store.ledger_rows(call.letter, call.state, call.from, limit).await?;
    let domain = &app.config.shop.message_id_domain;
    let row = |row: Row| LedgerRow {
        person: row.person,
        state: row.state,
        fields: row.told.fields,
        while_signed_in: row.told.while_signed_in,
        message_id: letter.ids.of(row.person, domain),
        outcome: Some(row.detail).filter(|text| !text.is_empty()),
        at: row.at,
    };
    Ok(rows.into_iter().map(row).collect())
}
