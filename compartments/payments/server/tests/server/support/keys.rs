//! A small `keys`: releases over real mutual TLS, with real keys, and a log in memory.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use aws_lc_rs::digest::{SHA256, digest};
use axum::Router;
use axum::extract::State;
use cofferdam_core::{
    CallerName, Domain, Epoch, Field, FieldKey, FieldSet, KeyBytes, Operation, Record,
};
use cofferdam_wire::{Answer, Body, Caller, Listener, Problem, ProblemKind, call_route};
use keys_api::{KeyGroup, RecordKeys, ReleaseKeys, ReleasedGroup, ReleasedKeys};
use testkit::Authority;

/// What the small `keys` does and did.
#[derive(Default)]
pub struct Book {
    /// Which fields a caller may have, to read and to seal.
    pub grants: HashMap<(CallerName, Operation), FieldSet>,
    /// Refuse all, as when a budget is spent.
    pub spent: bool,
    /// Answer for the record after the one asked for.
    pub confused: bool,
    /// Answered releases.
    pub released: Vec<ReleaseKeys>,
}

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
        let name = |s: &str| s.parse::<CallerName>().unwrap();
        let number = FieldSet::EMPTY.with(Field::CardNumber);
        let expiry = FieldSet::EMPTY.with(Field::CardExpiry);
        let masked = FieldSet::EMPTY.with(Field::CardMasked);
        let grants = [
            ((name("checkout-1"), Operation::Seal), number.union(expiry).union(masked)),
            ((name("checkout-1"), Operation::Release), masked.union(expiry)),
            ((name("processor-1"), Operation::Release), number.union(expiry)),
        ];
        let book = Arc::new(Mutex::new(Book { grants: grants.into(), ..Book::default() }));
        let router = Router::new()
            .merge(call_route::<ReleaseKeys, _, _, _>(release))
            .with_state(book.clone());
        tokio::spawn(async move {
            listener.serve(&identity, router, std::future::pending()).await;
        });
        Self { address, book }
    }

    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it did, and what it is to do.
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
    let [KeyGroup { fields, epoch, records }] = call.groups.as_slice() else {
        panic!("one group at a time");
    };
    assert!(call.warrant.is_none() && !records.is_empty());
    assert!(records.is_sorted_by(|a, b| a < b), "records must be ascending, none twice");
    let mut book = book.lock().unwrap();
    let granted = book.grants.get(&(call.caller.clone(), call.operation)).copied();
    if !fields.is_subset(granted.unwrap_or_default()) {
        return Err(Problem::not_granted(format!("{} has no grant", call.caller)));
    }
    if book.spent {
        return Err(Problem::new(ProblemKind::BudgetExhausted, "600 a minute").retry_after(7));
    }
    let shift = u32::from(book.confused);
    let keys_of = |record: &Record| RecordKeys {
        record: Record(record.0 + shift),
        keys: fields.iter().map(|field| field_key(*record, field)).collect(),
    };
    let records = records.iter().map(keys_of).collect();
    let group = ReleasedGroup { epoch: epoch.unwrap_or(Epoch(3)), records };
    book.released.push(call);
    let answer = ReleasedKeys { groups: vec![group], decoys: Vec::new(), erased: Vec::new() };
    Ok(Answer(answer, encoding))
}

fn field_key(record: Record, field: Field) -> FieldKey {
    let place = [record.0.to_be_bytes().as_slice(), &[field as u8]].concat();
    let mut key = [0; 32];
    key.copy_from_slice(digest(&SHA256, &place).as_ref());
    FieldKey(KeyBytes::new(key))
}
