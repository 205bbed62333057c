//! The passkeys of the small `keys`.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, ParsedPublicKey};
use axum::extract::State;
use cofferdam_core::{Base64Url, KeyBytes, NewPasskey, Record, Sha256, Timestamp};
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::{
    AskPasskey, CheckPasskey, CheckedPasskey, ClientData, EnrolPasskey, NOT_PRESENT, Passkey,
    PasskeyChallenge, PasskeyEnrolment, PresenceTicket,
};

use super::{PEPPER, Shared, tag};

/// Certifies a passkey of a customer who is signed in: a ticket has the hash of the secret as its code.
pub async fn enrol(
    State(book): Shared,
    Caller(via): Caller,
    Body(call, encoding): Body<EnrolPasskey>,
) -> Result<Answer<Passkey>, Problem> {
    let book = book.lock().unwrap();
    book.check(&via, &call.caller)?;
    let PasskeyEnrolment::Present { presence } = call.on else {
        return Err(Problem::bad_request("passkeys are added while signed in"));
    };
    let code = Sha256::of(presence.secret.expose()).0;
    if presence.record != call.record || code != *presence.ticket.mac.expose() {
        return Err(Problem::new(NOT_PRESENT, "another session"));
    }
    let set_at = Timestamp::from_millisecond(book.clock.now().as_millisecond()).unwrap();
    let NewPasskey { public_key, algorithm, relying_party } = call.passkey;
    let mac = mac(call.record, set_at, &public_key);
    Ok(Answer(Passkey { public_key, algorithm, relying_party, set_at, mac }, encoding))
}

/// Makes a challenge, which is the hash of the session's secret.
pub async fn ask(
    State(book): Shared,
    Caller(via): Caller,
    Body(call, encoding): Body<AskPasskey>,
) -> Result<Answer<PasskeyChallenge>, Problem> {
    book.lock().unwrap().check(&via, &call.caller)?;
    let challenge = Base64Url(call.session.0.to_vec());
    Ok(Answer(PasskeyChallenge { challenge }, encoding))
}

/// Verifies a signature over the challenge of the session, and gives a ticket whose code is the hash of
/// the secret.
pub async fn check(
    State(book): Shared,
    Caller(via): Caller,
    Body(call, encoding): Body<CheckPasskey>,
) -> Result<Answer<CheckedPasskey>, Problem> {
    let mut book = book.lock().unwrap();
    book.check(&via, &call.caller)?;
    book.passkeys_checked.push(call.record);
    let CheckPasskey { record, passkey, session, assertion, .. } = call;
    let Passkey { public_key, set_at, mac: code, .. } = passkey;
    let key = ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &public_key.0).unwrap();
    let stated = ClientData::parse(&assertion.client_data.0).unwrap();
    let hash = Sha256::of(&assertion.client_data.0).0;
    let signed = [assertion.authenticator_data.0.as_slice(), &hash].concat();
    let right = code.expose() == mac(record, set_at, &public_key).expose()
        && stated.challenge.0 == session.secret.0
        && key.verify_sig(&signed, &assertion.signature.0).is_ok();
    let ticket = right.then_some(PresenceTicket {
        given: set_at,
        until: session.until,
        mac: KeyBytes::new(session.secret.0),
    });
    Ok(Answer(CheckedPasskey { ticket }, encoding))
}

fn mac(record: Record, set_at: Timestamp, public_key: &Base64Url) -> KeyBytes {
    let (record, set_at) = (record.0.to_be_bytes(), set_at.as_millisecond().to_be_bytes());
    KeyBytes::new(tag(PEPPER, &[record.as_slice(), &set_at, &public_key.0].concat()))
}
