//! Steps 2 and 3: ordinary traffic, and the theft that hides in it.

use cofferdam_core::{CallerName, Clock, Rng, SystemClock, SystemRng, Timestamp};

use super::attempts::{self, Attempt, Stolen};
use super::fill::Filled;
use super::people::People;
use super::report::{DrillReport, Steps};
use super::size::Size;
use super::tally::Tally;
use super::thief::Haul;
use super::traffic::{self, OpenedSession, Visit};
use crate::CommandError;
use crate::connect::Estate;

/// The server that falls.
pub const FALLEN: &str = "web-ky-1";
/// The one that does not.
pub const HEALTHY: &str = "web-ky-2";

/// The ground on which the breach happens.
pub struct Breach<'a> {
    /// The estate.
    pub estate: &'a Estate,
    /// Synthetic customers.
    pub people: &'a People,
    /// Who is there.
    pub filled: &'a Filled,
    /// How much of everything.
    pub size: Size,
    /// What draws it all.
    pub seed: u64,
}

/// What happened.
pub struct Happened {
    /// Since when the server must be taken for fallen.
    pub since: Timestamp,
    /// All that came to the fallen server: loot and ordinary reads.
    pub truth: Tally,
    /// Sessions left open at the healthy server.
    pub sessions: Vec<OpenedSession>,
}

impl Breach<'_> {
    /// Traffic runs at both servers. The thief begins while it does, and takes all that the
    /// budget leaves when the fallen server's own traffic is over: so that the same records are
    /// taken in every run.
    pub async fn happen(
        &self,
        steps: &mut Steps,
        report: &mut DrillReport,
    ) -> Result<Happened, CommandError> {
        let since = SystemClock.now();
        let [fallen, healthy]: [CallerName; 2] = [FALLEN.parse()?, HEALTHY.parse()?];
        let (at_fallen, at_healthy) =
            (self.estate.accounts(&fallen)?, self.estate.accounts(&healthy)?);
        let (first, second) = self.halves(1);
        let (healthy_first, healthy_second) = self.halves(2);

        steps.begin("ordinary traffic");
        let ((mut truth, _), (_, mut sessions)) = tokio::try_join!(
            traffic::run(&at_fallen, first),
            traffic::run(&at_healthy, healthy_first)
        )?;
        steps.end(format!("{} sign-ins at each of two servers so far", self.size.sign_ins / 2));

        steps.begin("theft");
        let mut haul = Haul::new(self.seed, u32::try_from(self.filled.customers)?);
        let ((seen, _), ()) = tokio::try_join!(
            traffic::run(&at_fallen, second),
            haul.look_closely(&at_fallen, self.size.close_looks)
        )?;
        truth.add(&seen);
        let ((_, more), ()) =
            tokio::try_join!(traffic::run(&at_healthy, healthy_second), haul.drain(&at_fallen))?;
        sessions.extend(more);
        let attempts = self.attempts(&fallen, &sessions).await?;
        steps.end(format!("{} records taken, then the budget refused", haul.loot.people().len()));

        self.judge(&haul, &attempts, report);
        truth.add(&haul.loot);
        Ok(Happened { since, truth, sessions })
    }

    fn halves(&self, host: u64) -> (Vec<Visit>, Vec<Visit>) {
        let Size { sign_ins, .. } = self.size;
        let mut visits = traffic::plan(self.people, &self.filled.roll, self.seed, host, sign_ins);
        let second = visits.split_off(visits.len() / 2);
        (visits, second)
    }

    async fn attempts(
        &self,
        fallen: &CallerName,
        sessions: &[OpenedSession],
    ) -> Result<Vec<Attempt>, CommandError> {
        let session = sessions.first().ok_or("nobody left a session open")?;
        let token = self.filled.tokens.first().ok_or("no card was stored")?;
        let (customer, _) = self.filled.roll.shoppers().first().ok_or("nobody was imported")?;
        let estate = self.estate;
        let stolen = Stolen {
            name: fallen,
            keys: &estate.keys(fallen)?,
            accounts: &estate.accounts(fallen)?,
            payments: &estate.payments(fallen)?,
            response: &estate.response(fallen)?,
            token,
            customer: *customer,
            session: &session.token,
            now: SystemClock.now(),
            rng: &SystemRng as &dyn Rng,
        };
        Ok(attempts::try_everything(&stolen).await)
    }

    fn judge(&self, haul: &Haul, attempts: &[Attempt], report: &mut DrillReport) {
        report.loot.records = haul.loot.people().len();
        let customers = self.filled.roll.records();
        let fields = haul.loot.read.values();
        report.loot.fields = fields.map(|records| records.intersection_len(&customers)).sum();
        report.loot.attempts = attempts.iter().map(|a| (a.what, a.ended())).collect();
        let held = attempts.iter().filter(|a| a.held()).count();
        let broke: Vec<_> = attempts
            .iter()
            .filter(|a| !a.held())
            .map(|a| format!("{}: {}", a.what, a.ended()))
            .collect();
        let detail = match broke.as_slice() {
            [] => format!("{held} attempts"),
            broke => broke.join("; "),
        };
        let refused = held == attempts.len();
        report.checks.add("the thief is refused all that it may not have", refused, detail);
        let stopped = haul.budget_refusals > 0;
        let detail = format!("{} records an hour", self.size.hourly_reads);
        report.checks.add("the budget stops the thief", stopped, detail);
    }
}
