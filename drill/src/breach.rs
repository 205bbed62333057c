//! Ordinary traffic at two app servers, and the theft that hides in it at one of them.

use cofferdam_core::{CallerName, Clock, Personal, Record, Rng, SystemClock, SystemRng, Timestamp};
use estate::{Compartment, Estate};

use crate::attempts::{self, Attempt, Stolen};
use crate::error::DrillError;
use crate::fill::Filled;
use crate::people::People;
use crate::recorder::Recorder;
use crate::size::Size;
use crate::tally::Tally;
use crate::thief::Haul;
use crate::traffic::{self, OpenedSession, Visit};

/// The app server that falls.
pub const FALLEN: &str = "web-ky-1";
/// The number of customers whom the thief looks up by their addresses.
const LOOK_UPS: usize = 7;

/// The app server that stays healthy.
pub const HEALTHY: &str = "web-ky-2";

/// The estate and the people of the breach.
pub struct Breach<'a> {
    /// The estate that the breach happens in.
    pub estate: &'a Estate,
    /// The synthetic customers.
    pub people: &'a People,
    /// The contents of the compartments.
    pub filled: &'a Filled,
    /// The counts of everything that happens in the breach.
    pub size: Size,
    /// The seed of every random choice.
    pub seed: u64,
    /// Whether app servers see customers only while these are signed in there.
    pub presence: bool,
}

/// The result of the breach.
pub struct Happened {
    /// The instant from which the server counts as fallen.
    pub since: Timestamp,
    /// Everything that came to the fallen host: loot and ordinary reads.
    pub truth: Tally,
    /// Sessions left open at the healthy server.
    pub sessions: Vec<OpenedSession>,
    /// The customers for whom the thief asked for a reset code, which was mailed.
    pub reset_asked: Vec<Record>,
}

impl Breach<'_> {
    /// Lets the app server fall. The thief begins while traffic runs at both servers, and drains
    /// the budget after the fallen server's own traffic is over. So every run of a seed takes the
    /// same records.
    pub async fn happen(&self, recorder: &mut Recorder<'_>) -> Result<Happened, DrillError> {
        let since = SystemClock.now();
        let [fallen, healthy]: [CallerName; 2] = [FALLEN.parse()?, HEALTHY.parse()?];
        let at_fallen = self.estate.client(Compartment::Accounts, &fallen)?;
        let at_healthy = self.estate.client(Compartment::Accounts, &healthy)?;
        let (first, second) = self.visits_in_halves(1)?;
        let (healthy_first, healthy_second) = self.visits_in_halves(2)?;

        recorder.begin("ordinary traffic");
        let ((mut truth, mut caught), (_, mut sessions)) = tokio::try_join!(
            traffic::run(&at_fallen, first),
            traffic::run(&at_healthy, healthy_first)
        )?;
        recorder.end(format!("{} sign-ins at each of two servers so far", self.size.sign_ins / 2));

        recorder.begin("theft");
        let mut haul = Haul::new(self.seed, &self.filled.numbers);
        let first_theft = async {
            if self.presence {
                Ok(())
            } else {
                haul.look_closely(&at_fallen, self.size.close_looks).await
            }
        };
        let ((seen, more), ()) = tokio::try_join!(traffic::run(&at_fallen, second), first_theft)?;
        truth.add(&seen);
        caught.extend(more);
        let second_theft = async {
            if self.presence {
                haul.take_those_signed_in(&at_fallen, &caught, self.size.close_looks).await
            } else {
                haul.drain(&at_fallen).await
            }
        };
        let ((_, more), ()) =
            tokio::try_join!(traffic::run(&at_healthy, healthy_second), second_theft)?;
        sessions.extend(more);
        let wanted = self.wanted_by_address();
        haul.look_up(&at_fallen, &wanted).await?;
        let attempts = self.try_everything(&fallen, &sessions).await?;
        let taken = haul.loot.people().len();
        let stop = if self.presence { "nobody else is signed in" } else { "the budget refused" };
        recorder.end(format!("{taken} records taken, then {stop}"));

        self.judge_theft(&haul, &attempts, recorder);
        truth.add(&haul.loot);
        if self.presence {
            // The thief showed the token of a session from the other server.
            let shown = sessions.first().map(|of| of.number);
            let shoppers = self.filled.roll.shoppers().iter();
            let whose = shoppers.filter(|(_, number)| Some(*number) == shown);
            whose.for_each(|(record, _)| truth.add_session(*record));
        }
        let reset_asked = wanted.into_iter().map(|(record, _)| record).collect();
        Ok(Happened { since, truth, sessions, reset_asked })
    }

    /// The customers whose addresses the thief has from elsewhere.
    fn wanted_by_address(&self) -> Vec<(Record, Personal)> {
        let shoppers = self.filled.roll.shoppers().iter().rev().take(LOOK_UPS);
        let address = |number| Personal::new(self.people.person(number).email);
        shoppers.map(|(record, number)| (*record, address(*number))).collect()
    }

    fn visits_in_halves(&self, host: u64) -> Result<(Vec<Visit>, Vec<Visit>), DrillError> {
        let Size { sign_ins, .. } = self.size;
        let mut visits = traffic::plan(self.people, self.filled, self.seed, host, sign_ins)?;
        let second = visits.split_off(visits.len() / 2);
        Ok((visits, second))
    }

    async fn try_everything(
        &self,
        fallen: &CallerName,
        sessions: &[OpenedSession],
    ) -> Result<Vec<Attempt>, DrillError> {
        let missing = |what: &str| DrillError::unexpected(what);
        let session = sessions.first().ok_or_else(|| missing("nobody left a session open"))?;
        let token = self.filled.tokens.first().ok_or_else(|| missing("no card was stored"))?;
        let shopper = self.filled.roll.shoppers().first();
        let (customer, _) = shopper.ok_or_else(|| missing("nobody was imported"))?;
        let client = |of| self.estate.client(of, fallen);
        let stolen = Stolen {
            name: fallen,
            keys: &client(Compartment::Keys)?,
            accounts: &client(Compartment::Accounts)?,
            payments: &client(Compartment::Payments)?,
            response: &client(Compartment::Response)?,
            token,
            customer: self.filled.numbers.number(*customer)?,
            session: &session.token,
            presence: self.presence,
            now: SystemClock.now(),
            rng: &SystemRng as &dyn Rng,
        };
        Ok(attempts::try_everything(&stolen).await)
    }

    fn judge_theft(&self, haul: &Haul<'_>, attempts: &[Attempt], recorder: &mut Recorder<'_>) {
        let loot = &mut recorder.report.loot;
        loot.records = haul.loot.people().len();
        let customers = self.filled.roll.records();
        let fields = haul.loot.read.values();
        loot.fields = fields.map(|records| records.intersection_len(&customers)).sum();
        loot.attempts = attempts.iter().map(|a| (a.what, a.ended())).collect();
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
        recorder.check("the thief is refused all that it may not have", refused, detail);
        if self.presence {
            let detail = format!("{} of {} reads refused", haul.absent_refusals, haul.absent_reads);
            let refused = haul.absent_reads > 0 && haul.absent_refusals == haul.absent_reads;
            recorder.check("who is not signed in is not seen", refused, detail);
        } else {
            let detail = format!("{} records an hour", self.size.hourly_reads);
            recorder.check("the budget stops the thief", haul.budget_refusals > 0, detail);
        }
    }
}
