//! Writing a row for everybody.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use cofferdam_core::{FieldSet, Timestamp};
use cofferdam_store::{Backend, StoreError};
use response_api::{LedgerState, LetterId};
use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};
use sqlx::Row;

use super::super::people;
use super::{Shift, Store, ms, number, with_values};

/// People whose variants are counted at once: SQLite sorts them in memory.
const COUNTED_AT_ONCE: u32 = 50_000;

/// From here on batches are numbered that are made while a letter is sent.
const FIRST_OTHER: i64 = 10_000_000;

/// A row to be written.
#[derive(Debug, Clone, Copy)]
pub struct PlannedRow {
    /// A customer's record number, or a place in the staff roster.
    pub person: u32,
    /// What was read or presented of this person's data.
    pub fields: FieldSet,
    /// The number of the language and jurisdiction.
    pub locale: u16,
}

/// A language and a jurisdiction.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Locale {
    /// As `en`.
    pub language: String,
    /// As `US-KY`, or empty where it makes no difference.
    pub jurisdiction: String,
}

impl Store {
    /// Adds a batch and its rows, unless they are there.
    pub async fn plan(
        &self,
        letter: LetterId,
        batch: u32,
        rows: &[PlannedRow],
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let people = rows.iter().map(|row| row.person);
        let (Some(first), Some(last)) = (people.clone().min(), people.max()) else {
            return Ok(());
        };
        let mut tx = self.begin().await?;
        let sql = with_values!(
            self.db.backend(),
            "INSERT INTO ledger
                 (at_ms, letter, person, batch, fields, locale, state, provider, outcome)
             SELECT $4, $1, CAST(e.value ->> 0 AS INTEGER), $3, CAST(e.value ->> 1 AS INTEGER),
                    CAST(e.value ->> 2 AS INTEGER), 0, 0, '' FROM",
            "WHERE TRUE ON CONFLICT (letter, person) DO NOTHING"
        );
        let written = sqlx::query(sql)
            .bind(i64::from(letter.0))
            .bind(values(rows))
            .bind(i64::from(batch))
            .bind(ms(at))
            .execute(&mut *tx)
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
        .execute(&mut *tx)
        .await?;
        let mut shift = Shift::default();
        shift.add(LedgerState::Planned, i64::try_from(written).unwrap_or(i64::MAX));
        shift.write(&mut tx, letter).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Who has a row.
    pub async fn planned_people(&self, letter: LetterId) -> Result<RoaringBitmap, StoreError> {
        let rows =
            sqlx::query("SELECT person FROM ledger WHERE letter = $1").bind(i64::from(letter.0));
        people(rows.fetch(self.db.reader())).await
    }

    /// The last batch that planning wrote, from 1; 0 where there is none.
    pub async fn last_planned_batch(&self, letter: LetterId) -> Result<u32, StoreError> {
        let row = sqlx::query(
            "SELECT COALESCE(MAX(batch), 0) FROM ledger_batch WHERE letter = $1 AND batch < $2",
        )
        .bind(i64::from(letter.0))
        .bind(FIRST_OTHER)
        .fetch_one(self.db.reader())
        .await?;
        number(row.try_get(0)?)
    }

    /// Numbers the languages and jurisdictions of a letter.
    pub async fn set_locales(&self, letter: LetterId, all: &[Locale]) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        for (locale, of) in (0_i64..).zip(all) {
            sqlx::query(
                "INSERT INTO letter_locale (letter, locale, language, jurisdiction)
                 VALUES ($1, $2, $3, $4) ON CONFLICT (letter, locale) DO NOTHING",
            )
            .bind(i64::from(letter.0))
            .bind(locale)
            .bind(of.language.clone())
            .bind(of.jurisdiction.clone())
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// The languages and jurisdictions of a letter, by number.
    pub async fn locales(&self, letter: LetterId) -> Result<Vec<Locale>, StoreError> {
        let rows = sqlx::query(
            "SELECT language, jurisdiction FROM letter_locale WHERE letter = $1 ORDER BY locale",
        )
        .bind(i64::from(letter.0))
        .fetch_all(self.db.reader())
        .await?;
        rows.iter()
            .map(|row| Ok(Locale { language: row.try_get(0)?, jurisdiction: row.try_get(1)? }))
            .collect()
    }

    /// Which variants a letter has: locale and fields, and how many people.
    pub async fn variants(
        &self,
        letter: LetterId,
    ) -> Result<Vec<(u16, FieldSet, u64)>, StoreError> {
        let last = sqlx::query("SELECT MAX(person) FROM ledger WHERE letter = $1")
            .bind(i64::from(letter.0))
            .fetch_one(self.db.reader())
            .await?;
        let last = last.try_get::<Option<i64>, _>(0)?.unwrap_or(-1);
        let mut variants: BTreeMap<(u16, i64), u64> = BTreeMap::new();
        for from in (0..=last).step_by(COUNTED_AT_ONCE as usize) {
            let rows = sqlx::query(
                "SELECT locale, fields, COUNT(*) FROM ledger
                 WHERE letter = $1 AND person >= $2 AND person < $3 GROUP BY locale, fields",
            )
            .bind(i64::from(letter.0))
            .bind(from)
            .bind(from + i64::from(COUNTED_AT_ONCE))
            .fetch_all(self.db.reader())
            .await?;
            for row in rows {
                let variant = (number(row.try_get(0)?)?, row.try_get(1)?);
                *variants.entry(variant).or_default() += number::<u64>(row.try_get(2)?)?;
            }
        }
        let whole = |((locale, fields), people)| Ok((locale, super::fields(fields)?, people));
        variants.into_iter().map(whole).collect()
    }
}

fn values(rows: &[PlannedRow]) -> String {
    let mut out = String::with_capacity(rows.len() * 20);
    for row in rows {
        out.push(if out.is_empty() { '[' } else { ',' });
        // Writing to a string can't fail.
        let _ = write!(out, "[{},{},{}]", row.person, row.fields.bits(), row.locale);
    }
    out.push(']');
    out
}
