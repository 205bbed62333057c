//! Letters, one row a mailing; their versions and locales; and the mail providers.

use std::collections::BTreeMap;

use cofferdam_core::{Sha256, Timestamp};
use cofferdam_store::StoreError;
use keys_api::WarrantId;
use response_api::{Audience, IncidentId, LedgerState, LetterId, LetterState};
use response_letter::{IdForm, Locale, MessageIds};
use response_mailing::Letter;
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::rows::{corrupt, number, optional_instant, optional_parsed, sql};
use super::{Act, Store, Turn};

const COLUMNS: &str = "SELECT letter, incident, audience, seed, warrant, planned, started_ms,
     finished_ms, state, version, trouble, id_form FROM letter";

impl Store {
    /// Reads the letter to an audience about an incident. A new letter gets `seed`, which
    /// makes its Message-IDs.
    pub async fn letter_to(
        &self,
        incident: IncidentId,
        audience: Audience,
        seed: [u8; 32],
    ) -> Result<Letter, StoreError> {
        let mut tx = self.begin().await?;
        tx.take_turn(Turn::Number).await?;
        sqlx::query(
            "INSERT INTO letter (letter, incident, audience, seed, id_form, planned)
             SELECT COALESCE(MAX(letter), 0) + 1, $1, $2, $3, $4, 0 FROM letter WHERE TRUE
             ON CONFLICT (incident, audience) DO NOTHING",
        )
        .bind(i64::from(incident.0))
        .bind(audience.as_str())
        .bind(seed.to_vec())
        .bind(i64::from(IdForm::Sealed.code()))
        .execute(&mut *tx.tx)
        .await?;
        tx.commit().await?;
        let letters = self.letters_about(incident).await?;
        let found = letters.into_iter().find(|letter| letter.audience == audience);
        found.ok_or_else(|| corrupt("a letter that was just written is lost"))
    }

    /// Reads one letter.
    pub async fn letter(&self, id: LetterId) -> Result<Option<Letter>, StoreError> {
        let row = sqlx::query(sql(format!("{COLUMNS} WHERE letter = $1")))
            .bind(i64::from(id.0))
            .fetch_optional(self.db.reader())
            .await?;
        row.as_ref().map(letter).transpose()
    }

    /// Reads the letters about an incident.
    pub async fn letters_about(&self, incident: IncidentId) -> Result<Vec<Letter>, StoreError> {
        let rows = sqlx::query(sql(format!("{COLUMNS} WHERE incident = $1 ORDER BY letter")))
            .bind(i64::from(incident.0))
            .fetch_all(self.db.reader())
            .await?;
        rows.iter().map(letter).collect()
    }

    /// Reads every letter.
    pub async fn letters(&self) -> Result<Vec<Letter>, StoreError> {
        let rows = sqlx::query(sql(format!("{COLUMNS} ORDER BY letter")));
        rows.fetch_all(self.db.reader()).await?.iter().map(letter).collect()
    }

    /// Notes that the ledger of a letter holds everybody; `false` if this was noted before.
    pub async fn set_planned(&self, id: LetterId, act: &Act) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let done = sqlx::query("UPDATE letter SET planned = 1 WHERE letter = $1 AND planned = 0")
            .bind(i64::from(id.0))
            .execute(&mut *tx.tx)
            .await?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        tx.journal(act).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Starts an approved version. A resumed letter keeps its first start. `false` if the letter
    /// was stopped or another version approved meanwhile.
    pub async fn set_running(
        &self,
        id: LetterId,
        version: Sha256,
        act: &Act,
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let done = sqlx::query(
            "UPDATE letter SET started_ms = COALESCE(started_ms, $2), finished_ms = NULL,
                 state = 'running', trouble = ''
             WHERE letter = $1 AND state <> 'stopped' AND version = $3",
        )
        .bind(i64::from(id.0))
        .bind(act.at.as_millisecond())
        .bind(version.to_string())
        .execute(&mut *tx.tx)
        .await?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        tx.journal(act).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Finishes a running letter without open rows; `false` for any other letter.
    pub async fn set_finished(&self, id: LetterId, at: Timestamp) -> Result<bool, StoreError> {
        const PLANNED: u8 = LedgerState::Planned.code();
        const CLAIMED: u8 = LedgerState::Claimed.code();
        const DEFERRED: u8 = LedgerState::Deferred.code();
        let mut tx = self.begin().await?;
        // The letter's row is locked first: an act that replans rows either waits for it, or is
        // seen here.
        sqlx::query("UPDATE letter SET next_batch = next_batch WHERE letter = $1")
            .bind(i64::from(id.0))
            .execute(&mut *tx.tx)
            .await?;
        let done = sqlx::query(sql(format!(
            "UPDATE letter SET finished_ms = $2, state = 'finished'
             WHERE letter = $1 AND state = 'running' AND NOT EXISTS (
                 SELECT 1 FROM ledger_count WHERE letter = $1 AND people > 0
                     AND state IN ({PLANNED}, {CLAIMED}, {DEFERRED}))"
        )))
        .bind(i64::from(id.0))
        .bind(at.as_millisecond())
        .execute(&mut *tx.tx)
        .await?;
        tx.commit().await?;
        Ok(done.rows_affected() > 0)
    }

    /// Pauses a running letter. Staff see the reason. `act` is missing if a worker pauses the
    /// letter.
    pub async fn pause(
        &self,
        id: LetterId,
        reason: &str,
        act: Option<&Act>,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query(
            "UPDATE letter SET state = 'paused', trouble = $2
             WHERE letter = $1 AND state = 'running'",
        )
        .bind(i64::from(id.0))
        .bind(reason.to_owned())
        .execute(&mut *tx.tx)
        .await?;
        if let Some(act) = act {
            tx.journal(act).await?;
        }
        tx.commit().await
    }

    /// Stops a letter for good. Its version is kept for people who check the letter that they got.
    pub async fn stop(&self, id: LetterId, reason: &str, act: &Act) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query("UPDATE letter SET state = 'stopped', trouble = $2 WHERE letter = $1")
            .bind(i64::from(id.0))
            .bind(reason.to_owned())
            .execute(&mut *tx.tx)
            .await?;
        tx.journal(act).await?;
        tx.commit().await
    }

    /// Keeps a version, unless it is known.
    pub async fn keep_version(
        &self,
        id: LetterId,
        version: Sha256,
        json: &str,
        act: &Act,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query(
            "INSERT INTO letter_version (letter, version, body, made_ms, made_by)
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (letter, version) DO NOTHING",
        )
        .bind(i64::from(id.0))
        .bind(version.to_string())
        .bind(json.to_owned())
        .bind(act.at.as_millisecond())
        .bind(act.by.name.to_string())
        .execute(&mut *tx.tx)
        .await?;
        tx.journal(act).await?;
        tx.commit().await
    }

    /// Reads the JSON of a version.
    pub async fn version(
        &self,
        id: LetterId,
        version: Sha256,
    ) -> Result<Option<String>, StoreError> {
        let row = sqlx::query("SELECT body FROM letter_version WHERE letter = $1 AND version = $2")
            .bind(i64::from(id.0))
            .bind(version.to_string())
            .fetch_optional(self.db.reader())
            .await?;
        Ok(row.map(|row| row.try_get("body")).transpose()?)
    }

    /// Approves a version, with the warrant under which contacts are read.
    pub async fn set_approved(
        &self,
        id: LetterId,
        version: Sha256,
        warrant: WarrantId,
        act: &Act,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query(
            "UPDATE letter SET version = $2, warrant = $3,
                 state = CASE state WHEN 'stopped' THEN 'planned' ELSE state END
             WHERE letter = $1",
        )
        .bind(i64::from(id.0))
        .bind(version.to_string())
        .bind(warrant.to_string())
        .execute(&mut *tx.tx)
        .await?;
        tx.journal(act).await?;
        tx.commit().await
    }

    /// The SHA-256 of the staff list that a letter was planned for. The first call sets it to
    /// `now`.
    pub async fn staff_list_of(&self, id: LetterId, now: Sha256) -> Result<Sha256, StoreError> {
        sqlx::query("UPDATE letter SET staff_list = $2 WHERE letter = $1 AND staff_list IS NULL")
            .bind(i64::from(id.0))
            .bind(now.to_string())
            .execute(self.db.writer())
            .await?;
        let row = sqlx::query("SELECT staff_list FROM letter WHERE letter = $1")
            .bind(i64::from(id.0))
            .fetch_one(self.db.writer())
            .await?;
        super::rows::parsed(&row, "staff_list")
    }

    /// Numbers the locales of a letter by their place.
    pub async fn set_locales(&self, letter: LetterId, all: &[Locale]) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        for (number, locale) in (0_i64..).zip(all) {
            sqlx::query(
                "INSERT INTO letter_locale (letter, locale, language, jurisdiction)
                 VALUES ($1, $2, $3, $4) ON CONFLICT (letter, locale) DO NOTHING",
            )
            .bind(i64::from(letter.0))
            .bind(number)
            .bind(locale.language.clone())
            .bind(locale.jurisdiction.clone())
            .execute(&mut *tx.tx)
            .await?;
        }
        tx.commit().await
    }

    /// Reads the locales of a letter, by number.
    pub async fn locales(&self, letter: LetterId) -> Result<Vec<Locale>, StoreError> {
        let rows = sqlx::query(
            "SELECT language, jurisdiction FROM letter_locale WHERE letter = $1 ORDER BY locale",
        )
        .bind(i64::from(letter.0))
        .fetch_all(self.db.reader())
        .await?;
        let locale = |row: &AnyRow| {
            let (language, jurisdiction) = (row.try_get("language")?, row.try_get("jurisdiction")?);
            Ok(Locale { language, jurisdiction })
        };
        rows.iter().map(locale).collect()
    }

    /// The secret that makes codes and return addresses. The first call sets it to `fresh`.
    pub async fn letter_key(&self, fresh: [u8; 32]) -> Result<Vec<u8>, StoreError> {
        sqlx::query("INSERT INTO letter_key (id, key) VALUES (1, $1) ON CONFLICT (id) DO NOTHING")
            .bind(fresh.to_vec())
            .execute(self.db.writer())
            .await?;
        let row = sqlx::query("SELECT key FROM letter_key").fetch_one(self.db.writer()).await?;
        Ok(row.try_get("key")?)
    }

    /// Reads the number of a mail provider. A new name gets a number.
    pub async fn provider_number(&self, name: &str) -> Result<u16, StoreError> {
        let mut tx = self.begin().await?;
        tx.take_turn(Turn::Number).await?;
        sqlx::query(
            "INSERT INTO mail_provider (provider, name)
             SELECT COALESCE(MAX(provider), 0) + 1, $1 FROM mail_provider WHERE TRUE
             ON CONFLICT (name) DO NOTHING",
        )
        .bind(name.to_owned())
        .execute(&mut *tx.tx)
        .await?;
        tx.commit().await?;
        let row = sqlx::query("SELECT provider FROM mail_provider WHERE name = $1")
            .bind(name.to_owned())
            .fetch_one(self.db.reader())
            .await?;
        number(&row, "provider")
    }

    /// Pauses a letter's mail to a provider. The first reason stays. `act` is missing if a worker
    /// pauses it.
    pub async fn pause_provider(
        &self,
        letter: LetterId,
        provider: u16,
        (reason, at): (&str, Timestamp),
        act: Option<&Act>,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query(
            "INSERT INTO provider_pause (letter, provider, why, at_ms) VALUES ($1, $2, $3, $4)
             ON CONFLICT (letter, provider) DO NOTHING",
        )
        .bind(i64::from(letter.0))
        .bind(i64::from(provider))
        .bind(reason.to_owned())
        .bind(at.as_millisecond())
        .execute(&mut *tx.tx)
        .await?;
        if let Some(act) = act {
            tx.journal(act).await?;
        }
        tx.commit().await
    }

    /// Ends the pause of a provider.
    pub async fn resume_provider(
        &self,
        letter: LetterId,
        provider: u16,
        act: &Act,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query("DELETE FROM provider_pause WHERE letter = $1 AND provider = $2")
            .bind(i64::from(letter.0))
            .bind(i64::from(provider))
            .execute(&mut *tx.tx)
            .await?;
        tx.journal(act).await?;
        tx.commit().await
    }

    /// Reads the paused providers of a letter, each with the reason.
    pub async fn provider_pauses(
        &self,
        letter: LetterId,
    ) -> Result<BTreeMap<u16, String>, StoreError> {
        let rows = sqlx::query("SELECT provider, why FROM provider_pause WHERE letter = $1")
            .bind(i64::from(letter.0))
            .fetch_all(self.db.reader())
            .await?;
        rows.iter().map(|row| Ok((number(row, "provider")?, row.try_get("why")?))).collect()
    }
}

fn letter(row: &AnyRow) -> Result<Letter, StoreError> {
    let (audience, state): (String, String) = (row.try_get("audience")?, row.try_get("state")?);
    let audience = Audience::ALL
        .into_iter()
        .find(|of| of.as_str() == audience)
        .ok_or_else(|| corrupt(format!("the audience {audience:?}")))?;
    let state = LetterState::ALL
        .into_iter()
        .find(|of| of.as_str() == state)
        .ok_or_else(|| corrupt(format!("the letter state {state:?}")))?;
    let id = LetterId(number(row, "letter")?);
    let form: i64 = row.try_get("id_form")?;
    let form = IdForm::from_code(form)
        .ok_or_else(|| corrupt(format!("the form {form} of Message-IDs")))?;
    Ok(Letter {
        letter: id,
        incident: IncidentId(number(row, "incident")?),
        audience,
        ids: MessageIds::new(id, form, row.try_get("seed")?),
        warrant: optional_parsed(row, "warrant")?,
        planned: row.try_get::<i64, _>("planned")? != 0,
        state,
        version: optional_parsed(row, "version")?,
        trouble: row.try_get("trouble")?,
        started: optional_instant(row, "started_ms")?,
        finished: optional_instant(row, "finished_ms")?,
    })
}
