//! People of the shop's own table, and the access logs that were brought.

use std::collections::BTreeMap;

use cofferdam_core::{Country, Epoch, FieldSet, Language, Record, Region, Timestamp};
use cofferdam_store::StoreError;
use response_api::{AccessLog, BeginAccessLog};
use roaring::RoaringBitmap;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::{Store, bytes_of, corrupt, number};
use crate::domain::population::{Coarse, Population};
use crate::staff::Author;

/// Values in one `IN (…)`.
const MANY: usize = 500;
/// Rows read at once.
const PAGE: i64 = 50_000;

/// A person as stored.
#[derive(Debug, Clone)]
pub struct SealedPerson {
    /// The number.
    pub record: Record,
    /// The shop's own number or code.
    pub key: String,
    /// The keyed hash of the address.
    pub email_index: Option<Vec<u8>>,
    /// The generation of the keys.
    pub epoch: Epoch,
    /// Name, e-mail address and postal address, sealed.
    pub sealed: [Option<Vec<u8>>; 3],
    /// Where the person lives, and the like.
    pub coarse: Coarse,
    /// What the shop holds.
    pub holds: FieldSet,
}

impl Store {
    /// The number that the next new person gets.
    pub async fn roster_end(&self) -> Result<u32, StoreError> {
        let row = sqlx::query("SELECT COALESCE(MAX(record) + 1, 0) FROM roster_person")
            .fetch_one(self.db.reader())
            .await?;
        number(row.try_get(0)?)
    }

    /// The records of those of `keys` that are on the roster.
    pub async fn roster_keys(&self, keys: &[&str]) -> Result<BTreeMap<String, u32>, StoreError> {
        let mut found = BTreeMap::new();
        for some in keys.chunks(MANY) {
            let sql = format!(
                "SELECT key, record FROM roster_person WHERE key IN ({})",
                places(some.len())
            );
            let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
            for key in some {
                query = query.bind((*key).to_owned());
            }
            for row in query.fetch_all(self.db.reader()).await? {
                found.insert(row.try_get(0)?, number(row.try_get(1)?)?);
            }
        }
        Ok(found)
    }

    /// The records of everybody with one of these indexes of an address.
    pub async fn roster_emails(
        &self,
        indexes: &[Vec<u8>],
    ) -> Result<BTreeMap<Vec<u8>, Vec<u32>>, StoreError> {
        let mut found: BTreeMap<Vec<u8>, Vec<u32>> = BTreeMap::new();
        for some in indexes.chunks(MANY) {
            let sql = format!(
                "SELECT email_index, record FROM roster_person WHERE email_index IN ({})",
                places(some.len())
            );
            let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
            for index in some {
                query = query.bind(index.clone());
            }
            for row in query.fetch_all(self.db.reader()).await? {
                found.entry(row.try_get(0)?).or_default().push(number(row.try_get(1)?)?);
            }
        }
        Ok(found)
    }

    /// Writes people, in place of what was known of them.
    pub async fn put_people(&self, people: &[SealedPerson]) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        for person in people {
            let [name, email, address] = person.sealed.clone();
            let coarse = &person.coarse;
            sqlx::query(
                "INSERT INTO roster_person (record, key, email_index, epoch, name, email, address,
                     country, region, language, minor, holds)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
                 ON CONFLICT (record) DO UPDATE SET email_index = excluded.email_index,
                     epoch = excluded.epoch, name = excluded.name, email = excluded.email,
                     address = excluded.address, country = excluded.country,
                     region = excluded.region, language = excluded.language,
                     minor = excluded.minor, holds = excluded.holds",
            )
            .bind(i64::from(person.record.0))
            .bind(person.key.clone())
            .bind(person.email_index.clone())
            .bind(i64::from(person.epoch.0))
            .bind(name)
            .bind(email)
            .bind(address)
            .bind(coarse.country.as_ref().map(ToString::to_string))
            .bind(coarse.region.as_ref().map(ToString::to_string))
            .bind(coarse.language.to_string())
            .bind(i64::from(coarse.minor))
            .bind(i64::from(person.holds.bits()))
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Those of `records` that are on the roster, ascending.
    pub async fn people(&self, records: &[Record]) -> Result<Vec<SealedPerson>, StoreError> {
        let mut people = Vec::with_capacity(records.len());
        for some in records.chunks(MANY) {
            let sql = format!("{COLUMNS} WHERE record IN ({}) ORDER BY record", places(some.len()));
            let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
            for record in some {
                query = query.bind(i64::from(record.0));
            }
            for row in query.fetch_all(self.db.reader()).await? {
                people.push(person(&row)?);
            }
        }
        Ok(people)
    }

    /// Counts everybody on the roster anew, and keeps the bitmaps.
    pub async fn count_roster(&self) -> Result<Population, StoreError> {
        let (mut people, mut from) = (Population::default(), 0_i64);
        loop {
            let sql = format!("{COLUMNS} WHERE record >= $1 ORDER BY record LIMIT $2");
            let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
                .bind(from)
                .bind(PAGE)
                .fetch_all(self.db.reader())
                .await?;
            let page: Vec<_> = rows.iter().map(person).collect::<Result<_, _>>()?;
            let Some(last) = page.last() else { break };
            from = i64::from(last.record.0) + 1;
            for of in &page {
                people.add(of.record, &of.coarse, of.holds);
            }
        }
        let mut tx = self.begin().await?;
        sqlx::query("DELETE FROM roster_population").execute(&mut *tx).await?;
        for (name, records) in people.parts() {
            sqlx::query("INSERT INTO roster_population (name, records) VALUES ($1, $2)")
                .bind(name)
                .bind(bytes_of(records)?)
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await?;
        Ok(people)
    }

    /// Everybody on the roster as last counted; nobody before that.
    pub async fn roster(&self) -> Result<Population, StoreError> {
        let mut people = Population::default();
        let rows = sqlx::query("SELECT name, records FROM roster_population");
        for row in rows.fetch_all(self.db.reader()).await? {
            let (name, bytes): (String, Vec<u8>) = (row.try_get(0)?, row.try_get(1)?);
            let records = RoaringBitmap::deserialize_from(bytes.as_slice()).map_err(corrupt)?;
            if !people.set_part(&name, records) {
                return Err(corrupt(format!("the bitmap {name:?}")));
            }
        }
        Ok(people)
    }

    /// Notes that an access log is being brought; whether it is whole already.
    pub async fn begin_access_log(
        &self,
        log: &BeginAccessLog,
        at: Timestamp,
        by: &Author,
    ) -> Result<bool, StoreError> {
        sqlx::query(
            "INSERT INTO access_log (log, name, format, brought_ms, brought_by)
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (log) DO NOTHING",
        )
        .bind(log.log.clone())
        .bind(log.name.clone())
        .bind(log.format.clone())
        .bind(at.as_millisecond())
        .bind(by.name.to_string())
        .execute(self.db.writer())
        .await?;
        Ok(self.access_log(&log.log).await?.is_some_and(|(_, _, body)| body.is_some()))
    }

    /// Name, format and, once it is whole, what is in an access log.
    pub async fn access_log(
        &self,
        log: &str,
    ) -> Result<Option<(String, String, Option<String>)>, StoreError> {
        let row = sqlx::query("SELECT name, format, body FROM access_log WHERE log = $1")
            .bind(log.to_owned())
            .fetch_optional(self.db.reader())
            .await?;
        let read = |row: AnyRow| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?));
        row.map(read).transpose()
    }

    /// Notes that an access log is whole.
    pub async fn finish_access_log(&self, log: &AccessLog) -> Result<(), StoreError> {
        sqlx::query("UPDATE access_log SET body = $2 WHERE log = $1")
            .bind(log.log.clone())
            .bind(serde_json::to_string(log).map_err(corrupt)?)
            .execute(self.db.writer())
            .await?;
        Ok(())
    }

    /// The access logs that are whole, by name.
    pub async fn access_logs(&self) -> Result<Vec<AccessLog>, StoreError> {
        let rows =
            sqlx::query("SELECT body FROM access_log WHERE body IS NOT NULL ORDER BY name, log");
        let rows = rows.fetch_all(self.db.reader()).await?;
        let read =
            |row: &AnyRow| serde_json::from_str(&row.try_get::<String, _>(0)?).map_err(corrupt);
        rows.iter().map(read).collect()
    }

    /// Forgets an access log; whether there was one.
    pub async fn remove_access_log(&self, log: &str) -> Result<bool, StoreError> {
        let gone = sqlx::query("DELETE FROM access_log WHERE log = $1")
            .bind(log.to_owned())
            .execute(self.db.writer())
            .await?;
        Ok(gone.rows_affected() > 0)
    }
}

const COLUMNS: &str = "SELECT record, key, email_index, epoch, name, email, address, country,
     region, language, minor, holds FROM roster_person";

fn person(row: &AnyRow) -> Result<SealedPerson, StoreError> {
    let (country, region): (Option<String>, Option<String>) = (row.try_get(7)?, row.try_get(8)?);
    let language: String = row.try_get(9)?;
    Ok(SealedPerson {
        record: Record(number(row.try_get(0)?)?),
        key: row.try_get(1)?,
        email_index: row.try_get(2)?,
        epoch: Epoch(number(row.try_get(3)?)?),
        sealed: [row.try_get(4)?, row.try_get(5)?, row.try_get(6)?],
        coarse: Coarse {
            country: country.as_deref().map(str::parse::<Country>).transpose().map_err(corrupt)?,
            region: region.as_deref().map(str::parse::<Region>).transpose().map_err(corrupt)?,
            language: language.parse::<Language>().map_err(corrupt)?,
            minor: row.try_get::<i64, _>(10)? != 0,
        },
        holds: FieldSet::from_bits(number(row.try_get(11)?)?)
            .ok_or_else(|| corrupt("a set of unknown fields"))?,
    })
}

/// `$1, $2, …`
fn places(count: usize) -> String {
    (1..=count).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ")
}
