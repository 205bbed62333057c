//! Incidents, one row each.

use cofferdam_core::Timestamp;
use cofferdam_store::StoreError;
use response_api::{DeclareIncident, FallenHost, Incident, IncidentId, People};
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::rows::{corrupt, instant, number, optional_instant, parsed, sql};
use super::{Act, Store, Turn, Tx};

const COLUMNS: &str = "SELECT incident, title, fallen, from_ms, to_ms, found, declared_ms,
     declared_by, people, closed_ms FROM incident";

impl Store {
    /// Adds an incident, and journals its declaration; `act` names it.
    pub async fn declare(
        &self,
        call: &DeclareIncident,
        act: impl FnOnce(IncidentId) -> Act,
    ) -> Result<Incident, StoreError> {
        let mut tx = self.begin().await?;
        tx.take_turn(Turn::Number).await?;
        let row = sqlx::query("SELECT COALESCE(MAX(incident), 0) + 1 AS next FROM incident")
            .fetch_one(&mut *tx.tx)
            .await?;
        let id = IncidentId(number(&row, "next")?);
        let act = act(id);
        let incident = Incident {
            incident: id,
            title: call.title.clone(),
            fallen: call.fallen.clone(),
            from: call.from,
            to: call.to,
            found: call.found.clone(),
            people: call.people,
            declared: act.at,
            declared_by: act.by.name.clone(),
            closed: None,
        };
        sqlx::query(
            "INSERT INTO incident
                 (incident, title, fallen, from_ms, to_ms, found, declared_ms, declared_by, people)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(i64::from(id.0))
        .bind(incident.title.clone())
        .bind(fallen_text(&incident.fallen))
        .bind(incident.from.as_millisecond())
        .bind(incident.to.map(Timestamp::as_millisecond))
        .bind(incident.found.clone())
        .bind(incident.declared.as_millisecond())
        .bind(incident.declared_by.as_str().to_owned())
        .bind(incident.people.as_str())
        .execute(&mut *tx.tx)
        .await?;
        tx.journal(&act).await?;
        tx.commit().await?;
        self.incident(id).await?.ok_or_else(|| corrupt("an incident that was just written is lost"))
    }

    /// Changes title, fallen hosts and window of an open incident. A new window or other hosts void
    /// its exposure. `false` if the incident was closed meanwhile.
    pub async fn amend(
        &self,
        incident: &Incident,
        exposure_is_void: bool,
        act: &Act,
    ) -> Result<bool, StoreError> {
        let id = i64::from(incident.incident.0);
        let mut tx = self.begin().await?;
        let changed = sqlx::query(
            "UPDATE incident SET title = $2, fallen = $3, from_ms = $4, to_ms = $5
             WHERE incident = $1 AND closed_ms IS NULL",
        )
        .bind(id)
        .bind(incident.title.clone())
        .bind(fallen_text(&incident.fallen))
        .bind(incident.from.as_millisecond())
        .bind(incident.to.map(Timestamp::as_millisecond))
        .execute(&mut *tx.tx)
        .await?;
        if changed.rows_affected() == 0 {
            return Ok(false);
        }
        if exposure_is_void {
            tx.forget_exposure(incident.incident).await?;
        }
        tx.journal(act).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Closes an incident; `false` if it is closed already.
    pub async fn close(&self, act: &Act) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let sql = "UPDATE incident SET closed_ms = $2 WHERE incident = $1 AND closed_ms IS NULL";
        let closed = sqlx::query(sql)
            .bind(i64::from(act.incident.0))
            .bind(act.at.as_millisecond())
            .execute(&mut *tx.tx)
            .await?;
        if closed.rows_affected() == 0 {
            return Ok(false);
        }
        tx.journal(act).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Reads one incident.
    pub async fn incident(&self, id: IncidentId) -> Result<Option<Incident>, StoreError> {
        let row = sqlx::query(sql(format!("{COLUMNS} WHERE incident = $1")))
            .bind(i64::from(id.0))
            .fetch_optional(self.db.reader())
            .await?;
        row.as_ref().map(incident).transpose()
    }

    /// Reads all incidents, newest first.
    pub async fn incidents(&self) -> Result<Vec<Incident>, StoreError> {
        let rows = sqlx::query(sql(format!("{COLUMNS} ORDER BY incident DESC")))
            .fetch_all(self.db.reader())
            .await?;
        rows.iter().map(incident).collect()
    }
}

impl Tx {
    /// Whether an incident is open and still has these hosts and this window. The answer holds
    /// until the transaction ends.
    pub async fn is_unchanged(&mut self, incident: &Incident) -> Result<bool, StoreError> {
        let same = sqlx::query(
            "UPDATE incident SET title = title
             WHERE incident = $1 AND closed_ms IS NULL AND fallen = $2 AND from_ms = $3
               AND to_ms IS NOT DISTINCT FROM $4",
        )
        .bind(i64::from(incident.incident.0))
        .bind(fallen_text(&incident.fallen))
        .bind(incident.from.as_millisecond())
        .bind(incident.to.map(Timestamp::as_millisecond))
        .execute(&mut *self.tx)
        .await?;
        Ok(same.rows_affected() > 0)
    }
}

/// Writes the hosts as text, separated by blanks.
fn fallen_text(hosts: &[FallenHost]) -> String {
    hosts.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

fn incident(row: &AnyRow) -> Result<Incident, StoreError> {
    let fallen: String = row.try_get("fallen")?;
    let people: String = row.try_get("people")?;
    Ok(Incident {
        incident: IncidentId(number(row, "incident")?),
        title: row.try_get("title")?,
        fallen: fallen.split(' ').map(str::parse).collect::<Result<_, _>>().map_err(corrupt)?,
        from: instant(row, "from_ms")?,
        to: optional_instant(row, "to_ms")?,
        found: row.try_get("found")?,
        people: people_of(&people)?,
        declared: instant(row, "declared_ms")?,
        declared_by: parsed(row, "declared_by")?,
        closed: optional_instant(row, "closed_ms")?,
    })
}

fn people_of(name: &str) -> Result<People, StoreError> {
    let people = [People::Accounts, People::Table].into_iter().find(|p| p.as_str() == name);
    people.ok_or_else(|| corrupt(format!("the people {name:?}")))
}
