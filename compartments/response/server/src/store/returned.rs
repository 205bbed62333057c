//! Returned mail that nothing understood.

use cofferdam_core::Timestamp;
use cofferdam_store::StoreError;
use response_api::{LedgerState, LetterId, ReturnedDecision, ReturnedMail};
use response_mailing::{CameBack, Outcome};
use sqlx::Row as _;

use super::rows::{corrupt, instant, number, sql};
use super::{Act, Store, Tx};

/// The number of messages of one person's letter that are kept.
const KEPT: u32 = 3;
/// The number of people in a page.
const PAGE: u32 = 1_000;
/// A condition for people about whom nobody has decided.
const UNDECIDED: &str = "decision = ''";

/// A kept message.
pub struct StoredReturned {
    /// The instant at which it came.
    pub at: Timestamp,
    /// The size of the whole message, in bytes.
    pub bytes: u64,
    /// Its beginning, sealed.
    pub sealed: Vec<u8>,
    /// The number of messages of this person that came until now.
    pub messages: u32,
    /// The number of those that are kept.
    pub kept: u32,
}

/// The fate of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decided {
    /// The decision was stored.
    Stands,
    /// There is nothing to decide: no mail came back from the person.
    NothingCame,
    /// Other messages came than those that were seen. Nobody has decided.
    NotSeen {
        /// The number of messages that came.
        messages: u32,
    },
    /// The letter is still being sent.
    TooEarly,
}

impl Store {
    /// Counts a message that came back, and keeps it if there is room. `seal` gets its number. A
    /// decision that was made without it ends.
    pub async fn keep_returned(
        &self,
        (letter, person): (LetterId, u32),
        at: Timestamp,
        bytes: u64,
        seal: impl FnOnce(u32) -> Vec<u8>,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let row = sqlx::query(
            "INSERT INTO returned_mail (letter, person, messages, last_ms, decision)
             VALUES ($1, $2, 1, $3, '')
             ON CONFLICT (letter, person) DO UPDATE SET messages = returned_mail.messages + 1,
                 last_ms = excluded.last_ms, decision = ''
             RETURNING messages",
        )
        .bind(i64::from(letter.0))
        .bind(i64::from(person))
        .bind(at.as_millisecond())
        .fetch_one(&mut *tx.tx)
        .await?;
        let place = number::<i64>(&row, "messages")? - 1;
        if let Some(place) = u32::try_from(place).ok().filter(|place| *place < KEPT) {
            sqlx::query(
                "INSERT INTO returned_text (letter, person, number, at_ms, bytes, sealed)
                 VALUES ($1, $2, $3, $4, $5, $6)",
            )
            .bind(i64::from(letter.0))
            .bind(i64::from(person))
            .bind(i64::from(place))
            .bind(at.as_millisecond())
            .bind(i64::try_from(bytes).map_err(corrupt)?)
            .bind(seal(place))
            .execute(&mut *tx.tx)
            .await?;
        }
        tx.commit().await
    }

    /// Reads what came back, from person `from` on, ascending.
    pub async fn returned(
        &self,
        letter: LetterId,
        from: u32,
        with_decided: bool,
    ) -> Result<Vec<ReturnedMail>, StoreError> {
        let condition = if with_decided { "1 = 1" } else { UNDECIDED };
        let rows = sqlx::query(sql(format!(
            "SELECT person, messages, last_ms, decision FROM returned_mail
             WHERE letter = $1 AND person >= $2 AND {condition} ORDER BY person LIMIT $3"
        )))
        .bind(i64::from(letter.0))
        .bind(i64::from(from))
        .bind(i64::from(PAGE))
        .fetch_all(self.db.reader())
        .await?;
        let mail = |row| {
            let messages = number(row, "messages")?;
            Ok(ReturnedMail {
                person: number(row, "person")?,
                messages,
                kept: messages.min(KEPT),
                last: instant(row, "last_ms")?,
                decision: decision(&row.try_get::<String, _>("decision")?)?,
            })
        };
        rows.iter().map(mail).collect()
    }

    /// Reads a kept message.
    pub async fn returned_text(
        &self,
        (letter, person): (LetterId, u32),
        place: u32,
    ) -> Result<Option<StoredReturned>, StoreError> {
        let row = sqlx::query(
            "SELECT t.at_ms, t.bytes, t.sealed, m.messages FROM returned_text t
             JOIN returned_mail m ON m.letter = t.letter AND m.person = t.person
             WHERE t.letter = $1 AND t.person = $2 AND t.number = $3",
        )
        .bind(i64::from(letter.0))
        .bind(i64::from(person))
        .bind(i64::from(place))
        .fetch_optional(self.db.reader())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let (at, bytes) = (instant(&row, "at_ms")?, number::<i64>(&row, "bytes")?.unsigned_abs());
        let (messages, sealed) = (number(&row, "messages")?, row.try_get("sealed")?);
        Ok(Some(StoredReturned { at, bytes, sealed, messages, kept: messages.min(KEPT) }))
    }

    /// Counts the people of a letter about whom nobody has decided, and all messages.
    pub async fn count_returned(&self, letter: LetterId) -> Result<(u64, u64), StoreError> {
        let row = sqlx::query(sql(format!(
            "SELECT COALESCE(SUM(CASE WHEN {UNDECIDED} THEN 1 ELSE 0 END), 0) AS people,
                    CAST(COALESCE(SUM(messages), 0) AS BIGINT) AS messages
             FROM returned_mail WHERE letter = $1"
        )))
        .bind(i64::from(letter.0))
        .fetch_one(self.db.reader())
        .await?;
        let count = |column| Ok::<_, StoreError>(number::<i64>(&row, column)?.unsigned_abs());
        Ok((count("people")?, count("messages")?))
    }

    /// Records a decision of staff who saw the first `seen` messages of a person. The decision and
    /// the row that it moves are written together. A message that is on its way waits, and then ends
    /// the decision.
    pub async fn decide_returned(
        &self,
        (letter, person): (LetterId, u32),
        seen: u32,
        decision: ReturnedDecision,
        act: &Act,
    ) -> Result<Decided, StoreError> {
        let mut tx = self.begin().await?;
        let done = sqlx::query(
            "UPDATE returned_mail SET decision = $3
             WHERE letter = $1 AND person = $2 AND messages = $4",
        )
        .bind(i64::from(letter.0))
        .bind(i64::from(person))
        .bind(decision.as_str())
        .bind(i64::from(seen))
        .execute(&mut *tx.tx)
        .await?;
        if done.rows_affected() == 0 {
            return tx.undecided(letter, person).await;
        }
        if decision == ReturnedDecision::NotReached {
            let outcome = not_reached(person, act.at);
            if tx.came_back(letter, &outcome).await? == CameBack::TooEarly {
                return Ok(Decided::TooEarly);
            }
        }
        tx.journal(act).await?;
        tx.commit().await?;
        Ok(Decided::Stands)
    }

    /// The number of the last person in a letter's ledger; `None` if nobody is in it.
    pub async fn last_person(&self, letter: LetterId) -> Result<Option<u32>, StoreError> {
        let row =
            sqlx::query("SELECT COALESCE(MAX(person), -1) AS last FROM ledger WHERE letter = $1")
                .bind(i64::from(letter.0))
                .fetch_one(self.db.reader())
                .await?;
        Ok(u32::try_from(row.try_get::<i64, _>("last")?).ok())
    }
}

impl Tx {
    /// Why a decision about a person does not stand.
    async fn undecided(&mut self, letter: LetterId, person: u32) -> Result<Decided, StoreError> {
        let row =
            sqlx::query("SELECT messages FROM returned_mail WHERE letter = $1 AND person = $2")
                .bind(i64::from(letter.0))
                .bind(i64::from(person))
                .fetch_optional(&mut *self.tx)
                .await?;
        let messages = row.as_ref().map(|row| number(row, "messages")).transpose()?;
        Ok(messages.map_or(Decided::NothingCame, |messages| Decided::NotSeen { messages }))
    }
}

/// The outcome of a letter of which a person decided that it did not arrive.
fn not_reached(person: u32, at: Timestamp) -> Outcome {
    let detail = "5.0.0 decided from what came back".to_owned();
    Outcome { person, state: LedgerState::Bounced, provider: 0, detail, at }
}

fn decision(name: &str) -> Result<Option<ReturnedDecision>, StoreError> {
    if name.is_empty() {
        return Ok(None);
    }
    let found = ReturnedDecision::ALL.into_iter().find(|known| known.as_str() == name);
    found.map(Some).ok_or_else(|| corrupt(format!("the decision {name:?}")))
}
