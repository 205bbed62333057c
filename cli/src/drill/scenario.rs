//! Which host falls, and what its thief does there.

use accounts_server::store::Store;
use clap::ValueEnum;
use cofferdam_core::{Clock, Domain, Field, FieldSet, Operation, Record, SealedAs, SystemClock};
use cofferdam_store::Location;
use cofferdam_wire::{Client, Identity, ProblemType, TlsFiles};
use keys_api::{KeyGroup, ReleaseKeys};
use response_api::{DeclareIncident, FallenHost, HostKind};

use super::breach::{Breach, FALLEN, HEALTHY, Happened};
use super::report::{DrillReport, Steps};
use super::roll::Roll;
use super::size::Size;
use super::tally::Tally;
use super::traffic::{self, profile};
use super::{scope_check, secrecy};
use crate::CommandError;
use crate::connect::Estate;
use crate::incident;

/// Which host falls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// An app server: its certificate is in the thief's hands
    App,
    /// The accounts compartment: what passes through it is seen, and keys are asked for in its name
    Accounts,
    /// The keys compartment: its files are copied
    Keys,
    /// The database of accounts: its files are copied
    Database,
    /// The response compartment, while letters are sent
    Response,
    /// The mail relay, while letters are sent
    Relay,
}

impl Scenario {
    /// Whether the thief is there while the letters of an earlier incident are sent.
    pub const fn reads_letters(self) -> bool {
        matches!(self, Self::Response | Self::Relay)
    }

    fn host(self) -> Result<FallenHost, CommandError> {
        let (host, kind) = match self {
            Self::App => (FALLEN, HostKind::App),
            Self::Accounts => ("accounts", HostKind::Accounts),
            Self::Keys => ("keys", HostKind::Keys),
            Self::Database => ("accounts-db-1", HostKind::AccountsDatabase),
            Self::Response => ("response-1", HostKind::Response),
            Self::Relay => ("relay-1", HostKind::Relay),
        };
        Ok(FallenHost { host: host.parse()?, kind })
    }
}

/// Records that the thief at `accounts` opens at once.
const AT_ONCE: u32 = 100;

impl Breach<'_> {
    /// Another host than an app server falls: traffic goes on, and the thief does what the host
    /// lets it do.
    pub async fn happen_at(
        &self,
        scenario: Scenario,
        steps: &mut Steps,
        report: &mut DrillReport,
    ) -> Result<Happened, CommandError> {
        let since = SystemClock.now();
        steps.begin("ordinary traffic");
        let mut truth = Tally::default();
        let mut sessions = Vec::new();
        for (host, name) in [(1, FALLEN), (2, HEALTHY)] {
            let accounts = self.estate.accounts(&name.parse()?)?;
            let Size { sign_ins, .. } = self.size;
            let plan = traffic::plan(self.people, &self.filled.roll, self.seed, host, sign_ins);
            let (seen, open) = traffic::run(&accounts, plan).await?;
            truth.add(&seen);
            sessions.extend(open);
        }
        steps.end(format!("{} sign-ins at each of two servers", self.size.sign_ins));

        steps.begin("theft");
        let (loot, how) = match scenario {
            Scenario::Accounts => self.at_accounts(report).await?,
            Scenario::Keys => self.copy(&["keys", "root-key"], report)?,
            _ => self.copy(&["accounts"], report)?,
        };
        if scenario == Scenario::Accounts {
            truth.add(&loot);
        } else {
            // Nothing passes through a database or keys in clear.
            truth = loot.clone();
        }
        report.loot.records = loot.people().len();
        report.loot.fields = loot.read.values().map(roaring::RoaringBitmap::len).sum();
        steps.end(how);
        Ok(Happened { since, truth, sessions })
    }

    /// The thief has the host of `accounts`: it reads the table, and asks for keys in the name of
    /// an app server, until that one's budget ends.
    async fn at_accounts(&self, report: &mut DrillReport) -> Result<(Tally, String), CommandError> {
        let dir = &self.estate.dir;
        let table = Store::open(&Location::Sqlite(dir.join("accounts/accounts.db"))).await?;
        let keys = as_accounts(self.estate)?;
        let (mut loot, mut refused) = (Tally::default(), false);
        let start = u32::try_from(self.filled.customers / 4)?;
        for from in (start..).step_by(AT_ONCE as usize) {
            let records: Vec<Record> = (from..from + AT_ONCE).map(Record).collect();
            let sealed = table.sealed_customers(&records).await?;
            if sealed.is_empty() {
                break;
            }
            for customer in sealed {
                match open(&keys, &customer).await? {
                    Some(fields) => {
                        for field in fields.iter() {
                            loot.read(field, customer.record);
                        }
                    }
                    None => refused = true,
                }
            }
            if refused {
                break;
            }
        }
        let detail = format!("{} records, then refused: {refused}", loot.people().len());
        let stopped = refused || self.filled.customers < self.size.hourly_reads;
        report.checks.add("the budget stops the thief", stopped, detail.clone());
        Ok((loot, detail))
    }

    /// The thief copies files, and looks for anything about anybody in them.
    fn copy(
        &self,
        dirs: &[&str],
        report: &mut DrillReport,
    ) -> Result<(Tally, String), CommandError> {
        let needles = secrecy::Needles::sample(self.people, self.filled.shoppers);
        let dirs: Vec<_> = dirs.iter().map(|dir| self.estate.dir.join(dir)).collect();
        let (files, leaks) = secrecy::search_in(&dirs, &needles)?;
        let detail = format!("{files} files copied, {} with customers' data in clear", leaks.len());
        report.checks.add("the stolen files tell nothing", leaks.is_empty(), detail.clone());
        Ok((Tally::default(), detail))
    }

    /// Declares what fell, and holds the exposure against what was really taken.
    pub async fn judge_exposure(
        &self,
        scenario: Scenario,
        happened: &Happened,
        steps: &mut Steps,
        report: &mut DrillReport,
    ) -> Result<(), CommandError> {
        let client = self.estate.response(&"operator-1".parse()?)?;
        steps.begin("declare and scope");
        let host = scenario.host()?;
        let call = DeclareIncident {
            title: format!("{host} was in foreign hands"),
            fallen: vec![host.clone()],
            from: happened.since,
            to: None,
            found: "In the course of a drill".to_owned(),
            people: response_api::People::Accounts,
        };
        let incident = incident::declare::declare(&client, &call).await?.incident;
        let exposure = incident::scope::scope(&client, incident, true).await?;
        let people = self.filled.roll.records();
        let difference = scope_check::compare(&client, incident, &happened.truth, &people).await?;
        let of = &mut report.exposure;
        (of.read, of.presented) = (exposure.people.read, exposure.people.presented);
        of.reachable = exposure.people.reachable;
        (of.missed, of.wrong) = (difference.missed, difference.wrong);
        of.fields = difference.read;
        let exact = difference.missed + difference.wrong == 0;
        let detail = match difference.places.as_slice() {
            [] => format!("{host}: nothing missed, nothing wrong, in every field"),
            places => places.join("; "),
        };
        report.checks.add("what was taken is what is known", exact, detail);
        let sure = exposure.doubts.is_empty();
        let doubts: Vec<_> = exposure.doubts.iter().map(|doubt| doubt.what.as_str()).collect();
        report.checks.add("nothing is in doubt, and log and index agree", sure, doubts.join("; "));
        steps.end(format!(
            "{} people read, {} presented, {} within reach",
            exposure.people.read, exposure.people.presented, exposure.people.reachable
        ));
        Ok(())
    }
}

/// The keys of one customer's profile, asked for in the name of an app server; `None` when the
/// budget refuses. What comes back really opens the texts.
async fn open(
    keys: &Client,
    customer: &accounts_server::store::SealedCustomer,
) -> Result<Option<FieldSet>, CommandError> {
    let fields = customer.filled().intersection(profile());
    let (record, epoch) = (customer.record, customer.epoch);
    let call = ReleaseKeys {
        domain: Domain::Accounts,
        caller: FALLEN.parse()?,
        operation: Operation::Release,
        groups: vec![KeyGroup { fields, epoch: Some(epoch), records: vec![record] }],
        warrant: None,
    };
    let released = match keys.call(&call).await {
        Ok(released) => released,
        Err(e) if e.is(ProblemType::BUDGET_EXHAUSTED) => {
            return Ok(None);
        }
        Err(e) => return Err(e.into()),
    };
    let given = released.groups.iter().flat_map(|group| &group.records).flat_map(|of| &of.keys);
    for (field, key) in fields.iter().zip(given) {
        let sealed = customer.sealed.get(&field).map(Vec::as_slice).unwrap_or_default();
        SealedAs { record, field, epoch }.open(key, sealed)?;
    }
    Ok(Some(fields))
}

fn as_accounts(estate: &Estate) -> Result<Client, CommandError> {
    let own = estate.dir.join("accounts/tls");
    let identity = Identity::load(&TlsFiles {
        ca: estate.dir.join("ca/ca.pem"),
        cert: own.join("cert.pem"),
        key: own.join("key.pem"),
    })?;
    Ok(Client::new(&estate.addresses.keys, &identity))
}

/// What the mail relay, or `response` itself, got of the letters: each customer's name and address;
/// and the relay the reset codes besides, which open an account.
pub fn of_letters(scenario: Scenario, roll: &Roll, reset: &[Record]) -> Tally {
    let mut truth = Tally::default();
    for (record, _) in roll.customers() {
        truth.read(Field::Name, *record);
        truth.read(Field::Email, *record);
    }
    if scenario == Scenario::Relay {
        for record in reset {
            truth.showed(Field::Password, *record);
        }
    }
    truth
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_scenario_names_a_host_of_its_kind() {
        for scenario in Scenario::value_variants() {
            let host = scenario.host().unwrap();
            assert_eq!(
                host.kind.is_caller(),
                matches!(scenario, Scenario::App | Scenario::Accounts | Scenario::Response)
            );
        }
    }
}
