//! The scenarios in which another host than an app server falls, and the loot of each.

use std::time::Duration;

use cofferdam_core::{Clock, Field, Record, SystemClock};
use estate::Compartment;
use response_api::{DeclareIncident, FallenHost, HostKind, People};
use roaring::RoaringBitmap;

use crate::breach::{Breach, FALLEN, HEALTHY, Happened};
use crate::error::DrillError;
use crate::options::Scenario;
use crate::recorder::Recorder;
use crate::roll::Roll;
use crate::size::Size;
use crate::tally::Tally;
use crate::traffic;
use crate::{scope_check, secrecy};

/// The time between the fill and the fall. A window counts entries by the sightings of `response`,
/// one a second with an error of two, and the fill is not to lie in the window.
const QUIET: Duration = Duration::from_secs(5);

impl Breach<'_> {
    /// Lets another host than an app server fall. Ordinary traffic runs, and the thief does
    /// everything that the host allows.
    pub async fn happen_at(
        &self,
        scenario: Scenario,
        recorder: &mut Recorder<'_>,
    ) -> Result<Happened, DrillError> {
        tokio::time::sleep(QUIET).await;
        let since = SystemClock.now();
        recorder.begin("ordinary traffic");
        let mut truth = Tally::default();
        let mut sessions = Vec::new();
        for (host, name) in [(1, FALLEN), (2, HEALTHY)] {
            let accounts = self.estate.client(Compartment::Accounts, &name.parse()?)?;
            let Size { sign_ins, .. } = self.size;
            let plan = traffic::plan(self.people, self.filled, self.seed, host, sign_ins)?;
            let (seen, open) = traffic::run(&accounts, plan).await?;
            truth.add(&seen);
            sessions.extend(open);
        }
        recorder.end(format!("{} sign-ins at each of two servers", self.size.sign_ins));

        recorder.begin("theft");
        let (loot, how) = match scenario {
            Scenario::Accounts => self.steal_at_accounts(&sessions, recorder).await?,
            Scenario::Payments => self.steal_at_payments(recorder).await?,
            Scenario::Keys => self.copy_files(&["keys", "root-key"], recorder)?,
            _ => self.copy_files(&["accounts"], recorder)?,
        };
        if scenario == Scenario::Accounts {
            truth.add(&loot);
        } else {
            // The other hosts see no data of a customer in clear while people sign in.
            truth = loot.clone();
        }
        recorder.report.loot.records = loot.people().len();
        recorder.report.loot.fields = loot.read.values().map(RoaringBitmap::len).sum();
        recorder.end(how);
        Ok(Happened { since, truth, sessions, reset_asked: Vec::new() })
    }

    /// The thief copies files, and searches them for anybody's data.
    fn copy_files(
        &self,
        dirs: &[&str],
        recorder: &mut Recorder<'_>,
    ) -> Result<(Tally, String), DrillError> {
        let needles = secrecy::Needles::sample(self.people, self.filled.shoppers);
        let dirs: Vec<_> = dirs.iter().map(|dir| self.estate.dir.join(dir)).collect();
        let (files, leaks) = secrecy::search_in(&dirs, &needles)?;
        let detail = format!("{files} files copied, {} with customers' data in clear", leaks.len());
        recorder.check("the stolen files tell nothing", leaks.is_empty(), detail.clone());
        Ok((Tally::default(), detail))
    }

    /// Declares the fallen host, and compares the exposure with the loot.
    pub async fn judge_exposure(
        &self,
        scenario: Scenario,
        happened: &Happened,
        recorder: &mut Recorder<'_>,
    ) -> Result<(), DrillError> {
        let client = self.estate.client(Compartment::Response, &"operator-1".parse()?)?;
        recorder.begin("declare and scope");
        let host = fallen_host(scenario)?;
        let call = DeclareIncident {
            title: format!("{host} was in foreign hands"),
            fallen: vec![host.clone()],
            from: happened.since,
            to: None,
            found: "In the course of a drill".to_owned(),
            people: People::Accounts,
            unlisted: vec![],
        };
        let incident = staff::call(&client, &call).await?.incident;
        let (truth, customers) = (&happened.truth, self.filled.roll.records());
        let scoped = scope_check::scope(&client, incident, true, truth, &customers).await?;
        scoped.record(recorder);
        let detail = scoped.difference.in_words();
        let exact = scoped.difference.is_none();
        let detail = if exact { format!("{host}: {detail}") } else { detail };
        recorder.check("what was taken is what is known", exact, detail);
        let exposure = scoped.exposure;
        let sure = exposure.doubts.is_empty();
        let doubts: Vec<_> = exposure.doubts.iter().map(|doubt| doubt.what.as_str()).collect();
        recorder.check("nothing is in doubt, and log and index agree", sure, doubts.join("; "));
        recorder.end(format!(
            "{} people read, {} presented, {} within reach",
            exposure.people.read, exposure.people.presented, exposure.people.reachable
        ));
        Ok(())
    }
}

/// The host as staff declare it.
fn fallen_host(scenario: Scenario) -> Result<FallenHost, DrillError> {
    let (host, kind) = match scenario {
        Scenario::App => (FALLEN, HostKind::App),
        Scenario::Accounts => ("accounts", HostKind::Accounts),
        Scenario::Payments => ("payments", HostKind::Payments),
        Scenario::Keys => ("keys", HostKind::Keys),
        Scenario::Database => ("accounts-db-1", HostKind::AccountsDatabase),
        Scenario::Response => ("response-1", HostKind::Response),
        Scenario::Relay => ("relay-1", HostKind::Relay),
    };
    Ok(FallenHost { host: host.parse()?, kind })
}

/// The truth about a fallen `response` or mail relay: the letters gave it each customer's name and
/// address. The relay also got the reset codes, each of which opens an account.
pub fn taken_from_letters(scenario: Scenario, roll: &Roll, reset: &[Record]) -> Tally {
    let mut truth = Tally::default();
    for (record, _) in roll.customers() {
        truth.add_read(Field::Name, *record);
        truth.add_read(Field::Email, *record);
    }
    if scenario == Scenario::Relay {
        for record in reset {
            truth.add_presented(Field::Password, *record);
        }
    }
    truth
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_scenario_names_a_host_of_its_kind() {
        for scenario in Scenario::ALL {
            let host = fallen_host(scenario).unwrap();
            assert_eq!(
                host.kind.is_caller(),
                matches!(
                    scenario,
                    Scenario::App | Scenario::Accounts | Scenario::Payments | Scenario::Response
                )
            );
        }
    }
}
