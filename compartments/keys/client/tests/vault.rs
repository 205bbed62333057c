//! What a vault asks over the wire, and what it makes of the answers. The server here notes each call
//! and gives out keys that tell their record; the rules of `keys` have their own tests.
#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::sync::{Arc, Mutex};

use axum::extract::State;
use cofferdam_core::{
    Base64Url, Call, CallerName, Compartment, Domain, Epoch, Field, FieldKey, FieldSet, KeyBytes,
    NewPasskey, Personal, Record, SeededRng, Sha256, Timestamp,
};
use cofferdam_wire::{Answer, Body, Client, Listener, Problem, Routes};
use keys_api::{
    ApproveVoidOrder, AskPasskey, CheckPasskey, CheckPassword, CheckedPasskey, CheckedPassword,
    ClaimDecoys, ClaimedDecoys, DomainEpochs, EnrolItem, EnrolPasskey, EnrolPasswords,
    EnrolledPasswords, Enrolment, EraseRecords, IndexAddresses, IndexedAddresses, NewSession,
    NoteAddresses, Passkey, PasskeyChallenge, PasskeyEnrolment, PresenceTicket, ReadEpochs,
    RecordKeys, ReleaseKeys, ReleasedGroup, ReleasedKeys, ReportMail, RightPassword, Search,
    Signed, Ticket, Verifier, VoidOrder, WarrantId,
};
use keys_client::{Allowed, Asked, Halves, SealedRecord, ShownPasskey, Typed, Vault, VaultError};
use serde_json::{Value, json};
use testkit::{Authority, SoftPasskey};

const NAME: FieldSet = FieldSet::EMPTY.with(Field::Name);

/// The calls, in order: each path with its body.
#[derive(Clone, Default)]
struct Calls(Arc<Mutex<Vec<(&'static str, Value)>>>);

impl Calls {
    fn note<C: Call>(&self, call: &C) {
        let body = serde_json::to_value(call).unwrap();
        self.0.lock().unwrap().push((C::PATH, body));
    }

    /// The calls since the last look.
    fn take(&self) -> Vec<(&'static str, Value)> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    /// The body of the only call since the last look.
    fn only(&self, path: &str) -> Value {
        let [(called, body)] = self.take().try_into().unwrap();
        assert_eq!(called, path);
        body
    }
}

/// A vault of `accounts`, and the calls that its `keys` gets.
struct Estate {
    vault: Vault,
    calls: Calls,
    _authority: Authority,
}

async fn start() -> Estate {
    let (authority, calls) = (Authority::new(), Calls::default());
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let base = format!("https://localhost:{}", listener.address().port());
    let router = Routes::new()
        .call::<ReleaseKeys, _, _>(release)
        .call::<ReadEpochs, _, _>(epochs)
        .call::<EraseRecords, _, _>(done::<EraseRecords>)
        .call::<ApproveVoidOrder, _, _>(done::<ApproveVoidOrder>)
        .call::<ReportMail, _, _>(done::<ReportMail>)
        .call::<CheckPassword, _, _>(check)
        .call::<EnrolPasswords, _, _>(enrol)
        .call::<EnrolPasskey, _, _>(enrol_passkey)
        .call::<AskPasskey, _, _>(ask_passkey)
        .call::<CheckPasskey, _, _>(check_passkey)
        .call::<IndexAddresses, _, _>(index)
        .call::<NoteAddresses, _, _>(done::<NoteAddresses>)
        .call::<ClaimDecoys, _, _>(claim)
        .into_router(calls.clone());
    let identity = authority.identity("keys");
    tokio::spawn(async move {
        listener.serve(&identity, router, std::future::pending()).await;
    });
    let client = Client::new(Compartment::Keys, &base, &authority.identity("accounts"));
    Estate {
        vault: Vault::new(client, Halves::none(Domain::Accounts)),
        calls,
        _authority: authority,
    }
}

/// The server gives the keys of epoch 5 where no epoch is named.
async fn release(
    State(calls): State<Calls>,
    Body(call, encoding): Body<ReleaseKeys>,
) -> Result<Answer<ReleasedKeys>, Problem> {
    calls.note(&call);
    let groups = call.groups.iter().map(|group| ReleasedGroup {
        epoch: group.epoch.unwrap_or(Epoch(5)),
        records: group.records.iter().map(|record| keys_of(*record, group.fields)).collect(),
    });
    let groups = groups.collect();
    Ok(Answer(ReleasedKeys { groups, decoys: vec![], erased: vec![] }, encoding))
}

fn keys_of(record: Record, fields: FieldSet) -> RecordKeys {
    let key = |_| FieldKey(KeyBytes::new([record.0.to_be_bytes()[3]; 32]));
    RecordKeys { record, keys: fields.iter().map(key).collect() }
}

async fn epochs(
    State(calls): State<Calls>,
    Body(call, encoding): Body<ReadEpochs>,
) -> Result<Answer<DomainEpochs>, Problem> {
    calls.note(&call);
    let readable = vec![Epoch(4), Epoch(5)];
    Ok(Answer(DomainEpochs { current: Epoch(5), readable, reseal_until: None }, encoding))
}

async fn done<C: Call<Answer = ()>>(
    State(calls): State<Calls>,
    Body(call, encoding): Body<C>,
) -> Result<Answer<()>, Problem> {
    calls.note(&call);
    Ok(Answer((), encoding))
}

/// Takes every password, and never gives a ticket.
async fn check(
    State(calls): State<Calls>,
    Body(call, encoding): Body<CheckPassword>,
) -> Result<Answer<CheckedPassword>, Problem> {
    calls.note(&call);
    let right = Some(RightPassword { renewed: None, ticket: None });
    Ok(Answer(CheckedPassword { right }, encoding))
}

async fn enrol(
    State(calls): State<Calls>,
    Body(call, encoding): Body<EnrolPasswords>,
) -> Result<Answer<EnrolledPasswords>, Problem> {
    calls.note(&call);
    let verifiers = call.items.iter().map(|item| twice(&item.hash)).collect();
    Ok(Answer(EnrolledPasswords { set_at: Timestamp::UNIX_EPOCH, verifiers }, encoding))
}

async fn enrol_passkey(
    State(calls): State<Calls>,
    Body(call, encoding): Body<EnrolPasskey>,
) -> Result<Answer<Passkey>, Problem> {
    calls.note(&call);
    Ok(Answer(certified(call.passkey), encoding))
}

fn certified(of: NewPasskey) -> Passkey {
    let NewPasskey { public_key, algorithm, relying_party } = of;
    let (set_at, mac) = (Timestamp::UNIX_EPOCH, KeyBytes::new([6; 32]));
    Passkey { public_key, algorithm, relying_party, set_at, mac }
}

async fn ask_passkey(
    State(calls): State<Calls>,
    Body(call, encoding): Body<AskPasskey>,
) -> Result<Answer<PasskeyChallenge>, Problem> {
    calls.note(&call);
    Ok(Answer(PasskeyChallenge { challenge: Base64Url(vec![1, 2]) }, encoding))
}

/// Refuses nobody's passkey.
async fn check_passkey(
    State(calls): State<Calls>,
    Body(call, encoding): Body<CheckPasskey>,
) -> Result<Answer<CheckedPasskey>, Problem> {
    calls.note(&call);
    let until = call.session.until;
    let ticket = PresenceTicket { given: until, until, mac: KeyBytes::new(call.session.secret.0) };
    let ticket = Some(ticket).filter(|_| call.record != Record::NOBODY);
    Ok(Answer(CheckedPasskey { ticket }, encoding))
}

async fn index(
    State(calls): State<Calls>,
    Body(call, encoding): Body<IndexAddresses>,
) -> Result<Answer<IndexedAddresses>, Problem> {
    calls.note(&call);
    let indexes = call.digests.iter().map(twice).collect();
    Ok(Answer(IndexedAddresses { indexes, ticket: Ticket(77) }, encoding))
}

/// Every number that ends in 3 is a decoy, and 999 also where it was not asked for.
async fn claim(
    State(calls): State<Calls>,
    Body(call, encoding): Body<ClaimDecoys>,
) -> Result<Answer<ClaimedDecoys>, Problem> {
    calls.note(&call);
    let mut decoys: Vec<_> =
        (call.from.0..call.from.0 + call.count).filter(|n| n % 10 == 3).map(Record).collect();
    if call.from.0 == 900 {
        decoys.push(Record(999));
    }
    Ok(Answer(ClaimedDecoys { decoys }, encoding))
}

fn twice(bytes: &KeyBytes) -> KeyBytes {
    KeyBytes::new([bytes.expose()[0] * 2; 32])
}

fn web() -> CallerName {
    "web-1".parse().unwrap()
}

fn sealed(record: u32, epoch: u16, fields: FieldSet) -> SealedRecord {
    SealedRecord { record: Record(record), epoch: Epoch(epoch), fields }
}

/// A record that has every field that is asked for.
const fn all_of(sealed: SealedRecord) -> Asked {
    Asked::Stored(sealed, FieldSet::EMPTY)
}

fn allowed(warrant: Option<WarrantId>) -> Allowed {
    warrant.map_or(Allowed::ByGrant, Allowed::ByWarrant)
}

#[tokio::test]
async fn keys_to_read_are_asked_for_by_epoch_and_under_the_warrant() {
    let Estate { vault, calls, .. } = start().await;
    for (warrant, named) in
        [(None, Value::Null), (Some(WarrantId([7; 16])), json!("07".repeat(16)))]
    {
        let rows = [sealed(1, 4, NAME), sealed(2, 5, NAME), sealed(3, 4, FieldSet::EMPTY)];
        let rows = rows.map(all_of);
        let released = vault.keys_to_read(&web(), rows, allowed(warrant)).await.unwrap();
        let call = calls.only("/v1/keys/release");
        assert_eq!(call["operation"], "release");
        assert_eq!((&call["domain"], &call["caller"]), (&json!("accounts"), &json!("web-1")));
        assert_eq!(call["warrant"], named);
        assert_eq!(call["groups"][0]["records"], json!([1]));
        assert_eq!(call["groups"][1]["records"], json!([2]));
        let epochs = [1, 2, 3].map(|record| released.of(Record(record)).unwrap().epoch());
        assert_eq!(epochs, [Epoch(4), Epoch(5), Epoch(4)]);
    }
}

#[tokio::test]
async fn keys_to_seal_are_those_of_the_current_epoch() {
    let Estate { vault, calls, .. } = start().await;
    let released = vault.keys_to_seal(&web(), [(Record(1), NAME)]).await.unwrap();
    let call = calls.only("/v1/keys/release");
    assert_eq!((&call["operation"], &call["warrant"]), (&json!("seal"), &Value::Null));
    assert_eq!(call["groups"][0]["epoch"], Value::Null);
    assert_eq!(released.of(Record(1)).unwrap().epoch(), Epoch(5));
}

#[tokio::test]
async fn no_call_leaves_when_there_is_no_key_to_ask_for() {
    let Estate { vault, calls, .. } = start().await;
    let empty = [sealed(3, 4, FieldSet::EMPTY)];
    assert!(
        vault
            .keys_to_read(&web(), empty.map(all_of), Allowed::ByGrant)
            .await
            .unwrap()
            .get(Record(3))
            .is_some()
    );
    assert!(vault.keys_to_reseal(&web(), &empty, Epoch(5)).await.unwrap().get(Record(3)).is_none());
    assert_eq!(calls.take(), []);
}

#[tokio::test]
async fn keys_to_reseal_come_under_both_epochs() {
    let Estate { vault, calls, .. } = start().await;
    let rng = SeededRng::new(1);
    let name = "accounts".parse().unwrap();
    let rows = [sealed(1, 4, NAME)];
    let keys = vault.keys_to_reseal(&name, &rows, Epoch(5)).await.unwrap();
    let call = calls.only("/v1/keys/release");
    assert_eq!((&call["operation"], &call["caller"]), (&json!("reseal"), &json!("accounts")));
    assert_eq!(call["groups"].as_array().unwrap().len(), 2);

    let old = vault
        .keys_to_read(&name, rows.map(all_of), Allowed::ByGrant)
        .await
        .unwrap()
        .take(Record(1))
        .unwrap();
    let text = old.seal(Field::Name, &Personal::new("Ada"), &rng).unwrap();
    let moved = keys.get(Record(1)).unwrap().reseal(Field::Name, &text, &rng).unwrap();
    let new = vault.keys_to_seal(&name, [(Record(1), NAME)]).await.unwrap();
    assert_eq!(new.of(Record(1)).unwrap().open(Field::Name, &moved).unwrap().expose(), "Ada");
}

#[tokio::test]
async fn hashes_and_digests_come_back_with_their_answers() {
    let Estate { vault, calls, .. } = start().await;
    let bytes = |n| KeyBytes::new([n; 32]);
    let item = |n: u8| EnrolItem { record: Record(n.into()), hash: bytes(n) };
    let enrolled = vault.enrol(&web(), Enrolment::Reset, vec![3, 4], |n| item(*n)).await.unwrap();
    let call = calls.only("/v1/passwords/enrol");
    assert_eq!((&call["items"][1]["record"], &call["on"]), (&json!(4), &json!("reset")));
    let enrolled: Vec<_> = enrolled.into_iter().map(|(n, of)| (n, of.bytes)).collect();
    let (indexed, looked_up) = vault.index(&web(), vec![5, 6], |n| bytes(*n)).await.unwrap();
    assert_eq!(calls.only("/v1/addresses/index")["caller"], "web-1");
    let found = [Record(9), Record(2), Record(9)];
    vault.note_found(&web(), looked_up, Search::Find, found).await.unwrap();
    let note = json!({"caller": "web-1", "ticket": 77, "search": "find", "records": [2, 9]});
    assert_eq!(calls.only("/v1/addresses/note"), note);
    for (pairs, expected) in [(enrolled, [(3, 6), (4, 8)]), (indexed, [(5, 10), (6, 12)])] {
        let pairs: Vec<_> = pairs.iter().map(|(n, of)| (*n, of.expose()[0])).collect();
        assert_eq!(pairs, expected);
    }
    let (index, looked_up) = vault.index_one(&web(), bytes(8)).await.unwrap();
    assert_eq!(index.expose()[0], 16);
    calls.take();
    let stored = || Verifier { bytes: bytes(1), set_at: Timestamp::UNIX_EPOCH };
    let typed = |record| Typed { record, hash: bytes(2), renew: None, stored: stored() };
    let right = vault.check_password(&web(), typed(Record(3)), None, looked_up).await.unwrap();
    assert!(right.is_some_and(|of| of.ticket.is_none()));
    assert_eq!(calls.only("/v1/passwords/check")["looked_up"], 77);
    // Without the ticket that it asked for, a compartment would open a session that shows nothing.
    let session = NewSession { secret: Sha256([1; 32]), until: Timestamp::UNIX_EPOCH };
    let (_, looked_up) = vault.index_one(&web(), bytes(8)).await.unwrap();
    let right = vault.check_password(&web(), typed(Record(3)), Some(session), looked_up).await;
    assert!(matches!(right, Err(VaultError::Mismatch)), "{right:?}");
}

#[tokio::test]
async fn passkeys_are_certified_asked_and_checked() {
    let Estate { vault, calls, .. } = start().await;
    let key = SoftPasskey::generate("shop.example");
    let on = PasskeyEnrolment::Reset;
    let passkey = vault.enrol_passkey(&web(), on, Record(3), key.public()).await.unwrap();
    let call = calls.only("/v1/passkeys/enrol");
    assert_eq!((&call["record"], &call["on"]), (&json!(3), &json!("reset")));
    assert_eq!((passkey.mac.expose(), &passkey.public_key), (&[6; 32], &key.public().public_key));

    let secret = Sha256([1; 32]);
    let challenge = vault.ask_passkey(&web(), secret).await.unwrap();
    assert_eq!(challenge.0, [1, 2]);
    assert_eq!(calls.only("/v1/passkeys/ask")["session"], json!(secret));

    for (record, gets) in [(Record(3), true), (Record::NOBODY, false)] {
        let (passkey, assertion) = (passkey.clone(), key.sign(&challenge));
        let shown = ShownPasskey { record, passkey, assertion };
        let session = NewSession { secret, until: Timestamp::UNIX_EPOCH };
        let ticket = vault.check_passkey(&web(), shown, session).await.unwrap();
        assert_eq!(ticket.is_some(), gets);
        assert_eq!(calls.only("/v1/passkeys/check")["record"], json!(record));
    }
}

#[tokio::test]
async fn claimed_decoys_must_lie_in_the_range() {
    let Estate { vault, calls, .. } = start().await;
    let decoys = vault.claim_decoys(Record(10), 20).await.unwrap();
    assert_eq!(decoys, [Record(13), Record(23)]);
    let call = calls.only("/v1/decoys/claim");
    assert_eq!(call, json!({"domain": "accounts", "from": 10, "count": 20}));
    let outside = vault.claim_decoys(Record(900), 20).await;
    assert!(matches!(outside, Err(VaultError::Mismatch)), "{outside:?}");
}

#[tokio::test]
async fn epochs_erasures_void_orders_and_mail_reach_keys() {
    let Estate { vault, calls, .. } = start().await;
    assert_eq!(vault.epochs().await.unwrap().current, Epoch(5));
    assert_eq!(calls.only("/v1/epochs/read"), json!({"domain": "accounts"}));

    vault.erase(&web(), Record(9), true).await.unwrap();
    let erased = json!({"domain": "accounts", "caller": "web-1", "records": [9], "held": true});
    assert_eq!(calls.only("/v1/records/erase"), erased);

    let at = "2026-01-01T00:00:00Z".parse().unwrap();
    let order =
        VoidOrder { incident: 3, set_before: at, until: at, break_glass: None, customers: None };
    vault.approve_void_order(Signed { order, signatures: vec![] }).await.unwrap();
    assert_eq!(calls.only("/v1/void-orders/approve")["order"]["order"]["incident"], 3);

    vault.report_mail(&web(), Record(6)).await.unwrap();
    assert_eq!(calls.only("/v1/mail/report"), json!({"caller": "web-1", "record": 6}));
}
