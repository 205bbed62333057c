//! What the certificate of one app server does not open. Each refusal is a problem document, and
//! what `keys` refuses raises an alarm.

use accounts_api::{
    CheckSession, Coarse, CreateCustomer, OpenSession, Profile, ReadCustomers, VoidCredentials,
    VoidWhose,
};
use cofferdam_core::{Clock, Field, FieldSet, Personal, Record, SystemClock};
use cofferdam_wire::ProblemType;
use keys_api::{ReadCheckpoint, ReadEntries};
use payments_api::{CardDetails, ReadCard, RevealCard, StoreCards};
use response_api::{ListIncidents, ReadFeed};

use crate::support::{Place, Up, problem, records, until};

const THIEF: &str = "web-ky-1";

fn estate() -> (Place, Up) {
    let place = Place::new();
    let up = Up::start(&place);
    (place, up)
}

/// An alarm of a kind, set off by the thief, reaches staff.
async fn rings(place: &Place, kind: &str) {
    let staff = place.client("response", "operator-1");
    until(&format!("an alarm: {kind}"), async || {
        let alarms = staff.call(&ReadFeed { after: 0 }).await.unwrap();
        alarms.iter().any(|alarm| {
            alarm.kind == kind && alarm.caller.as_ref().is_some_and(|c| c.as_str() == THIEF)
        })
    })
    .await;
}

fn read(numbers: std::ops::Range<u32>, field: Field) -> ReadCustomers {
    ReadCustomers { records: records(numbers), fields: FieldSet::EMPTY.with(field) }
}

#[tokio::test]
async fn a_field_outside_its_grant() {
    let (place, _up) = estate();
    place.import(3);
    let thief = place.client("accounts", THIEF);
    let names = thief.call(&read(0..3, Field::Name)).await.unwrap();
    assert_eq!(names.len(), 3);
    let refused = problem(thief.call(&read(0..3, Field::BillingAddress)).await);
    assert!(refused.is(ProblemType::NOT_GRANTED));
    assert!(refused.detail.contains("billing_address"), "{refused}");
    rings(&place, "refused_grant").await;
}

#[tokio::test]
async fn a_card() {
    let (place, _up) = estate();
    let checkout = place.client("payments", "checkout-1");
    let card = CardDetails {
        number: Personal::new("4111 1111 1111 1111"),
        expiry_month: 12,
        expiry_year: u16::try_from(SystemClock.now().to_zoned(jiff::tz::TimeZone::UTC).year() + 1)
            .unwrap(),
    };
    let stored = checkout.call(&StoreCards { cards: vec![card] }).await.unwrap();
    let token = stored[0].token.clone();
    let thief = place.client("payments", THIEF);
    for refused in [
        problem(thief.call(&RevealCard { token: token.clone() }).await),
        problem(thief.call(&ReadCard { token: token.clone() }).await),
        problem(checkout.call(&RevealCard { token: token.clone() }).await),
    ] {
        assert!(refused.is(ProblemType::NOT_GRANTED), "{refused}");
    }
    let processor = place.client("payments", "processor-1");
    let full = processor.call(&RevealCard { token }).await.unwrap();
    assert_eq!(full.number.expose(), "4111111111111111");
    rings(&place, "refused_grant").await;
}

#[tokio::test]
async fn another_callers_session() {
    let (place, _up) = estate();
    let healthy = place.client("accounts", "web-ky-2");
    let (email, password) = (Personal::new("ada@home.example"), Personal::new("analytical"));
    let profile = Profile {
        name: Personal::new("Ada Lovelace"),
        email: email.clone(),
        phone: None,
        billing_address: None,
        shipping_address: None,
        card_last4: None,
        coarse: Coarse {
            country: None,
            region: None,
            language: "en".parse().unwrap(),
            minor: false,
        },
    };
    let ada = healthy.call(&CreateCustomer { profile, password: password.clone() }).await.unwrap();
    let session = healthy.call(&OpenSession { email, password }).await.unwrap();
    let check = CheckSession { token: session.token };
    assert_eq!(healthy.call(&check).await.unwrap(), ada);
    let refused = problem(place.client("accounts", THIEF).call(&check).await);
    assert!(refused.is(accounts_api::NO_SESSION));
}

#[tokio::test]
async fn the_release_log_and_response() {
    let (place, _up) = estate();
    let keys = place.client("keys", THIEF);
    for refused in [
        problem(keys.call(&ReadEntries { from: 0, limit: 10 }).await),
        problem(keys.call(&ReadCheckpoint { since: 0 }).await),
        problem(place.client("response", THIEF).call(&ListIncidents {}).await),
    ] {
        assert!(refused.is(ProblemType::NOT_GRANTED), "{refused}");
    }
    let entries = place.controller().call(&ReadEntries { from: 0, limit: 10 }).await.unwrap();
    assert!(!entries.entries.is_empty());
    rings(&place, "refused_grant").await;
}

#[tokio::test]
async fn void_orders() {
    let (place, _up) = estate();
    let order = VoidCredentials {
        incident: 1,
        set_before: SystemClock.now(),
        whose: VoidWhose::Only { roaring: Vec::new() },
    };
    let refused = problem(place.client("accounts", THIEF).call(&order).await);
    assert!(refused.is(ProblemType::NOT_GRANTED));
    let log = std::fs::read_to_string(place.dir.join("accounts/accounts.log")).unwrap();
    let line = log.lines().find(|line| line.contains("/v1/credentials/void")).unwrap();
    assert!(line.contains(THIEF) && line.contains("403"), "{line}");
}

#[tokio::test]
async fn more_than_its_budget() {
    let (place, _up) = estate();
    place.import(700);
    let thief = place.client("accounts", THIEF);
    thief.call(&read(0..300, Field::Name)).await.unwrap();
    thief.call(&read(300..600, Field::Name)).await.unwrap();
    let refused = problem(thief.call(&read(600..601, Field::Name)).await);
    assert!(refused.is(ProblemType::BUDGET_EXHAUSTED));
    assert!((1..=61).contains(&refused.retry_after_s.unwrap()), "{refused}");
    let other = place.client("accounts", "web-ky-2");
    assert_eq!(other.call(&read(600..601, Field::Name)).await.unwrap()[0].record, Record(600));
    rings(&place, "budget").await;
}
