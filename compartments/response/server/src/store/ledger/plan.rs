//! Writing a ledger row for everybody.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use cofferdam_core::Timestamp;
use cofferdam_store::StoreError;
use response_api::{LedgerState, LetterId};
use response_letter::Told;
use response_mailing::Recipient;
use roaring::RoaringBitmap;

use super::super::Store;
use super::super::rows::{number, people, sql, told};
use super::{PLANNED, Shift, values_table};

/// The number of people whose variants are counted at once. SQLite sorts them in memory.
const COUNTED_AT_ONCE: u32 = 50_000;

/// The highest number of a planned batch. Batches that are made during sending have higher numbers.
const LAST_PLANNED_BATCH: i64 = 10_000_000;

impl Store {
    /// Adds a batch and its rows. Rows that exist stay unchanged.
    pub async fn plan(
        &self,
        letter: LetterId,
        batch: u32,
        recipients: &[Recipient],
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let people = recipients.iter().map(|recipient| recipient.person);
        let (Some(first), Some(last)) = (people.clone().min(), people.max()) else {
            return Ok(());
        };
        let mut tx = self.begin().await?;
        let values = values_table(tx.backend);
        let written = sqlx::query(sql(format!(
            "INSERT INTO ledger
                 (at_ms, letter, person, batch, fields, while_signed_in, locale, state, provider,
                  outcome)
             SELECT $4, $1, CAST(e.value ->> 0 AS INTEGER), $3, CAST(e.value ->> 1 AS INTEGER),
                    CAST(e.value ->> 2 AS INTEGER), CAST(e.value ->> 3 AS INTEGER), {PLANNED}, 0, ''
             FROM {values} WHERE TRUE ON CONFLICT (letter, person) DO NOTHING"
        )))
        .bind(i64::from(letter.0))
        .bind(values_of(recipients))
        .bind(i64::from(batch))
        .bind(at.as_millisecond())
        .execute(&mut *tx.tx)
        .await?
        .rows_affected();
        sqlx::query(
            "INSERT INTO ledger_batch
                 (letter, batch, first, last, provider, attempts, due_ms, holder, until_ms)
             VALUES ($1, $2, $3, $4, 0, 0, 0, '', 0) ON CONFLICT (letter, batch) DO UPDATE SET
                 first = CASE WHEN excluded.first < ledger_batch.first THEN excluded.first
                              ELSE ledger_batch.first END,
                 last = CASE WHEN excluded.last > ledger_batch.last THEN excluded.last
                             ELSE ledger_batch.last END",
        )
        .bind(i64::from(letter.0))
        .bind(i64::from(batch))
        .bind(i64::from(first))
        .bind(i64::from(last))
        .execute(&mut *tx.tx)
        .await?;
        let mut shift = Shift::default();
        shift.add(LedgerState::Planned, i64::try_from(written).unwrap_or(i64::MAX));
        tx.shift(letter, shift).await?;
        tx.commit().await
    }

    /// Reads the people who have a row.
    pub async fn planned_people(&self, letter: LetterId) -> Result<RoaringBitmap, StoreError> {
        let rows = sqlx::query("SELECT person FROM ledger WHERE letter = $1");
        people(rows.bind(i64::from(letter.0)).fetch(self.db.reader())).await
    }

    /// The number of the last batch that planning wrote, from 1; 0 if there is none.
    pub async fn last_planned_batch(&self, letter: LetterId) -> Result<u32, StoreError> {
        let row = sqlx::query(
            "SELECT COALESCE(MAX(batch), 0) AS last FROM ledger_batch
             WHERE letter = $1 AND batch < $2",
        )
        .bind(i64::from(letter.0))
        .bind(LAST_PLANNED_BATCH)
        .fetch_one(self.db.reader())
        .await?;
        number(&row, "last")
    }

    /// The variants of a letter: the number of the locale, what people are told, and their number.
    pub async fn variants(&self, letter: LetterId) -> Result<Vec<(u16, Told, u64)>, StoreError> {
        let last =
            sqlx::query("SELECT COALESCE(MAX(person), -1) AS last FROM ledger WHERE letter = $1")
                .bind(i64::from(letter.0))
                .fetch_one(self.db.reader())
                .await?;
        let last: i64 = number(&last, "last")?;
        let mut variants: BTreeMap<(u16, Told), u64> = BTreeMap::new();
        for from in (0..=last).step_by(COUNTED_AT_ONCE as usize) {
            let rows = sqlx::query(
                "SELECT locale, fields, while_signed_in, COUNT(*) AS people FROM ledger
                 WHERE letter = $1 AND person >= $2 AND person < $3
                 GROUP BY locale, fields, while_signed_in",
            )
            .bind(i64::from(letter.0))
            .bind(from)
            .bind(from + i64::from(COUNTED_AT_ONCE))
            .fetch_all(self.db.reader())
            .await?;
            for row in &rows {
                let variant = (number(row, "locale")?, told(row)?);
                *variants.entry(variant).or_default() += number::<u64>(row, "people")?;
            }
        }
        Ok(variants.into_iter().map(|((locale, told), people)| (locale, told, people)).collect())
    }
}

/// Rows as a JSON array of arrays: person, fields, whether they were signed in, locale.
fn values_of(recipients: &[Recipient]) -> String {
    let mut out = String::with_capacity(recipients.len() * 20);
    for Recipient { person, told, locale } in recipients {
        let (fields, signed_in) = (told.fields.bits(), u8::from(told.while_signed_in));
        out.push(if out.is_empty() { '[' } else { ',' });
        // Writing to a string can't fail.
        let _ = write!(out, "[{person},{fields},{signed_in},{locale}]");
    }
    out.push(']');
    out
}
