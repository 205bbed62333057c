//! Reading ledger rows.

use cofferdam_store::StoreError;
use response_api::{LedgerState, LetterId};
use response_mailing::{Counts, Row};
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::super::Store;
use super::super::rows::{instant, number, sql, told};
use super::{shown_state, state};

/// The states of people whom no e-mail reached: bounced, suppressed and expired.
const UNREACHED: &str = "5, 7, 8";
/// A condition for people from whose letters something came that nobody has decided about.
const PERHAPS: &str = "person IN
     (SELECT person FROM returned_mail WHERE letter = $1 AND decision = '')";

impl Store {
    /// Reads rows from person `from` on, ascending, and only those in `state` if it is given. A
    /// claimed row counts as its earlier state, planned or deferred.
    pub async fn ledger_rows(
        &self,
        letter: LetterId,
        wanted: Option<LedgerState>,
        from: u32,
        limit: u32,
    ) -> Result<Vec<Row>, StoreError> {
        let rows = sqlx::query(
            "SELECT l.person, l.state, l.fields, l.while_signed_in, l.locale, l.outcome, l.at_ms,
                    COALESCE(b.holder, '') AS holder
             FROM ledger l LEFT JOIN ledger_batch b ON b.letter = l.letter AND b.batch = l.batch
             WHERE l.letter = $1 AND l.person >= $2 AND ($4 < 0 OR l.state = $4)
             ORDER BY l.person LIMIT $3",
        )
        .bind(i64::from(letter.0))
        .bind(i64::from(from))
        .bind(i64::from(limit))
        .bind(wanted.map_or(-1, |state| i64::from(state.code())))
        .fetch_all(self.db.reader())
        .await?;
        rows.iter().map(ledger_row).collect()
    }

    /// Reads rows that no e-mail reached, or perhaps none, from person `from` on, ascending.
    pub async fn undelivered(
        &self,
        letter: LetterId,
        from: u32,
        limit: u32,
    ) -> Result<Vec<Row>, StoreError> {
        let rows = sqlx::query(sql(format!(
            "SELECT person, state, fields, while_signed_in, locale, outcome, at_ms, '' AS holder
             FROM ledger
             WHERE letter = $1 AND person >= $2 AND (state IN ({UNREACHED}) OR {PERHAPS})
             ORDER BY person LIMIT $3"
        )))
        .bind(i64::from(letter.0))
        .bind(i64::from(from))
        .bind(i64::from(limit))
        .fetch_all(self.db.reader())
        .await?;
        rows.iter().map(ledger_row).collect()
    }

    /// Counts the rows that no e-mail reached, or perhaps none.
    pub async fn count_undelivered(&self, letter: LetterId) -> Result<u32, StoreError> {
        let counts = self.counts(letter).await?;
        let states = [LedgerState::Bounced, LedgerState::Suppressed, LedgerState::Expired];
        let certain: u64 = states.into_iter().map(|state| counts.of(state)).sum();
        let row = sqlx::query(sql(format!(
            "SELECT COUNT(*) AS people FROM ledger
             WHERE letter = $1 AND state NOT IN ({UNREACHED}) AND {PERHAPS}"
        )))
        .bind(i64::from(letter.0))
        .fetch_one(self.db.reader())
        .await?;
        let all = certain + number::<i64>(&row, "people")?.unsigned_abs();
        Ok(u32::try_from(all).unwrap_or(u32::MAX))
    }

    /// Counts the rows in each state, row by row. [`Store::counts`] must always give the same.
    pub async fn recount(&self, letter: LetterId) -> Result<Counts, StoreError> {
        let rows = sqlx::query(
            "SELECT l.state, CASE WHEN b.holder IS NULL OR b.holder = '' THEN 0 ELSE 1 END AS held,
                    COUNT(*) AS people
             FROM ledger l LEFT JOIN ledger_batch b ON b.letter = l.letter AND b.batch = l.batch
             WHERE l.letter = $1 GROUP BY 1, 2",
        )
        .bind(i64::from(letter.0))
        .fetch_all(self.db.reader())
        .await?;
        let mut counts = Counts::default();
        for row in &rows {
            let is_held = number::<i64>(row, "held")? != 0;
            counts.add(shown_state(state(row, "state")?, is_held), number(row, "people")?);
        }
        Ok(counts)
    }
}

fn ledger_row(row: &AnyRow) -> Result<Row, StoreError> {
    let is_held = !row.try_get::<String, _>("holder")?.is_empty();
    Ok(Row {
        person: number(row, "person")?,
        state: shown_state(state(row, "state")?, is_held),
        told: told(row)?,
        locale: number(row, "locale")?,
        detail: row.try_get("outcome")?,
        at: instant(row, "at_ms")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_states_of_the_unreached_have_these_numbers() {
        let states = [LedgerState::Bounced, LedgerState::Suppressed, LedgerState::Expired];
        assert_eq!(states.map(|state| state.code().to_string()).join(", "), UNREACHED);
    }
}
