//! Incidents.

use cofferdam_core::Timestamp;
use cofferdam_store::StoreError;
use response_api::{DeclareIncident, Incident, IncidentId, People};
use sqlx::Row;
use sqlx::any::AnyRow;

use super::journal::{self, Act};
use super::{Store, corrupt, instant, number};
use crate::staff::Author;

const COLUMNS: &str =
    "SELECT incident, title, fallen, from_ms, to_ms, found, declared_ms, declared_by,
     people FROM incident";

impl Store {
    /// Adds an incident, with the first line of its journal.
    pub async fn declare(
        &self,
        call: &DeclareIncident,
        at: Timestamp,
        by: &Author,
    ) -> Result<Incident, StoreError> {
        let mut tx = self.begin().await?;
        let row = sqlx::query("SELECT COALESCE(MAX(incident), 0) + 1 FROM incident")
            .fetch_one(&mut *tx)
            .await?;
        let id: i64 = row.try_get(0)?;
        let fallen: Vec<_> = call.fallen.iter().map(ToString::to_string).collect();
        sqlx::query(
            "INSERT INTO incident
             (incident, title, fallen, from_ms, to_ms, found, declared_ms, declared_by,
              people)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(id)
        .bind(call.title.clone())
        .bind(fallen.join(" "))
        .bind(call.from.as_millisecond())
        .bind(call.to.map(Timestamp::as_millisecond))
        .bind(call.found.clone())
        .bind(at.as_millisecond())
        .bind(by.name.as_str().to_owned())
        .bind(call.people.as_str())
        .execute(&mut *tx)
        .await?;
        let incident = IncidentId(number(id)?);
        let detail = format!("{}: {} taken for fallen", call.title, fallen.join(", "));
        let act = Act { at, by, action: "declare", detail: &detail };
        journal::write(&mut tx, incident, &act).await?;
        tx.commit().await?;
        let found = self.incident(incident).await?;
        found.ok_or_else(|| corrupt("an incident that was just written is not there"))
    }

    /// One incident.
    pub async fn incident(&self, id: IncidentId) -> Result<Option<Incident>, StoreError> {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE incident = $1")))
            .bind(i64::from(id.0))
            .fetch_optional(self.db.reader())
            .await?;
        row.as_ref().map(incident).transpose()
    }

    /// All incidents, newest first.
    pub async fn incidents(&self) -> Result<Vec<Incident>, StoreError> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!("{COLUMNS} ORDER BY incident DESC")))
            .fetch_all(self.db.reader())
            .await?;
        rows.iter().map(incident).collect()
    }
}

fn incident(row: &AnyRow) -> Result<Incident, StoreError> {
    let (fallen, by): (String, String) = (row.try_get(2)?, row.try_get(7)?);
    let people: String = row.try_get(8)?;
    Ok(Incident {
        incident: IncidentId(number(row.try_get(0)?)?),
        title: row.try_get(1)?,
        fallen: fallen.split(' ').map(str::parse).collect::<Result<_, _>>().map_err(corrupt)?,
        from: instant(row.try_get(3)?)?,
        to: row.try_get::<Option<i64>, _>(4)?.map(instant).transpose()?,
        found: row.try_get(5)?,
        declared: instant(row.try_get(6)?)?,
        declared_by: by.parse().map_err(corrupt)?,
        people: if people == People::Roster.as_str() { People::Roster } else { People::Accounts },
    })
}
