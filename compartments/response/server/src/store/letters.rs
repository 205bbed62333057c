//! Letters (one row a mailing).

use cofferdam_core::Timestamp;
use cofferdam_store::StoreError;
use keys_api::WarrantId;
use response_api::{Audience, IncidentId, LetterId};
use sqlx::Row;
use sqlx::any::AnyRow;

use super::{Store, corrupt, instant, number};

/// One mailing.
#[derive(Debug, Clone)]
pub struct Letter {
    /// Its number.
    pub letter: LetterId,
    /// The incident it belongs to.
    pub incident: IncidentId,
    /// To whom it goes.
    pub audience: Audience,
    /// Makes its Message-IDs.
    pub seed: Vec<u8>,
    /// The warrant it draws on.
    pub warrant: Option<WarrantId>,
    /// Whether its ledger is whole.
    pub planned: bool,
    /// When sending began.
    pub started: Option<Timestamp>,
    /// When the last row got its outcome.
    pub finished: Option<Timestamp>,
}

const COLUMNS: &str = "SELECT letter, incident, audience, seed, warrant, planned, started_ms, finished_ms FROM letter";

const fn audience_name(audience: Audience) -> &'static str {
    match audience {
        Audience::Staff => "staff",
        Audience::Customers => "customers",
    }
}

impl Store {
    /// The letter to an audience about an incident, made when there is none.
    pub async fn letter_to(
        &self,
        incident: IncidentId,
        audience: Audience,
        seed: [u8; 32],
    ) -> Result<Letter, StoreError> {
        sqlx::query(
            "INSERT INTO letter (letter, incident, audience, seed, planned)
             SELECT COALESCE(MAX(letter), 0) + 1, $1, $2, $3, 0 FROM letter WHERE TRUE
             ON CONFLICT (incident, audience) DO NOTHING",
        )
        .bind(i64::from(incident.0))
        .bind(audience_name(audience))
        .bind(seed.to_vec())
        .execute(self.db.writer())
        .await?;
        let letters = self.letters(incident).await?;
        let found = letters.into_iter().find(|letter| letter.audience == audience);
        found.ok_or_else(|| corrupt("a letter that was just written is not there"))
    }

    /// One letter.
    pub async fn letter(&self, id: LetterId) -> Result<Option<Letter>, StoreError> {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE letter = $1")))
            .bind(i64::from(id.0))
            .fetch_optional(self.db.reader())
            .await?;
        row.as_ref().map(letter).transpose()
    }

    /// The letters about an incident.
    pub async fn letters(&self, incident: IncidentId) -> Result<Vec<Letter>, StoreError> {
        let sql = format!("{COLUMNS} WHERE incident = $1 ORDER BY letter");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(i64::from(incident.0))
            .fetch_all(self.db.reader())
            .await?;
        rows.iter().map(letter).collect()
    }

    /// Every letter.
    pub async fn all_letters(&self) -> Result<Vec<Letter>, StoreError> {
        let sql = format!("{COLUMNS} ORDER BY letter");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(self.db.reader()).await?;
        rows.iter().map(letter).collect()
    }

    /// The ledger of a letter is whole.
    pub async fn set_planned(&self, id: LetterId) -> Result<(), StoreError> {
        self.update_letter("UPDATE letter SET planned = $2 WHERE letter = $1", id, 1).await
    }

    /// Sending began; a letter that goes on keeps its first start.
    pub async fn set_started(&self, id: LetterId, at: Timestamp) -> Result<(), StoreError> {
        let sql = "UPDATE letter SET started_ms = COALESCE(started_ms, $2), finished_ms = NULL
                   WHERE letter = $1";
        self.update_letter(sql, id, at.as_millisecond()).await
    }

    /// Every row has its outcome.
    pub async fn set_finished(&self, id: LetterId, at: Timestamp) -> Result<(), StoreError> {
        let sql = "UPDATE letter SET finished_ms = $2 WHERE letter = $1";
        self.update_letter(sql, id, at.as_millisecond()).await
    }

    /// The warrant that a letter draws on.
    pub async fn set_warrant(&self, id: LetterId, warrant: WarrantId) -> Result<(), StoreError> {
        sqlx::query("UPDATE letter SET warrant = $2 WHERE letter = $1")
            .bind(i64::from(id.0))
            .bind(warrant.to_string())
            .execute(self.db.writer())
            .await?;
        Ok(())
    }

    async fn update_letter(
        &self,
        sql: &'static str,
        id: LetterId,
        value: i64,
    ) -> Result<(), StoreError> {
        sqlx::query(sql).bind(i64::from(id.0)).bind(value).execute(self.db.writer()).await?;
        Ok(())
    }
}

fn letter(row: &AnyRow) -> Result<Letter, StoreError> {
    let (audience, warrant): (String, Option<String>) = (row.try_get(2)?, row.try_get(4)?);
    let audience = match audience.as_str() {
        "staff" => Audience::Staff,
        "customers" => Audience::Customers,
        other => return Err(corrupt(format!("the audience {other:?}"))),
    };
    Ok(Letter {
        letter: LetterId(number(row.try_get(0)?)?),
        incident: IncidentId(number(row.try_get(1)?)?),
        audience,
        seed: row.try_get(3)?,
        warrant: warrant.map(|text| text.parse()).transpose().map_err(corrupt)?,
        planned: row.try_get::<i64, _>(5)? != 0,
        started: row.try_get::<Option<i64>, _>(6)?.map(instant).transpose()?,
        finished: row.try_get::<Option<i64>, _>(7)?.map(instant).transpose()?,
    })
}
