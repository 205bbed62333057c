//! The passwords of the small `keys`.

use axum::extract::State;
use cofferdam_core::{KeyBytes, Operation, Record, Timestamp};
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::{
    CheckPassword, CheckedPassword, EnrolPasswords, EnrolledPasswords, NewSession, PresenceTicket,
    RightPassword, Search, Verifier,
};

use super::{PEPPER, Shared, tag};

/// Compares a password, and gives a ticket whose code is the hash of the secret.
pub async fn check(
    State(book): Shared,
    Caller(via): Caller,
    Body(call, encoding): Body<CheckPassword>,
) -> Result<Answer<CheckedPassword>, Problem> {
    let mut book = book.lock().unwrap();
    book.check(&via, &call.caller)?;
    if let Some(ticket) = call.looked_up {
        assert!(book.unanswered.remove(&ticket), "a look-up is noted once");
        book.found.push((call.caller.clone(), Search::SignIn, vec![call.record]));
    }
    book.hardened.push((call.caller, vec![call.record]));
    book.renews = call.renew.is_some();
    let Verifier { bytes, set_at } = call.stored;
    let right = bytes.expose() == verifier(call.record, set_at, &call.hash).expose();
    let renewed =
        call.renew.map(|hash| Verifier { bytes: verifier(call.record, set_at, &hash), set_at });
    let ticket = call.session.map(|NewSession { secret, until }| PresenceTicket {
        given: set_at,
        until,
        mac: KeyBytes::new(secret.0),
    });
    let right = right.then_some(RightPassword { renewed, ticket });
    Ok(Answer(CheckedPassword { right }, encoding))
}

/// Makes verifiers as `keys` does.
pub async fn enrol(
    State(book): Shared,
    Caller(via): Caller,
    Body(call, encoding): Body<EnrolPasswords>,
) -> Result<Answer<EnrolledPasswords>, Problem> {
    let mut book = book.lock().unwrap();
    book.check(&via, &call.caller)?;
    let records: Vec<Record> = call.items.iter().map(|i| i.record).collect();
    book.hardened.push((call.caller, records));
    book.end(Operation::Enrol)?;
    let set_at = Timestamp::from_millisecond(book.clock.now().as_millisecond()).unwrap();
    let verifiers = call.items.iter().map(|item| verifier(item.record, set_at, &item.hash));
    Ok(Answer(EnrolledPasswords { set_at, verifiers: verifiers.collect() }, encoding))
}

fn verifier(record: Record, set_at: Timestamp, hash: &KeyBytes) -> KeyBytes {
    let (record, set_at) = (record.0.to_be_bytes(), set_at.as_millisecond().to_be_bytes());
    KeyBytes::new(tag(PEPPER, &[record.as_slice(), &set_at, hash.expose()].concat()))
}
