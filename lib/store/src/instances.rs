//! The instances of a compartment on one PostgreSQL database, and the generation that each holds.
//! Every compartment whose instances hold a copy of what is in force has the table `instance`.

use sqlx::FromRow;

use crate::{Db, Generation, StoreError};

/// An instance at one of its reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow)]
pub(crate) struct Report {
    id: i64,
    /// The number of its reports so far.
    reports: i64,
}

impl Db {
    /// Reports the generation that an instance holds, and returns the newest one.
    pub(crate) async fn report_instance(
        &self,
        id: i64,
        held: Generation,
    ) -> Result<Generation, StoreError> {
        // The lock makes the report and a change wait for each other: a change that does not see a
        // new instance's first report is seen by that report.
        const REPORT: &str = "WITH newest AS (SELECT value FROM generation FOR SHARE)
             INSERT INTO instance (id, held, reports) SELECT $1, $2, 1 FROM newest
             ON CONFLICT (id) DO UPDATE
             SET held = excluded.held, reports = instance.reports + 1
             RETURNING (SELECT value FROM newest)";
        let newest = sqlx::query_scalar(REPORT).bind(id).bind(held.0);
        Ok(Generation(newest.fetch_one(self.aside()).await?))
    }

    /// The last reports of the instances that do not hold `change`.
    pub(crate) async fn instances_behind(
        &self,
        change: Generation,
    ) -> Result<Vec<Report>, StoreError> {
        let behind = sqlx::query_as("SELECT id, reports FROM instance WHERE held < $1");
        Ok(behind.bind(change.0).fetch_all(self.reader()).await?)
    }

    /// Forgets an instance that has not reported since.
    pub(crate) async fn forget_instance(&self, of: Report) -> Result<(), StoreError> {
        let forget = sqlx::query("DELETE FROM instance WHERE id = $1 AND reports = $2");
        forget.bind(of.id).bind(of.reports).execute(self.writer()).await?;
        Ok(())
    }

    /// Removes an instance that ended.
    pub(crate) async fn remove_instance(&self, id: i64) -> Result<(), StoreError> {
        let remove = sqlx::query("DELETE FROM instance WHERE id = $1");
        remove.bind(id).execute(self.writer()).await?;
        Ok(())
    }
}
