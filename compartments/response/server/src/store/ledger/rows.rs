//! Reading the ledger, and the mail providers in it.

use cofferdam_core::{FieldSet, Timestamp};
use cofferdam_store::StoreError;
use response_api::{LedgerState, LetterId};
use sqlx::Row;
use sqlx::any::AnyRow;

use super::super::instant;
use super::{Store, code, fields, number, shown, state};

/// A row as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRow {
    /// Whose.
    pub person: u32,
    /// How it stands.
    pub state: LedgerState,
    /// What was read or presented of this person's data.
    pub fields: FieldSet,
    /// The number of the language and jurisdiction.
    pub locale: u16,
    /// The relay's queue id, or what it said.
    pub outcome: String,
    /// Since when it stands so.
    pub at: Timestamp,
}

impl Store {
    /// Rows from `from` on, ascending; of one state only, where one is given.
    pub async fn ledger(
        &self,
        letter: LetterId,
        of: Option<LedgerState>,
        from: u32,
        limit: u32,
    ) -> Result<Vec<StoredRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT l.person, l.state, l.fields, l.locale, l.outcome, l.at_ms,
                    COALESCE(b.holder, '') AS holder
             FROM ledger l LEFT JOIN ledger_batch b ON b.letter = l.letter AND b.batch = l.batch
             WHERE l.letter = $1 AND l.person >= $2 AND ($4 < 0 OR l.state = $4)
             ORDER BY l.person LIMIT $3",
        )
        .bind(i64::from(letter.0))
        .bind(i64::from(from))
        .bind(i64::from(limit))
        .bind(of.map_or(-1, |of| i64::from(code(of))))
        .fetch_all(self.db.reader())
        .await?;
        rows.iter().map(stored).collect()
    }

    /// Rows that no e-mail reached, from `from` on, ascending.
    pub async fn undelivered(
        &self,
        letter: LetterId,
        from: u32,
        limit: u32,
    ) -> Result<Vec<StoredRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT person, state, fields, locale, outcome, at_ms, '' AS holder FROM ledger
             WHERE letter = $1 AND person >= $2 AND state IN (5, 7, 8)
             ORDER BY person LIMIT $3",
        )
        .bind(i64::from(letter.0))
        .bind(i64::from(from))
        .bind(i64::from(limit))
        .fetch_all(self.db.reader())
        .await?;
        rows.iter().map(stored).collect()
    }

    /// How many those are.
    pub async fn count_undelivered(&self, letter: LetterId) -> Result<u32, StoreError> {
        let counts = self.counts(letter).await?;
        let states = [LedgerState::Bounced, LedgerState::Suppressed, LedgerState::Expired];
        let all: u64 = states.into_iter().map(|state| counts.of(state)).sum();
        Ok(u32::try_from(all).unwrap_or(u32::MAX))
    }

    /// Whether a letter has a row for a person.
    pub async fn has_row(&self, letter: LetterId, person: u32) -> Result<bool, StoreError> {
        let row = sqlx::query("SELECT 1 FROM ledger WHERE letter = $1 AND person = $2")
            .bind(i64::from(letter.0))
            .bind(i64::from(person))
            .fetch_optional(self.db.reader())
            .await?;
        Ok(row.is_some())
    }

    /// The number of a mail provider, given when there is none.
    pub async fn provider(&self, name: &str) -> Result<u16, StoreError> {
        sqlx::query(
            "INSERT INTO mail_provider (provider, name)
             SELECT COALESCE(MAX(provider), 0) + 1, $1 FROM mail_provider WHERE TRUE
             ON CONFLICT (name) DO NOTHING",
        )
        .bind(name.to_owned())
        .execute(self.db.writer())
        .await?;
        let row = sqlx::query("SELECT provider FROM mail_provider WHERE name = $1")
            .bind(name.to_owned())
            .fetch_one(self.db.reader())
            .await?;
        number(row.try_get(0)?)
    }
}

fn stored(row: &AnyRow) -> Result<StoredRow, StoreError> {
    let held = !row.try_get::<String, _>(6)?.is_empty();
    Ok(StoredRow {
        person: number(row.try_get(0)?)?,
        state: shown(state(row.try_get(1)?)?, held),
        fields: fields(row.try_get(2)?)?,
        locale: number(row.try_get(3)?)?,
        outcome: row.try_get(4)?,
        at: instant(row.try_get(5)?)?,
    })
}
