//! Small `keys`, `accounts` and `payments` over real mutual TLS: they note each call, and answer or
//! refuse it.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::extract::State;
use cofferdam_core::{
    Call, CallerName, CustomerNumber, Epoch, FieldKey, KeyBytes, ListCheckpoints, Record, Reseal,
    SeenCheckpoint,
};
use cofferdam_wire::{Answer, Body, Listener, Problem, ProblemType, Routes};
use keys_api::{
    Alarm, CallerPolicy, CallerStatus, DomainEpochs, Hold, HoldId, ReadAlarms, WarrantId,
};
use serde_json::Value;
use testkit::{Authority, States};
use tokio::sync::Semaphore;

/// The warrant that `keys` opens in every test.
pub const WARRANT: WarrantId = WarrantId([9; 16]);

/// A call that a neighbour got: its name, the path, and the body as JSON.
pub type Taken = (&'static str, &'static str, Value);

/// The calls that the neighbours got, and the answers that they are told to give.
#[derive(Default)]
pub struct Book {
    /// Every call, in order.
    pub taken: Vec<Taken>,
    /// The problem with which a neighbour answers a path.
    pub refusals: BTreeMap<(&'static str, &'static str), ProblemType>,
    /// The calls that are answered only when the test permits it.
    pub held: BTreeMap<(&'static str, &'static str), Arc<Semaphore>>,
    /// The newest state of `response`.
    pub states: States,
    /// The alarms of `keys`.
    pub alarms: Vec<Alarm>,
    /// The holds that `keys` has, by caller. The number of a hold is that of its incident.
    pub holds: BTreeMap<CallerName, Vec<Hold>>,
    /// The callers that `keys` lists as frozen.
    pub frozen: Vec<&'static str>,
    /// The checkpoints that `accounts` keeps.
    pub seen: Vec<SeenCheckpoint>,
    /// The customers of `accounts`.
    pub customers: Vec<u32>,
    /// The customers who were mailed a code in any window.
    pub mailed: Vec<u32>,
    /// The customers who opened a session in any window, by caller.
    pub sessions: BTreeMap<CallerName, Vec<u32>>,
    /// The callers of the policy in force.
    pub policy: Vec<CallerPolicy>,
}

type Shared = Arc<Mutex<Book>>;

/// Running neighbours.
pub struct Neighbours {
    book: Shared,
    ports: [u16; 3],
}

impl Neighbours {
    pub async fn start(authority: &Authority) -> Self {
        let book = Shared::default();
        let mut ports = [0; 3];
        for (port, (name, routes)) in ports.iter_mut().zip([
            ("keys", keys()),
            ("accounts", accounts()),
            ("payments", payments()),
        ]) {
            let (identity, router) = (authority.identity(name), routes.into_router(book.clone()));
            let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
            *port = listener.address().port();
            tokio::spawn(async move {
                listener.serve(&identity, router, std::future::pending()).await;
            });
        }
        Self { book, ports }
    }

    pub fn keys(&self) -> String {
        format!("https://localhost:{}", self.ports[0])
    }

    pub fn accounts(&self) -> String {
        format!("https://localhost:{}", self.ports[1])
    }

    pub fn payments(&self) -> String {
        format!("https://localhost:{}", self.ports[2])
    }

    pub fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap()
    }

    /// Makes a neighbour answer a call with a problem.
    pub fn refuse<C: Call>(&self, name: &'static str, kind: ProblemType) {
        self.book().refusals.insert((name, C::PATH), kind);
    }

    /// Makes a neighbour hold its answers to a call back. Each answer takes a permit.
    pub fn hold<C: Call>(&self, name: &'static str) -> Arc<Semaphore> {
        let permits = Arc::new(Semaphore::new(0));
        self.book().held.insert((name, C::PATH), permits.clone());
        permits
    }

    /// Waits until a neighbour has got a call.
    pub async fn until_taken<C: Call>(&self, name: &str) {
        while self.taken::<C>(name).is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Makes every neighbour answer again.
    pub fn relent(&self) {
        self.book().refusals.clear();
    }

    /// The bodies of a neighbour's calls of one kind.
    pub fn taken<C: Call>(&self, name: &str) -> Vec<C> {
        let book = self.book();
        let of_kind = book.taken.iter().filter(|(of, path, _)| *of == name && *path == C::PATH);
        of_kind.map(|(_, _, body)| serde_json::from_value(body.clone()).unwrap()).collect()
    }
}

fn keys() -> Routes<Shared> {
    let epochs = DomainEpochs { current: Epoch(1), readable: vec![Epoch(1)], reseal_until: None };
    Routes::new()
        .call::<keys_api::CheckCaller, _, _>(answering::<keys_api::CheckCaller>("keys", ()))
        .call::<keys_api::FreezeCaller, _, _>(answering_by("keys", freeze))
        .call::<keys_api::ThawCaller, _, _>(answering_by("keys", thaw))
        .call::<keys_api::ReadHolds, _, _>(answering_by("keys", holds))
        .call::<keys_api::LowerBudget, _, _>(answering::<keys_api::LowerBudget>("keys", ()))
        .call::<keys_api::ReadCheckpoint, _, _>(no_checkpoint)
        .call::<keys_api::RestoreBudget, _, _>(answering::<keys_api::RestoreBudget>("keys", ()))
        .call::<keys_api::ListCallers, _, _>(answering_by("keys", callers))
        .call::<keys_api::AddRevokedKey, _, _>(answering::<keys_api::AddRevokedKey>("keys", ()))
        .call::<keys_api::ListRevokedKeys, _, _>(revoked_keys)
        .call::<keys_api::ReadPolicy, _, _>(answering_by("keys", policy))
        .call::<keys_api::ChangePolicy, _, _>(answering::<keys_api::ChangePolicy>("keys", ()))
        .call::<keys_api::ReadEpochs, _, _>(answering::<keys_api::ReadEpochs>(
            "keys",
            epochs.clone(),
        ))
        .call::<keys_api::ChangeEpoch, _, _>(answering::<keys_api::ChangeEpoch>("keys", epochs))
        .call::<keys_api::OpenWarrant, _, _>(answering::<keys_api::OpenWarrant>("keys", WARRANT))
        .call::<keys_api::CloseWarrant, _, _>(answering::<keys_api::CloseWarrant>("keys", ()))
        .call::<keys_api::ReleaseKeys, _, _>(answering_by("keys", release))
        .call::<keys_api::AnchorJournal, _, _>(answering::<keys_api::AnchorJournal>("keys", ()))
        .call::<ReadAlarms, _, _>(alarms)
        .call::<keys_api::CheckState, _, _>(|State(book): State<Shared>, body| async move {
            Ok::<_, Problem>(book.lock().unwrap().states.check(body))
        })
}

/// Releases keys that are all the same.
fn release(_: &mut Book, call: &keys_api::ReleaseKeys) -> keys_api::ReleasedKeys {
    let key = || FieldKey(KeyBytes::new([7; 32]));
    let record = |group: &keys_api::KeyGroup, record: &Record| keys_api::RecordKeys {
        record: *record,
        keys: group.fields.iter().map(|_| key()).collect(),
    };
    let group = |group: &keys_api::KeyGroup| keys_api::ReleasedGroup {
        epoch: Epoch(0),
        records: group.records.iter().map(|of| record(group, of)).collect(),
    };
    let groups = call.groups.iter().map(group).collect();
    keys_api::ReleasedKeys { groups, decoys: Vec::new(), erased: Vec::new() }
}

fn accounts() -> Routes<Shared> {
    use accounts_api::{
        Changes, FreezeCaller, ListCustomers, ReadActivity, ReadChanges, ReadCustomerNumbers,
        ReadPostalContacts, ReadReseal, ResolveCustomerNumbers, VoidCredentials,
    };
    const NAME: &str = "accounts";
    let nobody = Vec::new();
    let changes =
        Changes { last: 0, newest: 0, more: false, forgotten: false, rows: vec![], gone: vec![] };
    Routes::new()
        .call::<FreezeCaller, _, _>(answering::<FreezeCaller>(NAME, ()))
        .call::<VoidCredentials, _, _>(answering_by(NAME, void))
        .call::<ReadActivity, _, _>(answering_by(NAME, activity))
        .call::<ReadChanges, _, _>(answering::<ReadChanges>(NAME, changes))
        .call::<ListCustomers, _, _>(answering_by(NAME, customers))
        .call::<ReadCustomerNumbers, _, _>(answering_by(NAME, numbers))
        .call::<ResolveCustomerNumbers, _, _>(answering_by(NAME, resolved))
        .call::<ReadPostalContacts, _, _>(answering::<ReadPostalContacts>(NAME, nobody))
        .call::<ReadReseal, _, _>(answering::<ReadReseal>(NAME, Reseal::default()))
        .call::<ListCheckpoints, _, _>(answering_by(NAME, seen))
}

fn payments() -> Routes<Shared> {
    use payments_api::{CountCards, FreezeCaller, ReadReseal};
    const NAME: &str = "payments";
    Routes::new()
        .call::<FreezeCaller, _, _>(answering::<FreezeCaller>(NAME, ()))
        .call::<CountCards, _, _>(answering::<CountCards>(NAME, 5))
        .call::<ReadReseal, _, _>(answering::<ReadReseal>(NAME, Reseal::default()))
}

type Reply<A> = Pin<Box<dyn Future<Output = Result<Answer<A>, Problem>> + Send>>;

/// A route that notes the call, and always gives the same answer.
fn answering<C>(
    name: &'static str,
    answer: C::Answer,
) -> impl Fn(State<Shared>, Body<C>) -> Reply<C::Answer> + Clone + Send + Sync + 'static
where
    C: Call + 'static,
    C::Answer: Clone + Sync + 'static,
{
    answering_by(name, move |_, _| answer.clone())
}

/// A route that notes the call, and answers by what the book says.
fn answering_by<C>(
    name: &'static str,
    answer: impl Fn(&mut Book, &C) -> C::Answer + Clone + Send + Sync + 'static,
) -> impl Fn(State<Shared>, Body<C>) -> Reply<C::Answer> + Clone + Send + Sync + 'static
where
    C: Call + 'static,
{
    move |State(book), Body(call, encoding)| {
        let answer = answer.clone();
        Box::pin(async move {
            let held = {
                let mut book = book.lock().unwrap();
                book.taken.push((name, C::PATH, serde_json::to_value(&call).unwrap()));
                book.held.get(&(name, C::PATH)).cloned()
            };
            if let Some(permits) = held {
                permits.acquire().await.unwrap().forget();
            }
            let mut book = book.lock().unwrap();
            match book.refusals.get(&(name, C::PATH)) {
                Some(kind) => Err(Problem::new(*kind, "the test said so")),
                None => Ok(Answer(answer(&mut book, &call), encoding)),
            }
        })
    }
}

/// Refuses to tell the log's checkpoint: these tests copy no log.
async fn no_checkpoint(
    State(book): State<Shared>,
    Body(call, _): Body<keys_api::ReadCheckpoint>,
) -> Result<Answer<keys_api::CheckpointAnswer>, Problem> {
    let (path, call) = (keys_api::ReadCheckpoint::PATH, serde_json::to_value(&call).unwrap());
    book.lock().unwrap().taken.push(("keys", path, call));
    Err(Problem::new(ProblemType::UNAVAILABLE, "there is no log"))
}

/// Lists the keys whose revocation arrived.
async fn revoked_keys(
    State(book): State<Shared>,
    Body(_, encoding): Body<keys_api::ListRevokedKeys>,
) -> Result<Answer<Vec<keys_api::RevokedKey>>, Problem> {
    let book = book.lock().unwrap();
    let revoked = book.taken.iter().filter(|(_, path, _)| *path == keys_api::AddRevokedKey::PATH);
    let listed = revoked.map(|(_, _, body)| {
        let call: keys_api::AddRevokedKey = serde_json::from_value(body.clone()).unwrap();
        let key = cofferdam_wire::key_of_chain(&call.certificate).unwrap();
        keys_api::RevokedKey { caller: call.caller, key }
    });
    Ok(Answer(listed.collect(), encoding))
}

fn freeze(book: &mut Book, call: &keys_api::FreezeCaller) -> Hold {
    let hold = Hold { incident: call.incident, hold: HoldId(call.incident.into()) };
    let held = book.holds.entry(call.caller.clone()).or_default();
    held.retain(|of| of.incident != call.incident);
    held.push(hold);
    held.sort_by_key(|of| of.incident);
    hold
}

/// The tests of `keys` check the signatures.
fn thaw(book: &mut Book, call: &keys_api::ThawCaller) -> Vec<Hold> {
    let order = &call.order.order;
    let held = book.holds.entry(order.caller.clone()).or_default();
    held.retain(|of| of.hold != order.hold);
    held.clone()
}

fn holds(book: &mut Book, call: &keys_api::ReadHolds) -> Vec<Hold> {
    book.holds.get(&call.caller).cloned().unwrap_or_default()
}

fn callers(book: &mut Book, _: &keys_api::ListCallers) -> Vec<CallerStatus> {
    let status = |name: &&str| CallerStatus {
        caller: name.parse().unwrap(),
        frozen: book.frozen.contains(name),
        grants: vec![],
        budgets: BTreeMap::new(),
        lowered: vec![],
        last_hour: BTreeMap::new(),
        hours_to_drain: None,
    };
    let others = ["web-ky-2", "web-ky-3"];
    let others = others.iter().filter(|name| !book.frozen.contains(*name));
    book.frozen.iter().chain(others).map(status).collect()
}

fn seen(book: &mut Book, _: &ListCheckpoints) -> Vec<SeenCheckpoint> {
    book.seen.clone()
}

/// Numbers that differ from the records.
fn numbers(_: &mut Book, call: &accounts_api::ReadCustomerNumbers) -> Vec<CustomerNumber> {
    call.records.iter().map(|record| CustomerNumber(!record.0)).collect()
}

fn resolved(_: &mut Book, call: &accounts_api::ResolveCustomerNumbers) -> Vec<Record> {
    call.numbers.iter().map(|number| Record(!number.0)).collect()
}

/// Nobody but those who were mailed a code.
fn policy(book: &mut Book, _: &keys_api::ReadPolicy) -> keys_api::Policy {
    keys_api::Policy { version: 7, approvers: vec![], callers: book.policy.clone() }
}

fn activity(book: &mut Book, call: &accounts_api::ReadActivity) -> accounts_api::Activity {
    let asked = |of: &CallerName| call.callers.as_ref().is_none_or(|callers| callers.contains(of));
    let sessions = book.sessions.iter().filter(|(caller, _)| asked(caller));
    let opened: Vec<_> = sessions.flat_map(|(_, customers)| customers.clone()).collect();
    let bytes = |records: &[u32]| {
        let mut bytes = Vec::new();
        let records: roaring::RoaringBitmap = records.iter().copied().collect();
        records.serialize_into(&mut bytes).unwrap();
        bytes
    };
    accounts_api::Activity { opened: bytes(&opened), held: bytes(&[]), mailed: bytes(&book.mailed) }
}

/// An order that people signed leaves nobody out.
fn void(_: &mut Book, call: &accounts_api::VoidCredentials) -> accounts_api::VoidOutcome {
    let is_set = matches!(call.whose, accounts_api::VoidWhose::Set { .. });
    accounts_api::VoidOutcome {
        order: 4,
        customers: 3,
        sessions: 2,
        left_out: u64::from(!is_set),
        created_since: 0,
        seconds: 0.5,
    }
}

fn customers(book: &mut Book, call: &accounts_api::ListCustomers) -> Vec<accounts_api::CoarseRow> {
    let row = |record: &u32| accounts_api::CoarseRow {
        record: Record(*record),
        coarse: accounts_api::Coarse {
            country: None,
            region: None,
            language: "en".parse().unwrap(),
            minor: false,
        },
        filled: cofferdam_core::FieldSet::EMPTY.with(cofferdam_core::Field::Email),
    };
    book.customers.iter().filter(|record| **record >= call.from.0).map(row).collect()
}

async fn alarms(
    State(book): State<Shared>,
    Body(call, encoding): Body<ReadAlarms>,
) -> Result<Answer<Vec<Alarm>>, Problem> {
    let book = book.lock().unwrap();
    let newer = book.alarms.iter().filter(|alarm| alarm.seq > call.after);
    Ok(Answer(newer.cloned().collect(), encoding))
}
