//! Letters (one row a mailing).

use cofferdam_core::Timestamp;
use cofferdam_store::StoreError;
use keys_api::WarrantId;
use response_api::{Audience, IncidentId, LetterId, LetterState};
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
    /// What is to be done with it.
    pub state: LetterState,
    /// The approved version.
    pub version: Option<String>,
    /// Why it does not move; empty when it does.
    pub trouble: String,
    /// When sending began.
    pub started: Option<Timestamp>,
    /// When the last row got its outcome.
    pub finished: Option<Timestamp>,
}

const COLUMNS: &str = "SELECT letter, incident, audience, seed, warrant, planned, started_ms, finished_ms, state, version, trouble FROM letter";

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

    /// Sending of an approved version begins; a letter that goes on keeps its first start. `false`
    /// when it was stopped meanwhile, or another version approved.
    pub async fn set_running(
        &self,
        id: LetterId,
        version: &str,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE letter SET started_ms = COALESCE(started_ms, $2), finished_ms = NULL,
                 state = 'running', trouble = ''
             WHERE letter = $1 AND state <> 'stopped' AND version = $3",
        )
        .bind(i64::from(id.0))
        .bind(at.as_millisecond())
        .bind(version.to_owned())
        .execute(self.db.writer())
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Every row has its outcome. `false` when it has not, or somebody saw to that before.
    pub async fn set_finished(&self, id: LetterId, at: Timestamp) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        // The letter's row first: who plans rows again waits for it, or is seen here.
        sqlx::query("UPDATE letter SET next_batch = next_batch WHERE letter = $1")
            .bind(i64::from(id.0))
            .execute(&mut *tx)
            .await?;
        // By LedgerState::code: planned, claimed, deferred.
        let done = sqlx::query(
            "UPDATE letter SET finished_ms = $2, state = 'finished'
             WHERE letter = $1 AND state = 'running' AND NOT EXISTS (
                 SELECT 1 FROM ledger_count WHERE letter = $1 AND people > 0 AND state IN (0, 1, 4))",
        )
        .bind(i64::from(id.0))
        .bind(at.as_millisecond())
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(done.rows_affected() > 0)
    }

    /// A letter that is being sent rests, for a reason.
    pub async fn pause(&self, id: LetterId, trouble: &str) -> Result<(), StoreError> {
        let sql = "UPDATE letter SET state = 'paused', trouble = $2
                   WHERE letter = $1 AND state = 'running'";
        sqlx::query(sql)
            .bind(i64::from(id.0))
            .bind(trouble.to_owned())
            .execute(self.db.writer())
            .await?;
        Ok(())
    }

    /// A letter ends: it goes on only with a new approval. What was approved is still known, for
    /// those who check what they got.
    pub async fn stop(&self, id: LetterId, reason: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE letter SET state = 'stopped', trouble = $2 WHERE letter = $1")
            .bind(i64::from(id.0))
            .bind(reason.to_owned())
            .execute(self.db.writer())
            .await?;
        Ok(())
    }

    /// Keeps a version, unless it is there.
    pub async fn keep_version(
        &self,
        id: LetterId,
        version: &str,
        body: &str,
        (at, by): (Timestamp, &str),
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO letter_version (letter, version, body, made_ms, made_by)
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (letter, version) DO NOTHING",
        )
        .bind(i64::from(id.0))
        .bind(version.to_owned())
        .bind(body.to_owned())
        .bind(at.as_millisecond())
        .bind(by.to_owned())
        .execute(self.db.writer())
        .await?;
        Ok(())
    }

    /// What a version says.
    pub async fn version(&self, id: LetterId, version: &str) -> Result<Option<String>, StoreError> {
        let row = sqlx::query("SELECT body FROM letter_version WHERE letter = $1 AND version = $2")
            .bind(i64::from(id.0))
            .bind(version.to_owned())
            .fetch_optional(self.db.reader())
            .await?;
        row.map(|row| Ok(row.try_get(0)?)).transpose()
    }

    /// The staff roster that a letter was planned for: its SHA-256, as first said.
    pub async fn letter_roster(&self, id: LetterId, now: &str) -> Result<String, StoreError> {
        let sql = "UPDATE letter SET roster = $2 WHERE letter = $1 AND roster IS NULL";
        sqlx::query(sql)
            .bind(i64::from(id.0))
            .bind(now.to_owned())
            .execute(self.db.writer())
            .await?;
        let row = sqlx::query("SELECT roster FROM letter WHERE letter = $1")
            .bind(i64::from(id.0))
            .fetch_one(self.db.writer())
            .await?;
        Ok(row.try_get(0)?)
    }

    /// A version is approved, by the warrant that the letter draws on.
    pub async fn set_approved(
        &self,
        id: LetterId,
        version: &str,
        warrant: WarrantId,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE letter SET version = $2, warrant = $3,
                 state = CASE state WHEN 'stopped' THEN 'planned' ELSE state END
             WHERE letter = $1",
        )
        .bind(i64::from(id.0))
        .bind(version.to_owned())
        .bind(warrant.to_string())
        .execute(self.db.writer())
        .await?;
        Ok(())
    }

    /// The key that makes codes and return addresses; `fresh` where there was none.
    pub async fn letter_key(&self, fresh: [u8; 32]) -> Result<Vec<u8>, StoreError> {
        sqlx::query("INSERT INTO letter_key (id, key) VALUES (1, $1) ON CONFLICT (id) DO NOTHING")
            .bind(fresh.to_vec())
            .execute(self.db.writer())
            .await?;
        let row = sqlx::query("SELECT key FROM letter_key").fetch_one(self.db.writer()).await?;
        Ok(row.try_get(0)?)
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
        state: state(&row.try_get::<String, _>(8)?)?,
        version: row.try_get(9)?,
        trouble: row.try_get(10)?,
    })
}

fn state(name: &str) -> Result<LetterState, StoreError> {
    let found = LetterState::ALL.into_iter().find(|state| state.as_str() == name);
    found.ok_or_else(|| corrupt(format!("the letter state {name:?}")))
}
