//! The secrets from which a compartment makes its halves of keys, as its database knows them: when
//! each begins, and what it must be. Every compartment that asks `keys` for keys has the table `half`.

use std::collections::BTreeMap;

use cofferdam_core::Epoch;
use sqlx::FromRow;

use crate::{Backend, Db, StoreError};

/// A secret that is in custody elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptHalf {
    /// The secret as a hardware module sealed it, if a module keeps it.
    pub sealed: Option<Vec<u8>>,
    /// A value that only the right secret has. It tells nothing about the secret.
    pub check_value: Vec<u8>,
    /// How far data has moved to the half.
    pub stage: HalfStage,
}

/// How far data has moved to a half. A stage never goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HalfStage {
    /// The secret was made.
    Made = 0,
    /// Its first epoch has begun: nothing is sealed under an earlier one any more.
    Begun = 1,
    /// All data rests under it.
    Complete = 2,
}

impl HalfStage {
    const ALL: [Self; 3] = [Self::Made, Self::Begun, Self::Complete];
}

#[derive(FromRow)]
struct Row {
    from_epoch: i64,
    sealed: Option<Vec<u8>>,
    check_value: Vec<u8>,
    stage: i64,
}

impl Db {
    /// The secrets that were made, by the first epoch of each.
    pub async fn halves(&self) -> Result<BTreeMap<Epoch, KeptHalf>, StoreError> {
        const ALL: &str = "SELECT from_epoch, sealed, check_value, stage FROM half";
        let rows: Vec<Row> = sqlx::query_as(ALL).fetch_all(self.reader()).await?;
        let read = |Row { from_epoch, sealed, check_value, stage }: Row| {
            let stage = HalfStage::ALL.into_iter().find(|of| *of as i64 == stage);
            let unknown = || StoreError::Corrupt("a half at no known stage".to_owned());
            let stage = stage.ok_or_else(unknown)?;
            Ok((epoch_of(from_epoch)?, KeptHalf { sealed, check_value, stage }))
        };
        rows.into_iter().map(read).collect()
    }

    /// Notes secrets that were made, all or none. Returns `false` if one of their epochs had one.
    pub async fn insert_halves(
        &self,
        halves: &BTreeMap<Epoch, KeptHalf>,
    ) -> Result<bool, StoreError> {
        const INSERT: &str = "INSERT INTO half (from_epoch, sealed, check_value, stage) \
             VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
        let mut tx = self.begin().await?;
        for (from, half) in halves {
            let inserted = sqlx::query(INSERT)
                .bind(i64::from(from.0))
                .bind(half.sealed.as_deref())
                .bind(half.check_value.as_slice())
                .bind(half.stage as i64)
                .execute(&mut *tx)
                .await?;
            if inserted.rows_affected() == 0 {
                return Ok(false);
            }
        }
        tx.commit().await?;
        Ok(true)
    }

    /// Notes that data has moved to a half as far as `stage`.
    pub async fn note_half_stage(&self, from: Epoch, stage: HalfStage) -> Result<(), StoreError> {
        let note = sqlx::query("UPDATE half SET stage = $1 WHERE from_epoch = $2 AND stage < $1");
        note.bind(stage as i64).bind(i64::from(from.0)).execute(self.writer()).await?;
        Ok(())
    }

    /// Forgets a half under which nothing rests.
    pub async fn forget_half(&self, from: Epoch) -> Result<(), StoreError> {
        let forget = sqlx::query("DELETE FROM half WHERE from_epoch = $1");
        forget.bind(i64::from(from.0)).execute(self.writer()).await?;
        Ok(())
    }

    /// Claims the database for a change that no running instance may miss. Fails if an instance runs:
    /// on PostgreSQL, one that reports during the next three seconds.
    pub async fn claim_stopped(&self) -> Result<(), StoreError> {
        if self.backend() == Backend::Sqlite {
            return self.claim();
        }
        let before = self.reports().await?;
        if before.is_empty() {
            return Ok(());
        }
        tokio::time::sleep(crate::instances::ENDED_AFTER).await;
        let lives = |report: &_| !before.contains(report);
        if self.reports().await?.iter().any(lives) {
            return Err(StoreError::Running);
        }
        Ok(())
    }
}

/// The epoch of a stored number.
pub fn epoch_of(number: i64) -> Result<Epoch, StoreError> {
    let number = u16::try_from(number);
    number.map(Epoch).map_err(|_| StoreError::Corrupt("an epoch above 16 bits".to_owned()))
}
