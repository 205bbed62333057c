//! A small `keys`: releases over real mutual TLS, with real keys, and a log in memory.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use aws_lc_rs::digest::{SHA256, digest};
use axum::extract::State;
use cofferdam_core::{
    CallerName, Domain, Epoch, Field, FieldKey, FieldSet, KeyBytes, Operation, Record,
};
use cofferdam_wire::{Answer, Body, Caller, Listener, Problem, ProblemType, Routes};
use keys_api::{
    AcceptState, CheckState, DomainEpochs, Hold, KeyGroup, ListRevokedKeys, RECORDS_SEALED,
    ReadEpochs, ReadHolds, RecordKeys, ReleaseKeys, ReleasedGroup, ReleasedKeys, RevokedKey,
};
use testkit::{Authority, States};

/// The orders to the small `keys`, and the calls that it answered.
pub struct Book {
    /// The fields that a caller may read or seal.
    pub grants: HashMap<(CallerName, Operation), FieldSet>,
    /// Whether it refuses all calls, as if a budget were spent.
    pub spent: bool,
    /// Whether it answers for the record after the one that was asked for.
    pub confused: bool,
    /// The problem with which it answers the next call to seal, after it has sealed.
    pub fails_late: Option<ProblemType>,
    /// The sealed records. None of them is sealed again.
    pub sealed: HashSet<Record>,
    /// The current epoch.
    pub epoch: Epoch,
    /// Answered releases.
    pub released: Vec<ReleaseKeys>,
    /// The newest state of `payments`.
    pub states: States,
    /// The holds on every caller.
    pub holds: Vec<Hold>,
    /// The revoked keys.
    pub revoked: Vec<RevokedKey>,
}

type Shared = State<Arc<Mutex<Book>>>;

/// A running `keys`.
pub struct TestKeys {
    address: SocketAddr,
    book: Arc<Mutex<Book>>,
}

impl TestKeys {
    /// Starts on a free port, with grants for a checkout server and the processor's forwarder.
    pub async fn start(authority: &Authority) -> Self {
        let identity = authority.identity("keys");
        let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let address = listener.address();
        let name = |name: &str| name.parse::<CallerName>().unwrap();
        let number = FieldSet::EMPTY.with(Field::CardNumber);
        let expiry = FieldSet::EMPTY.with(Field::CardExpiry);
        let masked = FieldSet::EMPTY.with(Field::CardMasked);
        let grants = [
            ((name("checkout-1"), Operation::Seal), number.union(expiry).union(masked)),
            ((name("checkout-1"), Operation::Release), masked.union(expiry)),
            ((name("processor-1"), Operation::Release), number.union(expiry)),
        ];
        let book = Arc::new(Mutex::new(Book {
            grants: grants.into(),
            spent: false,
            confused: false,
            fails_late: None,
            sealed: HashSet::new(),
            epoch: Epoch(3),
            released: Vec::new(),
            states: States::default(),
            holds: Vec::new(),
            revoked: Vec::new(),
        }));
        let router = Routes::new()
            .call::<ReleaseKeys, _, _>(release)
            .call::<ReadEpochs, _, _>(epochs)
            .call::<ReadHolds, _, _>(holds)
            .call::<ListRevokedKeys, _, _>(revoked)
            .call::<CheckState, _, _>(|State(book): Shared, body| async move {
                Ok::<_, Problem>(book.lock().unwrap().states.check(body))
            })
            .call::<AcceptState, _, _>(|State(book): Shared, body| async move {
                Ok::<_, Problem>(book.lock().unwrap().states.accept(body))
            })
            .into_router(book.clone());
        tokio::spawn(async move {
            listener.serve(&identity, router, std::future::pending()).await;
        });
        Self { address, book }
    }

    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The orders to `keys`, and the calls that it answered.
    pub fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap()
    }
}

async fn release(
    State(book): State<Arc<Mutex<Book>>>,
    Caller(via): Caller,
    Body(call, encoding): Body<ReleaseKeys>,
) -> Result<Answer<ReleasedKeys>, Problem> {
    assert_eq!((via.as_str(), call.domain), ("payments", Domain::Payments));
    assert!(call.warrant.is_none());
    let mut book = book.lock().unwrap();
    let asked = |group: &KeyGroup| group.fields.union(group.unset);
    let asked = call.groups.iter().fold(FieldSet::EMPTY, |all, group| all.union(asked(group)));
    let granted = match call.operation {
        Operation::Reseal => Some(asked),
        operation => book.grants.get(&(call.caller.clone(), operation)).copied(),
    };
    if !asked.is_subset(granted.unwrap_or_default()) {
        return Err(Problem::not_granted(format!("{} has no grant", call.caller)));
    }
    if book.spent {
        return Err(Problem::new(ProblemType::BUDGET_EXHAUSTED, "600 a minute").retry_after(7));
    }
    let shift = u32::from(book.confused);
    let current = book.epoch;
    let group = |KeyGroup { fields, epoch, records, .. }: &KeyGroup| {
        assert!(!records.is_empty() && records.is_sorted_by(|a, b| a < b));
        let epoch = epoch.unwrap_or(current);
        let keys_of = |record: &Record| RecordKeys {
            record: Record(record.0 + shift),
            keys: fields.iter().map(|field| field_key(epoch, *record, field)).collect(),
        };
        ReleasedGroup { epoch, records: records.iter().map(keys_of).collect() }
    };
    let groups = call.groups.iter().map(group).collect();
    if call.operation == Operation::Seal {
        let records: Vec<_> = call.groups.iter().flat_map(|group| group.records.clone()).collect();
        if records.iter().any(|record| book.sealed.contains(record)) {
            return Err(Problem::new(RECORDS_SEALED, "a record was sealed before"));
        }
        book.states.give(records.iter().max().map_or(0, |record| record.0 + 1));
        book.sealed.extend(records);
        if let Some(kind) = book.fails_late.take() {
            return Err(Problem::new(kind, "it broke"));
        }
    }
    book.released.push(call);
    let answer = ReleasedKeys { groups, decoys: Vec::new(), erased: Vec::new() };
    Ok(Answer(answer, encoding))
}

async fn holds(
    State(book): Shared,
    Body(_, encoding): Body<ReadHolds>,
) -> Result<Answer<Vec<Hold>>, Problem> {
    Ok(Answer(book.lock().unwrap().holds.clone(), encoding))
}

async fn revoked(
    State(book): Shared,
    Body(_, encoding): Body<ListRevokedKeys>,
) -> Result<Answer<Vec<RevokedKey>>, Problem> {
    Ok(Answer(book.lock().unwrap().revoked.clone(), encoding))
}

async fn epochs(
    State(book): Shared,
    Body(_, encoding): Body<ReadEpochs>,
) -> Result<Answer<DomainEpochs>, Problem> {
    let current = book.lock().unwrap().epoch;
    let readable = (3..=current.0).map(Epoch).collect();
    Ok(Answer(DomainEpochs { current, readable, reseal_until: None }, encoding))
}

fn field_key(epoch: Epoch, record: Record, field: Field) -> FieldKey {
    let epoch = epoch.0.to_be_bytes();
    let place = [epoch.as_slice(), &record.0.to_be_bytes(), &[field as u8]].concat();
    let mut key = [0; 32];
    key.copy_from_slice(digest(&SHA256, &place).as_ref());
    FieldKey(KeyBytes::new(key))
}
