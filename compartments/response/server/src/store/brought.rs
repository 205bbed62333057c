//! People of the brought table. Their contacts are sealed before they are stored.

use std::collections::{BTreeMap, BTreeSet};

use cofferdam_core::{Epoch, FieldSet, Record, Sha256};
use cofferdam_store::{StoreError, epoch_of};
use keys_client::HalfSpan;
use response_api::{FinishTable, IncidentId, TableImportId};
use response_exposure::{Coarse, NameForm, NameForms, Population};
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::population::BROUGHT;
use super::rows::{fields, number, optional_parsed, parsed, placeholders, sql};
use super::{Act, Finding, Store, Turn, Tx};

/// The most values in one `IN (…)`.
const VALUES_AT_ONCE: usize = 500;
/// The number of rows that are read at once.
const PAGE: i64 = 50_000;

const COLUMNS: &str = "SELECT record, key, email_index, epoch, name, email, address, country,
     region, language, minor, holds FROM brought_person";

/// A person of the brought table who is known by their key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownPerson {
    /// The person's record number.
    pub record: u32,
    /// The import that brought the person last; 0 before imports had numbers.
    pub import: u32,
}

/// A person of the brought table, as stored.
#[derive(Debug, Clone)]
pub struct SealedPerson {
    /// The person's record number.
    pub record: Record,
    /// The shop's own number or code for the person.
    pub key: String,
    /// A keyed hash of the e-mail address, by which access logs name people.
    pub email_index: Option<Vec<u8>>,
    /// The epoch of the keys that seal the contacts.
    pub epoch: Epoch,
    /// The name, sealed.
    pub name: Option<Vec<u8>>,
    /// The e-mail address, sealed.
    pub email: Option<Vec<u8>>,
    /// The postal address, sealed.
    pub address: Option<Vec<u8>>,
    /// The attributes in clear.
    pub coarse: Coarse,
    /// The fields that the shop holds about the person.
    pub holds: FieldSet,
}

impl Store {
    /// The highest epoch under which a person is sealed.
    pub async fn brought_sealed_upto(&self) -> Result<Option<Epoch>, StoreError> {
        let row = sqlx::query("SELECT MAX(epoch) AS epoch FROM brought_person")
            .fetch_one(self.db.reader())
            .await?;
        let highest: Option<i64> = row.try_get("epoch")?;
        highest.map(epoch_of).transpose()
    }

    /// Whether a person is sealed under an epoch of a half.
    pub async fn holds_under(&self, span: HalfSpan) -> Result<bool, StoreError> {
        const HELD: &str =
            "SELECT record FROM brought_person WHERE epoch >= $1 AND epoch < $2 LIMIT 1";
        let held = sqlx::query(HELD)
            .bind(i64::from(span.from.0))
            .bind(i64::from(span.until.0))
            .fetch_optional(self.db.reader())
            .await?;
        Ok(held.is_some())
    }

    /// The number for the next new person.
    pub async fn next_brought_record(&self) -> Result<u32, StoreError> {
        let row = sqlx::query("SELECT COALESCE(MAX(record) + 1, 0) AS next FROM brought_person")
            .fetch_one(self.db.reader())
            .await?;
        number(&row, "next")
    }

    /// Finds people by the shop's keys. Unknown keys are left out.
    pub async fn people_by_key(
        &self,
        keys: &[&str],
    ) -> Result<BTreeMap<String, KnownPerson>, StoreError> {
        let mut found = BTreeMap::new();
        for some in keys.chunks(VALUES_AT_ONCE) {
            let values = placeholders(some.len());
            let text =
                format!("SELECT key, record, import FROM brought_person WHERE key IN ({values})");
            let query = some
                .iter()
                .fold(sqlx::query(sql(text)), |query, key| query.bind((*key).to_owned()));
            for row in query.fetch_all(self.db.reader()).await? {
                let (record, import) = (number(&row, "record")?, number(&row, "import")?);
                found.insert(row.try_get("key")?, KnownPerson { record, import });
            }
        }
        Ok(found)
    }

    /// Finds the records of people by the keyed hashes of their addresses.
    pub async fn records_by_email(
        &self,
        indexes: &[Vec<u8>],
    ) -> Result<BTreeMap<Vec<u8>, Vec<u32>>, StoreError> {
        let mut found: BTreeMap<Vec<u8>, Vec<u32>> = BTreeMap::new();
        for some in indexes.chunks(VALUES_AT_ONCE) {
            let values = placeholders(some.len());
            let text = format!(
                "SELECT email_index, record FROM brought_person WHERE email_index IN ({values})"
            );
            let query =
                some.iter().fold(sqlx::query(sql(text)), |query, index| query.bind(index.clone()));
            for row in query.fetch_all(self.db.reader()).await? {
                found.entry(row.try_get("email_index")?).or_default().push(number(&row, "record")?);
            }
        }
        Ok(found)
    }

    /// Writes people of an import over their earlier rows. Access logs that were begun before may name
    /// people who are only found from now on.
    pub async fn put_people(
        &self,
        people: &[SealedPerson],
        import: TableImportId,
        act: &Act,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let finds_others = tx.would_find_others(people).await?;
        for person in people {
            let coarse = &person.coarse;
            sqlx::query(
                "INSERT INTO brought_person (record, key, email_index, epoch, name, email, address,
                     country, region, language, minor, holds, import)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
                 ON CONFLICT (record) DO UPDATE SET email_index = excluded.email_index,
                     epoch = excluded.epoch, name = excluded.name, email = excluded.email,
                     address = excluded.address, country = excluded.country,
                     region = excluded.region, language = excluded.language,
                     minor = excluded.minor, holds = excluded.holds, import = excluded.import",
            )
            .bind(i64::from(person.record.0))
            .bind(person.key.clone())
            .bind(person.email_index.clone())
            .bind(i64::from(person.epoch.0))
            .bind(person.name.clone())
            .bind(person.email.clone())
            .bind(person.address.clone())
            .bind(coarse.country.as_ref().map(ToString::to_string))
            .bind(coarse.region.as_ref().map(ToString::to_string))
            .bind(coarse.language.to_string())
            .bind(i64::from(coarse.minor))
            .bind(i64::from(person.holds.bits()))
            .bind(i64::from(import.0))
            .execute(&mut *tx.tx)
            .await?;
        }
        let of_keys = people.iter().map(|person| NameForm::of_key(&person.key));
        let no_email = people.iter().any(|person| person.email_index.is_none());
        let forms: BTreeSet<_> = of_keys.chain(no_email.then_some(NameForm::NoEmail)).collect();
        for form in forms {
            sqlx::query("INSERT INTO brought_name_form (form) VALUES ($1) ON CONFLICT DO NOTHING")
                .bind(form.to_string())
                .execute(&mut *tx.tx)
                .await?;
        }
        tx.journal(act).await?;
        if finds_others {
            tx.outdate_access_logs().await?;
        }
        tx.commit().await
    }

    /// Reads the forms of all names in the table.
    pub async fn name_forms(&self) -> Result<NameForms, StoreError> {
        let rows = sqlx::query("SELECT form FROM brought_name_form");
        let rows = rows.fetch_all(self.db.reader()).await?;
        let forms: Result<_, _> = rows.iter().map(|row| parsed(row, "form")).collect();
        Ok(NameForms(forms?))
    }

    /// Notes the key under which addresses are hashed from now on, by its id.
    pub async fn note_address_key(&self, key: Sha256) -> Result<(), StoreError> {
        if self.address_keys().await?.contains(&key) {
            return Ok(());
        }
        let mut tx = self.begin().await?;
        tx.take_turn(Turn::Journal(IncidentId::NONE)).await?;
        let mut keys = self.address_keys().await?;
        keys.insert(key);
        tx.set_finding(IncidentId::NONE, Finding::AddressKeys, &keys).await?;
        tx.commit().await
    }

    /// Reads the ids of the keys under which the table's addresses are hashed.
    pub async fn address_keys(&self) -> Result<BTreeSet<Sha256>, StoreError> {
        let keys = self.finding(IncidentId::NONE, Finding::AddressKeys).await?;
        Ok(keys.unwrap_or_default())
    }

    /// Reads people by their records, ascending. Unknown records are left out.
    pub async fn people(&self, records: &[Record]) -> Result<Vec<SealedPerson>, StoreError> {
        let mut people = Vec::with_capacity(records.len());
        for some in records.chunks(VALUES_AT_ONCE) {
            let values = placeholders(some.len());
            let text = format!("{COLUMNS} WHERE record IN ({values}) ORDER BY record");
            let query = some
                .iter()
                .fold(sqlx::query(sql(text)), |query, record| query.bind(i64::from(record.0)));
            for row in query.fetch_all(self.db.reader()).await? {
                people.push(person(&row)?);
            }
        }
        Ok(people)
    }

    /// Finishes an import: counts the people of the table, and keeps the bitmaps.
    pub async fn finish_table(
        &self,
        finish: &FinishTable,
        act: &Act,
    ) -> Result<Population, StoreError> {
        let (mut population, mut from) = (Population::default(), 0_i64);
        loop {
            let text = format!("{COLUMNS} WHERE record >= $1 ORDER BY record LIMIT $2");
            let rows =
                sqlx::query(sql(text)).bind(from).bind(PAGE).fetch_all(self.db.reader()).await?;
            let page: Vec<_> = rows.iter().map(person).collect::<Result<_, _>>()?;
            let Some(last) = page.last() else { break };
            from = i64::from(last.record.0) + 1;
            for person in &page {
                population.add(person.record, &person.coarse, person.holds);
            }
        }
        let mut tx = self.begin().await?;
        tx.set_population(BROUGHT, &population).await?;
        tx.finish_import(finish).await?;
        tx.journal(act).await?;
        tx.commit().await?;
        Ok(population)
    }

    /// Reads the people of the table as they were counted last; nobody before the first count.
    pub async fn brought(&self) -> Result<Population, StoreError> {
        self.population(BROUGHT).await
    }
}

impl Tx {
    /// Whether names find other people once `people` are written: somebody is new, or has another
    /// address.
    async fn would_find_others(&mut self, people: &[SealedPerson]) -> Result<bool, StoreError> {
        for some in people.chunks(VALUES_AT_ONCE) {
            let values = placeholders(some.len());
            let text = format!(
                "SELECT record, email_index FROM brought_person WHERE record IN ({values})"
            );
            let query = some
                .iter()
                .fold(sqlx::query(sql(text)), |query, of| query.bind(i64::from(of.record.0)));
            let mut before: BTreeMap<u32, Option<Vec<u8>>> = BTreeMap::new();
            for row in query.fetch_all(&mut *self.tx).await? {
                before.insert(number(&row, "record")?, row.try_get("email_index")?);
            }
            if some.iter().any(|of| before.get(&of.record.0) != Some(&of.email_index)) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn person(row: &AnyRow) -> Result<SealedPerson, StoreError> {
    Ok(SealedPerson {
        record: Record(number(row, "record")?),
        key: row.try_get("key")?,
        email_index: row.try_get("email_index")?,
        epoch: Epoch(number(row, "epoch")?),
        name: row.try_get("name")?,
        email: row.try_get("email")?,
        address: row.try_get("address")?,
        coarse: Coarse {
            country: optional_parsed(row, "country")?,
            region: optional_parsed(row, "region")?,
            language: parsed(row, "language")?,
            minor: row.try_get::<i64, _>("minor")? != 0,
        },
        holds: fields(row, "holds")?,
    })
}
