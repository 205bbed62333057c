//! Passkeys: who may set one, what signs in, and the void orders that end them.

use cofferdam_core::{Base64Url, Clock as _, KeyBytes, Operation, Record, Sha256};
use cofferdam_wire::{CallError, ProblemType};
use jiff::SignedDuration;
use keys_api::{
    ApproveVoidOrder, AskPasskey, CheckPasskey, EnrolPasskey, Event, NOT_PRESENT, NewSession,
    Passkey, PasskeyEnrolment as On, Presence, PresenceTicket, RECORDS_SEALED, ReleaseKeys,
    VoidOrder,
};
use testkit::SoftPasskey;

use crate::support::{Keys, ask, events, name, refused};

const SECRET: [u8; 32] = [7; 32];
const ADA: Record = Record(1);

async fn enrol(
    keys: &Keys,
    on: On,
    record: Record,
    key: &SoftPasskey,
) -> Result<Passkey, CallError> {
    let call = EnrolPasskey { caller: name("shop-1"), on, record, passkey: key.public() };
    keys.client("accounts").call(&call).await
}

async fn challenge(keys: &Keys, caller: &str) -> Base64Url {
    let call = AskPasskey { caller: name(caller), session: Sha256::of(&SECRET) };
    keys.client("accounts").call(&call).await.unwrap().challenge
}

fn check(keys: &Keys, key: &SoftPasskey, passkey: &Passkey, challenge: &Base64Url) -> CheckPasskey {
    let until = keys.clock.now() + SignedDuration::from_hours(1);
    CheckPasskey {
        caller: name("shop-1"),
        record: ADA,
        passkey: passkey.clone(),
        session: NewSession { secret: Sha256::of(&SECRET), until },
        assertion: key.sign(challenge),
    }
}

async fn ticket(keys: &Keys, call: &CheckPasskey) -> Option<PresenceTicket> {
    keys.client("accounts").call(call).await.unwrap().ticket
}

/// Signs Ada in at `shop-1`.
async fn sign_in(keys: &Keys, key: &SoftPasskey, passkey: &Passkey) -> Option<PresenceTicket> {
    let challenge = challenge(keys, "shop-1").await;
    ticket(keys, &check(keys, key, passkey, &challenge)).await
}

fn presence(ticket: &PresenceTicket) -> Presence {
    Presence { record: ADA, ticket: ticket.clone(), secret: KeyBytes::new(SECRET) }
}

async fn show(keys: &Keys, ticket: &PresenceTicket) -> Result<(), CallError> {
    let call = ReleaseKeys { presence: Some(presence(ticket)), ..ask("shop-1", &[ADA.0]) };
    keys.client("accounts").call(&call).await.map(|_| ())
}

#[tokio::test]
async fn a_passkey_signs_its_customer_in_at_the_group_and_the_log_tells() {
    let keys = Keys::start().await;
    let key = SoftPasskey::generate("shop.example");
    let passkey = enrol(&keys, On::SignUp, ADA, &key).await.unwrap();
    let first = sign_in(&keys, &key, &passkey).await.unwrap();
    show(&keys, &first).await.unwrap();
    let second = SoftPasskey::generate("shop.example");
    let on = || On::Present { presence: presence(&first) };
    let added = enrol(&keys, on(), ADA, &second).await.unwrap();
    assert!(sign_in(&keys, &second, &added).await.is_some());

    // Without the customer, nobody adds one.
    refused(enrol(&keys, on(), Record(2), &second).await, NOT_PRESENT);
    let other = Presence { secret: KeyBytes::new([8; 32]), ..presence(&first) };
    refused(enrol(&keys, On::Present { presence: other }, ADA, &second).await, NOT_PRESENT);
    keys.clock.advance(SignedDuration::from_hours(1));
    refused(enrol(&keys, on(), ADA, &second).await, NOT_PRESENT);

    let log = events(&keys).await;
    let enrolled = |event: &&Event| matches!(event, Event::Enrolled { attested: false, .. });
    assert_eq!(log.iter().filter(enrolled).count(), 2);
    let signed_in = |event: &&Event| matches!(event, Event::SignedIn { record: ADA, group, .. } if group.as_str() == "shop");
    assert_eq!(log.iter().filter(signed_in).count(), 2);
}

/// Root on `accounts` has its certificate and its tables, and can bring anything but the customer's
/// signature over a challenge of `keys`.
#[tokio::test]
async fn root_on_accounts_gets_no_ticket_for_a_customer_who_does_not_sign() {
    let keys = Keys::start().await;
    let (key, own) = (SoftPasskey::generate("shop.example"), SoftPasskey::generate("shop.example"));
    let passkey = enrol(&keys, On::SignUp, ADA, &key).await.unwrap();
    let asked = challenge(&keys, "shop-1").await;
    let good = check(&keys, &key, &passkey, &asked);

    // A key of its own in the row, with the customer's code or with that of another customer.
    let mut swapped = check(&keys, &own, &passkey, &asked);
    assert!(ticket(&keys, &swapped).await.is_none(), "another key signed");
    swapped.passkey.public_key = own.public().public_key;
    assert!(ticket(&keys, &swapped).await.is_none(), "the row was changed");
    swapped.passkey = enrol(&keys, On::SignUp, Record(2), &own).await.unwrap();
    assert!(ticket(&keys, &swapped).await.is_none(), "the row is another customer's");

    // A challenge of its own, an old one, and one of another session or group.
    let invented = check(&keys, &key, &passkey, &Base64Url(vec![7; 40]));
    assert!(ticket(&keys, &invented).await.is_none());
    let mut other = good.clone();
    other.session.secret = Sha256::of(&[8; 32]);
    assert!(ticket(&keys, &other).await.is_none(), "the secret is another session's");
    let elsewhere = CheckPasskey { caller: name("stand-1"), ..good.clone() };
    assert!(ticket(&keys, &elsewhere).await.is_none(), "the challenge is another group's");
    let nobody = CheckPasskey { record: Record::NOBODY, ..good.clone() };
    assert!(ticket(&keys, &nobody).await.is_none());
    let other_party = SoftPasskey::generate("evil.example");
    let phished = CheckPasskey { assertion: other_party.sign(&asked), ..good.clone() };
    assert!(ticket(&keys, &phished).await.is_none());

    let group = CheckPasskey { caller: name("shop-2"), ..good.clone() };
    assert!(ticket(&keys, &group).await.is_some(), "callers of a group share sessions");
    keys.clock.advance(SignedDuration::from_mins(5));
    assert!(ticket(&keys, &good).await.is_none(), "the challenge is five minutes old");
    let given = events(&keys).await;
    assert_eq!(given.iter().filter(|e| matches!(e, Event::SignedIn { .. })).count(), 1);
}

#[tokio::test]
async fn a_void_passkey_stays_void_whatever_accounts_brings() {
    let mut keys = Keys::start().await;
    let copy = keys.copy_database().await;
    let key = SoftPasskey::generate("shop.example");
    let passkey = enrol(&keys, On::SignUp, ADA, &key).await.unwrap();
    let before = sign_in(&keys, &key, &passkey).await.unwrap();
    keys.clock.advance(SignedDuration::from_secs(10));
    let now = keys.clock.now();
    let until = now + SignedDuration::from_mins(10);
    let order =
        VoidOrder { incident: 7, set_before: now, until, break_glass: None, customers: None };
    let order = keys.sign(order);
    keys.client("accounts").call(&ApproveVoidOrder { order }).await.unwrap();
    for _ in 0..2 {
        assert!(sign_in(&keys, &key, &passkey).await.is_none());
        let later = Passkey { set_at: now + SignedDuration::from_secs(1), ..passkey.clone() };
        assert!(sign_in(&keys, &key, &later).await.is_none(), "the time can't be moved");
        refused(show(&keys, &before).await, NOT_PRESENT);
        let on = On::Present { presence: presence(&before) };
        refused(enrol(&keys, on, ADA, &key).await, NOT_PRESENT);
        keys.put_back_database(&copy).await;
    }
    keys.settle_clock();
    keys.clock.advance(SignedDuration::from_secs(20));
    let again = enrol(&keys, On::Reset, ADA, &key).await.unwrap();
    assert!(sign_in(&keys, &key, &again).await.is_some());
}

/// A passkey that `accounts` attests takes the budget of a password that it attests.
#[tokio::test]
async fn attested_passkeys_are_bounded_and_marked_and_old_customers_get_no_first_one() {
    let mut keys = Keys::start().await;
    let key = SoftPasskey::generate("shop.example");
    let seal = ReleaseKeys { operation: Operation::Seal, ..ask("web-ky-1", &[1]) };
    keys.client("accounts").call(&seal).await.unwrap();
    keys.restart().await;
    refused(enrol(&keys, On::SignUp, ADA, &key).await, RECORDS_SEALED);
    for record in 0..100 {
        enrol(&keys, On::Reset, Record(record), &key).await.unwrap();
    }
    refused(enrol(&keys, On::Reset, ADA, &key).await, ProblemType::BUDGET_EXHAUSTED);
    // The start recalls the use from the log.
    keys.restart().await;
    refused(enrol(&keys, On::Reset, ADA, &key).await, ProblemType::BUDGET_EXHAUSTED);
    let attested = |event: &&Event| matches!(event, Event::Enrolled { attested: true, .. });
    assert_eq!(events(&keys).await.iter().filter(attested).count(), 100);
}

#[tokio::test]
async fn only_keys_of_customers_are_certified() {
    let keys = Keys::start().await;
    let key = SoftPasskey::generate("shop.example");
    refused(enrol(&keys, On::SignUp, Record::NOBODY, &key).await, ProblemType::BAD_REQUEST);
    let mut passkey = key.public();
    passkey.public_key.0.pop();
    let call = EnrolPasskey { caller: name("shop-1"), on: On::SignUp, record: ADA, passkey };
    refused(keys.client("accounts").call(&call).await, ProblemType::BAD_REQUEST);
    // A caller that takes no passwords takes no passkeys.
    let (caller, session) = (name("mail-trap-1"), Sha256::of(&SECRET));
    let asked = keys.client("accounts").call(&AskPasskey { caller, session }).await;
    refused(asked, ProblemType::NOT_GRANTED);
}
