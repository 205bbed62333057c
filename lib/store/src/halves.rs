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
}

#[derive(FromRow)]
struct Row {
    from_epoch: i64,
    sealed: Option<Vec<u8>>,
    check_value: Vec<u8>,
}

impl Db {
    /// The secrets that were made, by the first epoch of each.
    pub async fn halves(&self) -> Result<BTreeMap<Epoch, KeptHalf>, StoreError> {
        const ALL: &str = "SELECT from_epoch, sealed, check_value FROM half";
        let rows: Vec<Row> = sqlx::query_as(ALL).fetch_all(self.reader()).await?;
        let read = |Row { from_epoch, sealed, check_value }: Row| {
            let outside = |_| StoreError::Corrupt("a half from an epoch above 16 bits".to_owned());
            let epoch = u16::try_from(from_epoch).map_err(outside)?;
            Ok((Epoch(epoch), KeptHalf { sealed, check_value }))
        };
        rows.into_iter().map(read).collect()
    }

    /// Notes a secret that was made. Returns whether there was none of this epoch before.
    pub async fn insert_half(&self, from: Epoch, half: &KeptHalf) -> Result<bool, StoreError> {
        const INSERT: &str = "INSERT INTO half (from_epoch, sealed, check_value) \
             VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
        let inserted = sqlx::query(INSERT)
            .bind(i64::from(from.0))
            .bind(half.sealed.as_deref())
            .bind(half.check_value.as_slice())
            .execute(self.writer())
            .await?;
        Ok(inserted.rows_affected() > 0)
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
            return Err(StoreError::InUse { place: "the PostgreSQL database".to_owned() });
        }
        Ok(())
    }
}
