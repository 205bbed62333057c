//! Grants that ask for presence: tickets, enrolment, and the void orders that end both.

use cofferdam_core::{CallerName, Clock as _, KeyBytes, Operation, Record, Sha256};
use cofferdam_wire::{CallError, ProblemType};
use jiff::SignedDuration;
use keys_api::{
    AlarmKind, ApproveVoidOrder, CheckPassword, EnrolItem, EnrolPasswords, Enrolment, Event,
    ListGroups, NOT_PRESENT, NewSession, NoteVoidOrder, Presence, PresenceTicket, RECORDS_SEALED,
    ReleaseKeys, RightPassword, Verifier, VoidOrder,
};
use roaring::RoaringBitmap;

use crate::support::{Keys, ask, events, name, refused, typed};

const SECRET: [u8; 32] = [7; 32];
const ADA: Record = Record(1);

fn hash() -> KeyBytes {
    KeyBytes::new([9; 32])
}

/// Enrols a customer's password.
async fn enrol(keys: &Keys, on: Enrolment, record: Record) -> Result<Verifier, CallError> {
    let (caller, items) = (name("shop-1"), vec![EnrolItem { record, hash: hash() }]);
    let made = keys.client("accounts").call(&EnrolPasswords { caller, on, items }).await?;
    let bytes = made.verifiers.into_iter().next().unwrap();
    Ok(Verifier { bytes, set_at: made.set_at })
}

fn sign_in_call(keys: &Keys, caller: &str, record: Record, stored: &Verifier) -> CheckPassword {
    let until = keys.clock.now() + SignedDuration::from_hours(1);
    let session = Some(NewSession { secret: Sha256::of(&SECRET), until });
    CheckPassword { hash: hash(), stored: stored.clone(), session, ..typed(caller, record) }
}

/// Signs a customer in, and returns the ticket; `None` if it was refused.
async fn sign_in(
    keys: &Keys,
    caller: &str,
    record: Record,
    stored: &Verifier,
) -> Option<PresenceTicket> {
    let call = sign_in_call(keys, caller, record, stored);
    let right = keys.client("accounts").call(&call).await.unwrap().right;
    right.map(|RightPassword { ticket, .. }| ticket.unwrap())
}

async fn show(
    keys: &Keys,
    caller: &str,
    records: &[u32],
    presence: Option<Presence>,
) -> Result<(), CallError> {
    let call = ReleaseKeys { presence, ..ask(caller, records) };
    keys.client("accounts").call(&call).await.map(|_| ())
}

fn proof(record: Record, ticket: &PresenceTicket, secret: [u8; 32]) -> Presence {
    Presence { record, ticket: ticket.clone(), secret: KeyBytes::new(secret) }
}

#[tokio::test]
async fn a_shop_sees_those_who_are_signed_in_at_its_group_and_nobody_else() {
    let keys = Keys::start().await;
    let stored = enrol(&keys, Enrolment::SignUp, ADA).await.unwrap();
    let ticket = sign_in(&keys, "shop-1", ADA, &stored).await.unwrap();
    for caller in ["shop-1", "shop-2"] {
        show(&keys, caller, &[1], Some(proof(ADA, &ticket, SECRET))).await.unwrap();
    }
    for (caller, records, presence) in [
        ("shop-1", &[1][..], None),
        ("shop-1", &[2], Some(proof(ADA, &ticket, SECRET))),
        ("shop-1", &[1, 2], Some(proof(ADA, &ticket, SECRET))),
        ("shop-1", &[2], Some(proof(Record(2), &ticket, SECRET))),
        ("shop-1", &[1], Some(proof(ADA, &ticket, [8; 32]))),
        ("stand-1", &[1], Some(proof(ADA, &ticket, SECRET))),
    ] {
        refused(show(&keys, caller, records, presence).await, NOT_PRESENT);
    }
    assert!(keys.alarms().await.iter().any(|alarm| alarm.kind == AlarmKind::RefusedGrant));
    keys.clock.advance(SignedDuration::from_hours(1));
    refused(show(&keys, "shop-1", &[1], Some(proof(ADA, &ticket, SECRET))).await, NOT_PRESENT);

    let log = events(&keys).await;
    let shown = log.iter().filter(|event| {
        matches!(event, Event::Released { operation: Operation::ReleasePresent, .. })
    });
    assert_eq!(shown.count(), 2, "the log tells that the customer was there");
    let group: CallerName = name("shop");
    let signed_in = |event: &&Event| matches!(event, Event::SignedIn { record: ADA, group: of, .. } if *of == group);
    assert_eq!(log.iter().filter(signed_in).count(), 1);
    // A grant that asks for no presence goes on without a ticket.
    keys.release("web-ky-1", &[1]).await.unwrap();
}

#[tokio::test]
async fn a_wrong_password_gets_no_ticket() {
    let keys = Keys::start().await;
    let stored = enrol(&keys, Enrolment::SignUp, ADA).await.unwrap();
    let wrong = CheckPassword {
        hash: KeyBytes::new([8; 32]),
        ..sign_in_call(&keys, "shop-1", ADA, &stored)
    };
    let accounts = keys.client("accounts");
    assert!(accounts.call(&wrong).await.unwrap().right.is_none());
    let other = sign_in_call(&keys, "shop-1", Record(2), &stored);
    assert!(accounts.call(&other).await.unwrap().right.is_none());
    let later = Verifier { set_at: stored.set_at + SignedDuration::from_secs(1), ..stored.clone() };
    assert!(sign_in(&keys, "shop-1", ADA, &later).await.is_none(), "the time can't be moved");
    assert!(sign_in(&keys, "shop-1", ADA, &stored).await.is_some());
    let given = events(&keys).await;
    assert_eq!(given.iter().filter(|e| matches!(e, Event::SignedIn { .. })).count(), 1);
}

/// Root on `accounts` can bring back an old table. `keys` knows what is void, also after a start on an older
/// database of its own.
#[tokio::test]
async fn a_void_password_stays_void_whatever_accounts_brings() {
    let mut keys = Keys::start().await;
    let copy = keys.copy_database().await;
    let stored = enrol(&keys, Enrolment::SignUp, ADA).await.unwrap();
    let ticket = sign_in(&keys, "shop-1", ADA, &stored).await.unwrap();
    keys.clock.advance(SignedDuration::from_secs(10));
    let now = keys.clock.now();
    let until = now + SignedDuration::from_mins(10);
    let order =
        VoidOrder { incident: 7, set_before: now, until, break_glass: None, customers: None };
    let order = keys.sign(order);
    keys.client("accounts").call(&ApproveVoidOrder { order }).await.unwrap();
    for _ in 0..2 {
        assert!(sign_in(&keys, "shop-1", ADA, &stored).await.is_none());
        refused(show(&keys, "shop-1", &[1], Some(proof(ADA, &ticket, SECRET))).await, NOT_PRESENT);
        keys.put_back_database(&copy).await;
    }
    keys.settle_clock();
    keys.clock.advance(SignedDuration::from_secs(20));
    let again = enrol(&keys, Enrolment::Reset, ADA).await.unwrap();
    let ticket = sign_in(&keys, "shop-1", ADA, &again).await.unwrap();
    show(&keys, "shop-1", &[1], Some(proof(ADA, &ticket, SECRET))).await.unwrap();
}

#[tokio::test]
async fn an_order_over_some_voids_those_and_ends_their_sessions() {
    let keys = Keys::start().await;
    let (ada, bob) = (ADA, Record(2));
    let mut tickets = Vec::new();
    for record in [ada, bob] {
        let stored = enrol(&keys, Enrolment::SignUp, record).await.unwrap();
        let ticket = sign_in(&keys, "shop-1", record, &stored).await.unwrap();
        tickets.push((record, stored, ticket));
    }
    keys.clock.advance(SignedDuration::from_secs(10));
    let now = keys.clock.now();
    let mut roaring = Vec::new();
    RoaringBitmap::from([ada.0]).serialize_into(&mut roaring).unwrap();
    let note = NoteVoidOrder { incident: 7, set_before: now, opened_before: now, roaring };
    for _ in 0..2 {
        keys.client("accounts").call(&note).await.unwrap();
    }
    // An order without a signature raises no budget.
    for record in 0..100 {
        enrol(&keys, Enrolment::Reset, Record(100 + record)).await.unwrap();
    }
    refused(enrol(&keys, Enrolment::Reset, ada).await, ProblemType::BUDGET_EXHAUSTED);
    for (record, stored, ticket) in tickets {
        let void = record == ada;
        assert_eq!(sign_in(&keys, "shop-1", record, &stored).await.is_none(), void);
        let shown = show(&keys, "shop-1", &[record.0], Some(proof(record, &ticket, SECRET))).await;
        assert_eq!(shown.is_err(), void);
    }
}

/// `accounts` alone says that a reset code came back. The budget bounds its word; a void order raises it by
/// its customers, because all of them must set passwords.
#[tokio::test]
async fn attested_passwords_are_bounded_and_marked_and_a_void_order_raises_the_bound() {
    let keys = Keys::start().await;
    // The hundredth record that was given out makes the shop's size known.
    let seal = ReleaseKeys { operation: Operation::Seal, ..ask("web-ky-1", &[99]) };
    keys.client("accounts").call(&seal).await.unwrap();
    for record in 0..100 {
        enrol(&keys, Enrolment::Reset, Record(record)).await.unwrap();
    }
    refused(enrol(&keys, Enrolment::Reset, ADA).await, ProblemType::BUDGET_EXHAUSTED);
    let now = keys.clock.now();
    let until = now + SignedDuration::from_mins(10);
    let order =
        VoidOrder { incident: 7, set_before: now, until, break_glass: None, customers: None };
    let order = keys.sign(order);
    keys.client("accounts").call(&ApproveVoidOrder { order }).await.unwrap();
    for record in 0..100 {
        enrol(&keys, Enrolment::Reset, Record(record)).await.unwrap();
    }
    refused(enrol(&keys, Enrolment::Reset, ADA).await, ProblemType::BUDGET_EXHAUSTED);
    let attested = |event: &&Event| matches!(event, Event::Enrolled { attested: true, .. });
    assert_eq!(events(&keys).await.iter().filter(attested).count(), 200);
}

/// A fallen `accounts` would set first passwords of old customers, without the word that a code came back.
#[tokio::test]
async fn an_old_customer_gets_no_first_password() {
    let mut keys = Keys::start().await;
    let seal = ReleaseKeys { operation: Operation::Seal, ..ask("web-ky-1", &[1]) };
    keys.client("accounts").call(&seal).await.unwrap();
    enrol(&keys, Enrolment::SignUp, ADA).await.unwrap();
    // A restart takes every sealed record from the log.
    keys.restart().await;
    refused(enrol(&keys, Enrolment::SignUp, ADA).await, RECORDS_SEALED);
    enrol(&keys, Enrolment::Reset, ADA).await.unwrap();
    let twice = vec![EnrolItem { record: ADA, hash: hash() }; 2];
    let (caller, on) = (name("shop-1"), Enrolment::Reset);
    let twice = keys.client("accounts").call(&EnrolPasswords { caller, on, items: twice }).await;
    refused(twice, ProblemType::BAD_REQUEST);
}

#[tokio::test]
async fn compartments_learn_the_groups() {
    let keys = Keys::start().await;
    let groups = keys.client("accounts").call(&ListGroups {}).await.unwrap();
    let of = |caller: &str| groups.get(&name(caller)).map(CallerName::as_str);
    assert_eq!([of("shop-1"), of("shop-2"), of("web-ky-1")], [Some("shop"), Some("shop"), None]);
}
