//! The instances of a compartment on one PostgreSQL database, and the generation that each holds.
//! Every compartment whose instances hold a copy of what is in force has the table `instance`.

use std::collections::HashMap;
use std::time::Duration;

use sqlx::FromRow;
use tokio::time::Instant;

use crate::{Db, Generation, StoreError};

/// The time without a report after which an instance counts as ended. Its lease is over long before.
pub(crate) const ENDED_AFTER: Duration = Duration::from_secs(3);

/// An instance at one of its reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow)]
pub(crate) struct Report {
    pub(crate) id: i64,
    /// The number of its reports so far.
    pub(crate) reports: i64,
}

/// The last reports of all instances, each with the instant since which this instance knows it.
#[derive(Debug, Default)]
pub(crate) struct LastReports(HashMap<i64, (Report, Instant)>);

impl LastReports {
    /// The instant since which a report is known to be an instance's last one.
    pub(crate) fn since(&self, report: &Report) -> Option<Instant> {
        self.0.get(&report.id).filter(|(last, _)| last == report).map(|(_, since)| *since)
    }

    /// Takes the newest reports, and returns those of instances that ended without leaving, as after a
    /// kill. The next order would wait for them. The next report of one that lives after all brings it
    /// back.
    pub(crate) fn ended(&mut self, reports: Vec<Report>, now: Instant) -> Vec<Report> {
        let since = |report: &Report| self.since(report).unwrap_or(now);
        let known = reports.into_iter().map(|report| (report.id, (report, since(&report))));
        self.0 = known.collect();
        let last = self.0.values();
        let ended = last.filter(|(_, since)| now.duration_since(*since) >= ENDED_AFTER);
        ended.map(|(report, _)| *report).collect()
    }
}

impl Db {
    /// The last report of each instance.
    pub(crate) async fn reports(&self) -> Result<Vec<Report>, StoreError> {
        let reports = sqlx::query_as("SELECT id, reports FROM instance");
        Ok(reports.fetch_all(self.reader()).await?)
    }

    /// Reports the generation that an instance holds, and returns the newest one.
    pub(crate) async fn report_instance(
        &self,
        Report { id, reports }: Report,
        held: Generation,
    ) -> Result<Generation, StoreError> {
        // The lock makes the report and a change wait for each other: a change that does not see a
        // new instance's first report is seen by that report.
        const REPORT: &str = "WITH newest AS (SELECT value FROM generation FOR SHARE)
             INSERT INTO instance (id, held, reports) SELECT $1, $2, $3 FROM newest
             ON CONFLICT (id) DO UPDATE SET held = excluded.held, reports = excluded.reports
             RETURNING (SELECT value FROM newest)";
        let newest = sqlx::query_scalar(REPORT).bind(id).bind(held.0).bind(reports);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_without_reports_has_ended() {
        let start = Instant::now();
        let mut last = LastReports::default();
        let mut ended = |reports: &[(i64, i64)], seconds| {
            let reports = reports.iter().map(|&(id, reports)| Report { id, reports }).collect();
            let ended = last.ended(reports, start + Duration::from_secs(seconds));
            ended.into_iter().map(|report| report.id).collect::<Vec<_>>()
        };
        assert_eq!(ended(&[(1, 5), (2, 9)], 0), [0; 0]);
        assert_eq!(ended(&[(1, 6), (2, 9)], 2), [0; 0]);
        assert_eq!(ended(&[(1, 6), (2, 9)], 3), [2]);
        assert_eq!(ended(&[(1, 7), (2, 10)], 4), [0; 0], "it lives after all");
        assert_eq!(ended(&[(1, 7)], 6), [0; 0], "it was forgotten");
        assert_eq!(ended(&[(1, 7), (2, 10)], 7), [1], "the other one is new again");
        let since = |id, reports| last.since(&Report { id, reports });
        assert_eq!(since(1, 7), Some(start + Duration::from_secs(4)));
        assert_eq!((since(1, 6), since(1, 8), since(3, 1)), (None, None, None));
    }
}
