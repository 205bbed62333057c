//! The identity of a compartment's state, and its beat. Every compartment that can be restored has
//! the table `own_state` for them.

use cofferdam_core::{StateId, Timestamp};
use sqlx::FromRow;

use crate::{Db, StoreError};

/// The only row of the table.
const ONLY_ROW: i64 = 1;

#[derive(FromRow)]
struct Row {
    state: i64,
    beat_ms: i64,
}

impl Db {
    /// The identity of the state, and its last beat; `None` if it never got one.
    pub async fn own_state(&self) -> Result<Option<(StateId, Timestamp)>, StoreError> {
        let row: Option<Row> = sqlx::query_as("SELECT state, beat_ms FROM own_state WHERE id = $1")
            .bind(ONLY_ROW)
            .fetch_optional(self.reader())
            .await?;
        row.map(|row| Ok((StateId(row.state.cast_unsigned()), instant(row.beat_ms)?))).transpose()
    }

    /// Gives the state an identity, and its first beat.
    pub async fn adopt_state(&self, state: StateId, beat: Timestamp) -> Result<(), StoreError> {
        const ADOPT: &str = "INSERT INTO own_state (id, state, beat_ms) VALUES ($1, $2, $3)
             ON CONFLICT (id) DO UPDATE SET state = excluded.state, beat_ms = excluded.beat_ms";
        sqlx::query(ADOPT)
            .bind(ONLY_ROW)
            .bind(state.0.cast_signed())
            .bind(beat.as_millisecond())
            .execute(self.writer())
            .await?;
        Ok(())
    }

    /// Writes a beat that is later than every one before, and returns it. A copy of the database
    /// that was made earlier has an earlier one.
    pub async fn beat(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        const BEAT: &str = "UPDATE own_state
             SET beat_ms = CASE WHEN beat_ms < $1 THEN $1 ELSE beat_ms + 1 END
             WHERE id = $2 RETURNING beat_ms";
        let beat: Option<i64> = sqlx::query_scalar(BEAT)
            .bind(now.as_millisecond())
            .bind(ONLY_ROW)
            .fetch_optional(self.writer())
            .await?;
        beat.map(instant).transpose()
    }
}

fn instant(milliseconds: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(milliseconds)
        .map_err(|_| StoreError::Corrupt("a beat outside the calendar".to_owned()))
}
