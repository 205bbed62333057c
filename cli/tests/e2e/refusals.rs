//! The calls that the certificate of one app server does not open. Each refusal is a problem
//! document, and a refusal by `keys` rings an alarm.

use accounts_api::{
    CheckSession, Coarse, CreateCustomer, OpenSession, Profile, VoidCredentials, VoidWhose,
};
use cofferdam_core::{Clock, Field, FieldSet, Personal, SystemClock};
use cofferdam_wire::ProblemType;
use estate::Compartment::{Accounts, Keys, Payments, Response};
use jiff::tz::TimeZone;
use keys_api::{ReadCheckpoint, ReadEntries};
use payments_api::{CardDetails, ReadCard, RevealCard, StoreCards};
use response_api::{ListAlarms, ListIncidents};

use crate::support::{Place, Up, refusal, wait_until};

const THIEF: &str = "shipping-1";

fn running_estate() -> (Place, Up) {
    let place = Place::new();
    let up = Up::start(&place);
    (place, up)
}

/// Waits until an alarm of a kind that the thief set off reaches staff.
async fn wait_for_alarm(place: &Place, kind: &str) {
    let staff = place.staff();
    wait_until(&format!("an alarm: {kind}"), async || {
        let alarms = staff.call(&ListAlarms { after: 0 }).await.unwrap();
        alarms.iter().any(|alarm| {
            alarm.kind == kind && alarm.caller.as_ref().is_some_and(|c| c.as_str() == THIEF)
        })
    })
    .await;
}

#[tokio::test]
async fn a_field_outside_the_grant_is_refused() {
    let (place, _up) = running_estate();
    place.import(3);
    let thief = place.client(Accounts, THIEF);
    let read = async |field| place.read_call(0..3, FieldSet::EMPTY.with(field)).await;
    let names = thief.call(&read(Field::Name).await).await.unwrap();
    assert_eq!(names.len(), 3);
    let refused = refusal(thief.call(&read(Field::BillingAddress).await).await);
    assert!(refused.is(ProblemType::NOT_GRANTED));
    assert!(refused.detail.contains("billing_address"), "{refused}");
    wait_for_alarm(&place, "refused_grant").await;
}

#[tokio::test]
async fn a_card_is_refused() {
    let (place, _up) = running_estate();
    let checkout = place.client(Payments, "checkout-1");
    let card = CardDetails {
        number: Personal::new("4111 1111 1111 1111"),
        expiry_month: 12,
        expiry_year: u16::try_from(SystemClock.now().to_zoned(TimeZone::UTC).year() + 1).unwrap(),
    };
    let stored = checkout.call(&StoreCards { cards: vec![card] }).await.unwrap();
    let token = stored[0].token.clone();
    let thief = place.client(Payments, THIEF);
    for refused in [
        refusal(thief.call(&RevealCard { token: token.clone() }).await),
        refusal(thief.call(&ReadCard { token: token.clone() }).await),
        refusal(checkout.call(&RevealCard { token: token.clone() }).await),
    ] {
        assert!(refused.is(ProblemType::NOT_GRANTED), "{refused}");
    }
    let processor = place.client(Payments, "processor-1");
    let full = processor.call(&RevealCard { token }).await.unwrap();
    assert_eq!(full.number.expose(), "4111111111111111");
    wait_for_alarm(&place, "refused_grant").await;
}

#[tokio::test]
async fn another_callers_session_is_refused() {
    let (place, _up) = running_estate();
    let healthy = place.client(Accounts, "web-ky-2");
    let (email, password) = (Personal::new("ada@home.example"), Personal::new("analytical"));
    let profile = ada(email.clone());
    let ada = healthy.call(&CreateCustomer { profile, password: password.clone() }).await.unwrap();
    let session = healthy.call(&OpenSession { email, password }).await.unwrap();
    let check = CheckSession { token: session.token };
    assert_eq!(healthy.call(&check).await.unwrap(), ada);
    let refused = refusal(place.client(Accounts, THIEF).call(&check).await);
    assert!(refused.is(accounts_api::NO_SESSION));
}

#[tokio::test]
async fn the_release_log_and_response_are_refused() {
    let (place, _up) = running_estate();
    let keys = place.client(Keys, THIEF);
    for refused in [
        refusal(keys.call(&ReadEntries { from: 0, limit: 10 }).await),
        refusal(keys.call(&ReadCheckpoint { since: 0 }).await),
        refusal(place.client(Response, THIEF).call(&ListIncidents {}).await),
    ] {
        assert!(refused.is(ProblemType::NOT_GRANTED), "{refused}");
    }
    let entries = place.keys_as(Response).call(&ReadEntries { from: 0, limit: 10 }).await.unwrap();
    assert!(!entries.entries.is_empty());
    wait_for_alarm(&place, "refused_grant").await;
}

#[tokio::test]
async fn a_void_order_is_refused() {
    let (place, _up) = running_estate();
    let order = VoidCredentials {
        incident: 1,
        set_before: SystemClock.now(),
        whose: VoidWhose::Only { roaring: Vec::new(), again: false },
    };
    let refused = refusal(place.client(Accounts, THIEF).call(&order).await);
    assert!(refused.is(ProblemType::NOT_GRANTED));
    let log = std::fs::read_to_string(place.dir.join("accounts/accounts.log")).unwrap();
    let line = log.lines().find(|line| line.contains("/v1/credentials/void")).unwrap();
    assert!(line.contains(THIEF) && line.contains("403"), "{line}");
}

#[tokio::test]
async fn more_than_the_budget_is_refused() {
    let (place, _up) = running_estate();
    place.import(700);
    let thief = place.client(Accounts, THIEF);
    let name = FieldSet::EMPTY.with(Field::Name);
    thief.call(&place.read_call(0..300, name).await).await.unwrap();
    thief.call(&place.read_call(300..600, name).await).await.unwrap();
    let last = place.read_call(600..601, name).await;
    let refused = refusal(thief.call(&last).await);
    assert!(refused.is(ProblemType::BUDGET_EXHAUSTED));
    assert!((1..=61).contains(&refused.retry_after_s.unwrap()), "{refused}");
    let other = place.client(Accounts, "support-1");
    assert_eq!(other.call(&last).await.unwrap()[0].record, last.records[0]);
    wait_for_alarm(&place, "budget").await;
}

/// A customer who fills in nothing that may stay empty.
pub fn ada(email: Personal) -> Profile {
    Profile {
        name: Personal::new("Ada Lovelace"),
        email,
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
    }
}
