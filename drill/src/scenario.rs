//! The scenarios in which another host than an app server falls, and the loot of each.

use std::time::Duration;

use accounts_server::store::{SealedCustomer, Store};
use cofferdam_core::{Clock, Domain, Field, FieldSet, Record, SystemClock};
use cofferdam_store::Location;
use cofferdam_wire::{Client, ProblemType, load_config};
use estate::{Compartment, Estate};
use keys_client::{Asked, SealedRecord, Vault, open_halves};
use response_api::{DeclareIncident, FallenHost, HostKind, People};
use roaring::RoaringBitmap;

use crate::breach::{Breach, FALLEN, HEALTHY, Happened};
use crate::error::DrillError;
use crate::options::Scenario;
use crate::recorder::Recorder;
use crate::roll::Roll;
use crate::size::Size;
use crate::tally::Tally;
use crate::traffic::{self, profile};
use crate::{scope_check, secrecy};

/// The time between the fill and the fall. A window counts entries by the sightings of `response`,
/// one a second with an error of two, and the fill is not to lie in the window.
const QUIET: Duration = Duration::from_secs(5);

/// The number of records that the thief at `accounts` reads from the table at once.
const RECORDS: u32 = 100;

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
            Scenario::Accounts => self.open_in_the_name_of_an_app_server(recorder).await?,
            Scenario::Keys => self.copy_files(&["keys", "root-key"], recorder)?,
            _ => self.copy_files(&["accounts"], recorder)?,
        };
        if scenario == Scenario::Accounts {
            truth.add(&loot);
        } else {
            // A database and keys see no data of a customer in clear.
            truth = loot.clone();
        }
        recorder.report.loot.records = loot.people().len();
        recorder.report.loot.fields = loot.read.values().map(RoaringBitmap::len).sum();
        recorder.end(how);
        Ok(Happened { since, truth, sessions, reset_asked: Vec::new() })
    }

    /// The thief has the host of `accounts`. It reads the table, and asks for keys in the name of
    /// an app server until that server's budget ends.
    async fn open_in_the_name_of_an_app_server(
        &self,
        recorder: &mut Recorder<'_>,
    ) -> Result<(Tally, String), DrillError> {
        let database = self.estate.dir.join("accounts/accounts.db");
        let table = Store::open(&Location::Sqlite(database)).await?;
        let vault = as_accounts(self.estate, &table).await?;
        let (mut loot, mut refused) = (Tally::default(), false);
        let start = u32::try_from(self.filled.customers / 4)?;
        for from in (start..).step_by(RECORDS as usize) {
            let records: Vec<Record> = (from..from + RECORDS).map(Record).collect();
            let sealed = table.sealed_customers(&records).await?;
            if sealed.is_empty() {
                break;
            }
            for customer in sealed {
                match open_profile(&vault, &customer).await? {
                    Some(fields) => {
                        fields.iter().for_each(|field| loot.add_read(field, customer.record));
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
        recorder.check("the budget stops the thief", stopped, detail.clone());
        Ok((loot, detail))
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
        Scenario::Keys => ("keys", HostKind::Keys),
        Scenario::Database => ("accounts-db-1", HostKind::AccountsDatabase),
        Scenario::Response => ("response-1", HostKind::Response),
        Scenario::Relay => ("relay-1", HostKind::Relay),
    };
    Ok(FallenHost { host: host.parse()?, kind })
}

/// The keys of `accounts` as root on its host has them: its certificate, and its halves from their
/// custody.
async fn as_accounts(estate: &Estate, table: &Store) -> Result<Vault, DrillError> {
    let config: accounts_server::Config = load_config(&estate.dir.join("accounts/accounts.toml"))?;
    let holds = async |span| table.holds_under(span).await;
    let halves = open_halves(Domain::Accounts, table.db(), &config.halves, holds).await?;
    let identity = estate.own_identity(Compartment::Accounts)?;
    let url = estate.addresses.of(Compartment::Keys);
    Ok(Vault::new(Client::new(Compartment::Keys, url, &identity), halves))
}

/// Asks for the keys of one customer's profile in the name of an app server, and opens the texts
/// with them. `None` if the budget refuses.
async fn open_profile(
    vault: &Vault,
    customer: &SealedCustomer,
) -> Result<Option<FieldSet>, DrillError> {
    let fields = customer.filled().intersection(profile());
    let (record, epoch) = (customer.record, customer.epoch);
    let asked = Asked::Stored(SealedRecord { record, epoch, fields }, FieldSet::EMPTY);
    let keys = match vault.keys_to_read(&FALLEN.parse()?, [asked], None).await {
        Ok(keys) => keys.take(record)?,
        Err(e) if e.is(ProblemType::BUDGET_EXHAUSTED) => return Ok(None),
        Err(e) => return Err(e.into()),
    };
    for field in fields.iter() {
        let sealed = customer.sealed.get(&field).map(Vec::as_slice).unwrap_or_default();
        keys.open(field, sealed)?;
    }
    Ok(Some(fields))
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
                matches!(scenario, Scenario::App | Scenario::Accounts | Scenario::Response)
            );
        }
    }
}
