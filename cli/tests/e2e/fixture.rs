//! Estates that earlier versions made open: their databases, log, signed policy, holds, and an
//! order that was signed then and is applied now.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use accounts_api::ReadCustomers;
use cofferdam_core::{
    Clock, CustomerNumber, Field, FieldSet, ProblemType, Record, SystemClock, SystemRng,
};
use estate::Addresses;
use estate::Compartment::{self, Accounts};
use serde_json::Value;

use crate::keys::verifier_keys;
use crate::support::{Place, Up, run, stdout};

/// The directory of the estates. Their TOML files have `@DIR@` in place of the directory.
const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures");

#[tokio::test(flavor = "multi_thread")]
async fn an_estate_of_version_0_1_opens() {
    let place = unpack("estate-0.1.tar.gz");
    let up = Up::start(&place);
    what_was_there_is_there(&place, 2).await;
    drop(up);
    Now { place: &place }.verify_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_estate_with_holds_and_a_brought_table_opens() {
    let place = unpack("estate-2026-11-29.tar.gz");
    let up = Up::start(&place);
    what_was_there_is_there(&place, 1).await;
    for caller in ["checkout-1", "web-ky-1"] {
        assert!(is_frozen(&place, caller).await, "{caller} is served");
    }
    let now = Now { place: &place };
    assert_eq!(now.scope("2")["people"]["read"], 20, "the people of the brought table");
    drop(up);
    now.verify_log();
}

/// Checks incidents, journals, the exposure, letters, a customer, the policy and the bag.
/// `policy` is the version of the policy in force; a signed order for the next version lies beside.
async fn what_was_there_is_there(place: &Place, policy: u32) {
    let old = Old { bag: place.dir.join("bag/data") };
    let now = Now { place };
    let incidents = now.incidents();
    assert!(incidents.iter().any(|of| of["incident"] == 1), "{incidents:?}");
    for incident in &incidents {
        now.journal_is_unbroken(&incident["incident"].to_string());
    }
    let (people, people_then) = (&now.scope("1")["people"], &old.json("exposure.json")["people"]);
    for level in ["read", "presented", "reachable"] {
        assert_eq!(people[level], people_then[level], "{level}");
    }
    for letter in old.json("letters.json").as_array().unwrap() {
        let status = now.letter(&letter["letter"].to_string());
        assert_eq!((&status["people"], &status["state"]), (&letter["people"], &letter["state"]));
    }
    a_customer_is_read(place, old.written_to()).await;

    assert_eq!(now.policy()["version"], policy);
    now.apply("signed-policy.order");
    assert_eq!(now.policy()["version"], policy + 1);
    now.verify_bag("bag", old.json("keys.json")["bag_key"].as_str().unwrap());
}

/// Unpacks the estate, and gives it a directory, free ports and new certificates, because the old
/// certificates expire.
pub fn unpack(fixture: &str) -> Place {
    let place = Place::new();
    fs::create_dir(&place.dir).unwrap();
    let unpacked = Command::new("tar")
        .arg("-xzf")
        .arg(format!("{FIXTURES}/{fixture}"))
        .arg("-C")
        .arg(&place.dir)
        .status();
    assert!(unpacked.unwrap().success(), "the fixture can't be unpacked");
    settle(&place);
    fs::remove_dir_all(place.dir.join("ca")).unwrap();
    fs::remove_dir_all(place.dir.join("callers")).unwrap();
    for compartment in Compartment::ALL {
        fs::remove_dir_all(place.dir.join(compartment.as_str()).join("tls")).unwrap();
    }
    estate::make_certificates(&place.dir, SystemClock.now()).unwrap();
    place
}

/// Puts the directory and free ports into the TOML files.
fn settle(place: &Place) {
    let (old, new) = (place.estate().addresses, Addresses::pick(&SystemRng).unwrap());
    let files = Compartment::ALL.map(|of| format!("{of}/{of}.toml"));
    for file in files.iter().map(String::as_str).chain(["estate.toml"]) {
        let mut text = fs::read_to_string(place.dir.join(file)).unwrap();
        text = text.replace("@DIR@", place.path());
        // A new port can be an old one of another address, so that no port is replaced twice.
        for (number, port) in ports(&old).into_iter().enumerate() {
            text = text.replace(&format!(":{port}"), &format!(":PORT-{number}-"));
        }
        for (number, port) in ports(&new).into_iter().enumerate() {
            text = text.replace(&format!(":PORT-{number}-"), &format!(":{port}"));
        }
        fs::write(place.dir.join(file), text).unwrap();
    }
}

fn ports(at: &Addresses) -> [&str; 6] {
    [&at.keys, &at.accounts, &at.payments, &at.response, &at.notice, &at.relay]
        .map(|address| address.rsplit_once(':').unwrap().1)
}

async fn a_customer_is_read(place: &Place, record: Record) {
    let fields = FieldSet::EMPTY.with(Field::Name).with(Field::Email);
    // The shop of then knows record numbers, and they stay good.
    let number = CustomerNumber(record.0);
    assert_eq!(place.numbers(record.0..record.0 + 1).await, [number]);
    let read = ReadCustomers { records: vec![number], fields, session: None };
    let customers = place.client(Accounts, "web-ky-2").call(&read).await.unwrap();
    assert_eq!(customers.len(), 1);
    for field in [Field::Name, Field::Email] {
        assert!(!customers[0].fields[&field].expose().is_empty(), "{field} is empty");
    }
}

/// Whether `accounts` refuses the caller as frozen.
async fn is_frozen(place: &Place, caller: &str) -> bool {
    let read = ReadCustomers {
        records: vec![CustomerNumber(0)],
        fields: FieldSet::EMPTY.with(Field::Name),
        session: None,
    };
    let answer = place.client(Accounts, caller).call(&read).await;
    answer.is_err_and(|error| error.is(ProblemType::FROZEN))
}

/// The facts about the old estate, from its bag of evidence.
struct Old {
    bag: PathBuf,
}

impl Old {
    fn json(&self, name: &str) -> Value {
        serde_json::from_str(&fs::read_to_string(self.bag.join(name)).unwrap()).unwrap()
    }

    /// A customer who got a letter, and so is no decoy.
    fn written_to(&self) -> Record {
        let ledger = fs::read_to_string(self.bag.join("letters/ledger-2.csv")).unwrap();
        let row = ledger.lines().find(|row| row.split(',').nth(1) == Some("accepted")).unwrap();
        Record(row.split(',').next().unwrap().parse().unwrap())
    }
}

/// The commands of today. No other part of this test spells one.
struct Now<'a> {
    place: &'a Place,
}

impl Now<'_> {
    fn incidents(&self) -> Vec<Value> {
        let listed = self.place.json(["incident", "list"]);
        listed.as_array().unwrap().clone()
    }

    /// Checks the chain of a journal: the command fails if it is broken.
    fn journal_is_unbroken(&self, incident: &str) {
        let journal = self.place.json(["incident", "journal", incident]);
        assert!(!journal.as_array().unwrap().is_empty(), "the journal of {incident} is empty");
    }

    fn scope(&self, incident: &str) -> Value {
        self.place.json(["incident", "scope", incident])
    }

    fn letter(&self, letter: &str) -> Value {
        self.place.json(["letters", "show", letter])
    }

    fn policy(&self) -> Value {
        self.place.json(["policy", "show"])
    }

    fn apply(&self, order: &str) {
        stdout(&self.place.run(["order", "apply", &self.place.file(order), "--yes"]));
    }

    fn verify_bag(&self, bag: &str, key: &str) {
        stdout(&run(["evidence", "verify", &self.place.file(bag), "--key", key]));
    }

    fn verify_log(&self) {
        let [log_key, witness_key] = verifier_keys(self.place);
        let log = self.place.file("keys/log");
        stdout(&run(["log", "verify", &log, "--key", &log_key, "--witness", &witness_key]));
    }
}
