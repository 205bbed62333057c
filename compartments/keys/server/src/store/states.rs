//! The newest state of each domain's compartment, and the record numbers that were given out.

use std::collections::BTreeMap;

use cofferdam_core::{Domain, StateId, Timestamp};
use cofferdam_store::{Db, StoreError};
use sqlx::FromRow;

use super::domain_of;

#[derive(FromRow)]
struct StateRow {
    state: i64,
    beat_ms: i64,
}

#[derive(FromRow)]
struct NumbersRow {
    domain: String,
    upto: i64,
}

/// The newest state of a domain, and its last beat.
pub async fn newest_state(
    db: &Db,
    domain: Domain,
) -> Result<Option<(StateId, Timestamp)>, StoreError> {
    let row: Option<StateRow> =
        sqlx::query_as("SELECT state, beat_ms FROM compartment_state WHERE domain = $1")
            .bind(domain.as_str())
            .fetch_optional(db.reader())
            .await?;
    let read = |row: StateRow| {
        let beat = Timestamp::from_millisecond(row.beat_ms);
        let beat = beat.map_err(|_| StoreError::Corrupt("a beat outside the calendar".into()))?;
        Ok((StateId(row.state.cast_unsigned()), beat))
    };
    row.map(read).transpose()
}

/// Makes a state the newest of its domain.
pub async fn set_state(
    db: &Db,
    domain: Domain,
    state: StateId,
    beat: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO compartment_state (domain, state, beat_ms) VALUES ($1, $2, $3)
         ON CONFLICT (domain) DO UPDATE SET state = excluded.state, beat_ms = excluded.beat_ms",
    )
    .bind(domain.as_str())
    .bind(state.0.cast_signed())
    .bind(beat.as_millisecond())
    .execute(db.writer())
    .await?;
    Ok(())
}

/// Notes a later beat of the newest state.
pub async fn set_beat(
    db: &Db,
    domain: Domain,
    state: StateId,
    beat: Timestamp,
) -> Result<(), StoreError> {
    const SET: &str = "UPDATE compartment_state SET beat_ms = $1
         WHERE domain = $2 AND state = $3 AND beat_ms < $1";
    sqlx::query(SET)
        .bind(beat.as_millisecond())
        .bind(domain.as_str())
        .bind(state.0.cast_signed())
        .execute(db.writer())
        .await?;
    Ok(())
}

/// The number behind the last record number that each domain gave out.
pub async fn numbers_given(db: &Db) -> Result<BTreeMap<Domain, u32>, StoreError> {
    let rows: Vec<NumbersRow> =
        sqlx::query_as("SELECT domain, upto FROM numbers_given").fetch_all(db.reader()).await?;
    let read = |row: NumbersRow| {
        let upto = u32::try_from(row.upto);
        let upto = upto.map_err(|_| StoreError::Corrupt("a number above 32 bits".into()))?;
        Ok((domain_of(&row.domain)?, upto))
    };
    rows.into_iter().map(read).collect()
}

/// Notes that a domain gave out the numbers below `upto`.
pub async fn raise_numbers(db: &Db, domain: Domain, upto: u32) -> Result<(), StoreError> {
    const RAISE: &str = "INSERT INTO numbers_given (domain, upto) VALUES ($1, $2)
         ON CONFLICT (domain) DO UPDATE SET upto = excluded.upto
         WHERE excluded.upto > numbers_given.upto";
    sqlx::query(RAISE).bind(domain.as_str()).bind(i64::from(upto)).execute(db.writer()).await?;
    Ok(())
}
