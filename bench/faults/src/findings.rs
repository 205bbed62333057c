//! The checks after the run.

use std::collections::BTreeSet;
use std::sync::Mutex;

use accounts_api::{ListCustomers, MAX_NUMBERS, ResolveCustomerNumbers};
use cofferdam_core::{Clock, CustomerNumber, Domain, Field, Operation, Record, SystemClock};
use cofferdam_wire::Client;
use estate::Compartment::{self, Accounts, Keys, Payments, Response};
use jiff::SignedDuration;
use keys_api::{Entry, Event, ReadEntries};
use payments_api::CountCards;
use response_api::{DeclareIncident, IncidentId, Level, People, ReadExposure, ScopeIncident};
use roaring::RoaringBitmap;

use crate::site::Site;
use crate::traffic::{Answered, READER, locked};

/// Checks all findings; one that does not hold panics.
pub async fn check(site: &Site, answered: &Answered) {
    let read = records(site, set(&answered.read)).await;
    nothing_written_is_lost(site, answered).await;
    let logged = logged(site).await;
    let missing: Vec<_> = read.difference(&logged).collect();
    assert!(missing.is_empty(), "read and not in the log: {missing:?}");
    let incident = declare(site).await;
    let exposed = exposed(site, incident, Level::Read, Field::Phone).await;
    let missed: Vec<_> = logged.difference(&exposed).collect();
    assert!(missed.is_empty(), "in the log and not exposed: {missed:?}");
    let asked = records(site, set(&answered.asked)).await;
    let named: Vec<_> = exposed.difference(&asked).collect();
    assert!(named.is_empty(), "exposed and never asked for: {named:?}");
    let signed_in = records(site, set(&answered.signed_in)).await;
    let presented = self::exposed(site, incident, Level::Presented, Field::Password).await;
    let missed: Vec<_> = signed_in.difference(&presented).collect();
    assert!(missed.is_empty(), "signed in and not exposed: {missed:?}");
    println!("{} read, {} logged, {} exposed", read.len(), logged.len(), exposed.len());
    println!("{} signed in, {} passwords exposed", signed_in.len(), presented.len());
}

async fn nothing_written_is_lost(site: &Site, answered: &Answered) {
    let accounts = as_response(site, Accounts);
    let (mut kept, mut from) = (BTreeSet::new(), Record(0));
    loop {
        let page = accounts.call(&ListCustomers { from, limit: 10_000 }).await.unwrap();
        let Some(last) = page.last() else { break };
        from = Record(last.record.0 + 1);
        kept.extend(page.iter().map(|customer| customer.record));
    }
    let customers: Vec<_> = locked(&answered.customers).keys().copied().collect();
    let customers = records(site, customers).await;
    let lost: Vec<_> = customers.difference(&kept).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    let cards = locked(&answered.cards).len() as u64;
    let stored = as_response(site, Payments).call(&CountCards {}).await.unwrap();
    assert!(stored >= cards, "{cards} cards were acknowledged, {stored} are stored");
}

fn set(numbers: &Mutex<BTreeSet<CustomerNumber>>) -> Vec<CustomerNumber> {
    locked(numbers).iter().copied().collect()
}

/// The records behind the numbers that callers got.
async fn records(site: &Site, numbers: Vec<CustomerNumber>) -> BTreeSet<Record> {
    let (accounts, mut records) = (as_response(site, Accounts), BTreeSet::new());
    for numbers in numbers.chunks(MAX_NUMBERS) {
        let resolve = ResolveCustomerNumbers { numbers: numbers.to_vec() };
        records.extend(accounts.call(&resolve).await.unwrap());
    }
    records
}

/// The customers whose telephone number was released to the reader, from the whole log.
async fn logged(site: &Site) -> BTreeSet<Record> {
    let keys = as_response(site, Keys);
    let (mut from, mut logged) = (0, BTreeSet::new());
    loop {
        let page = keys.call(&ReadEntries { from, limit: 1_000 }).await.unwrap().entries;
        if page.is_empty() {
            return logged;
        }
        from += page.len() as u64;
        for entry in page.iter().map(|bytes| Entry::decode(bytes).unwrap()) {
            if let Event::Released { domain, caller, operation, fields, records, .. } = entry.event
                && domain == Domain::Accounts
                && matches!(operation, Operation::Release | Operation::ReleasePresent)
                && caller.as_str() == READER
                && fields.contains(Field::Phone)
            {
                logged.extend(records.as_slice());
            }
        }
    }
}

/// Declares that the reader fell, and scopes that.
async fn declare(site: &Site) -> IncidentId {
    let staff = site.client(Response, "operator-1");
    let declare = DeclareIncident {
        title: format!("{READER} fell"),
        fallen: vec![READER.parse().unwrap()],
        from: SystemClock.now() - SignedDuration::from_hours(72),
        to: None,
        found: "a fault run".into(),
        people: People::Accounts,
        unlisted: Vec::new(),
    };
    let incident = staff.call(&declare).await.unwrap().incident;
    let scope = staff.call(&ScopeIncident { incident, from_log: false }).await.unwrap();
    for doubt in &scope.doubts {
        println!("  doubt: {doubt:?}");
    }
    incident
}

/// The customers of an exposure.
async fn exposed(
    site: &Site,
    incident: IncidentId,
    level: Level,
    field: Field,
) -> BTreeSet<Record> {
    let staff = site.client(Response, "operator-1");
    let bitmap = staff.call(&ReadExposure { incident, level, field }).await.unwrap().roaring;
    let exposed = RoaringBitmap::deserialize_from(bitmap.as_slice()).unwrap();
    exposed.into_iter().map(Record).collect()
}

/// A client that calls as `response`.
fn as_response(site: &Site, of: Compartment) -> Client {
    site.estate.own_client(of, Response).unwrap()
}
