//! A small `keys`: the same calls over real mutual TLS, with real keys, and a log in memory.

mod passkeys;
mod passwords;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use aws_lc_rs::hmac;
use axum::extract::State;
use cofferdam_core::{
    CallerName, Clock, Epoch, Field, FieldKey, FieldSet, KeyBytes, Operation, Record,
};
use cofferdam_wire::{Answer, Body, Caller, Listener, Problem, ProblemType, Routes};
use keys_api::{
    AcceptState, ApproveVoidOrder, AskPasskey, CheckPasskey, CheckPassword, CheckState,
    ClaimDecoys, ClaimedDecoys, DECOYS_CLAIMED, DomainEpochs, EnrolPasskey, EnrolPasswords,
    EraseRecords, Hold, IndexAddresses, IndexedAddresses, KeyGroup, ListGroups, ListRevokedKeys,
    NoteAddresses, NoteVoidOrder, ORDER_REFUSED, Presence, RECORDS_SEALED, ReadEpochs, ReadHolds,
    RecordKeys, ReleaseKeys, ReleasedGroup, ReleasedKeys, ReportMail, RevokedKey, Search, Ticket,
    WarrantId,
};
use roaring::RoaringBitmap;
use testkit::{Authority, States};

const MASTER: [u8; 32] = [1; 32];
const PEPPER: [u8; 32] = [2; 32];
const INDEX: [u8; 32] = [3; 32];

/// A group of a release that was answered.
pub struct Answered {
    pub caller: CallerName,
    pub operation: Operation,
    pub warrant: Option<WarrantId>,
    pub group: KeyGroup,
}

/// The orders to the small `keys`, and the calls that it answered.
pub struct Book {
    /// The callers with a grant, and the fields that each may read.
    pub grants: HashMap<CallerName, FieldSet>,
    /// The number of releases that are left to each caller with a budget.
    pub budgets: HashMap<CallerName, usize>,
    /// One record in this many is a decoy; 0 for none.
    pub decoy_one_in: u32,
    /// Whether it leaves the last record out of each release.
    pub forgetful: bool,
    /// The moments at which the next claims of decoys get lost; the last one is for the next claim.
    pub lose_claims: Vec<Lost>,
    /// The operation that fails next, after it was done.
    pub fails_late: Option<Operation>,
    /// The sealed records. None of them is sealed again.
    pub sealed: BTreeSet<Record>,
    /// Answered releases, group by group.
    pub released: Vec<Answered>,
    /// Records that were erased.
    pub erased: Vec<Record>,
    /// The records to which mail came.
    pub mailed: Vec<Record>,
    /// The current epoch.
    pub epoch: Epoch,
    /// The customers of void orders over some, as `accounts` named them.
    pub voided: Vec<Vec<u32>>,
    /// The groups of callers.
    pub groups: BTreeMap<CallerName, CallerName>,
    /// Whether the last password that was compared came with a hash of the newer scheme.
    pub renews: bool,
    /// The customers whose passkeys were checked.
    pub passkeys_checked: Vec<Record>,
    /// The session at which a release was said to be, of the last one.
    pub presence: Option<Presence>,
    clock: Arc<dyn Clock>,
    /// Passwords that were compared or enrolled: the caller, and the records.
    pub hardened: Vec<(CallerName, Vec<Record>)>,
    /// The number of index calls that were answered.
    pub indexed: usize,
    /// The newest state of `accounts`.
    pub states: States,
    /// The look-ups without a note.
    pub unanswered: BTreeSet<Ticket>,
    /// Whether it refuses to note whom a look-up found.
    pub refuse_notes: bool,
    /// The notes of whom a look-up found, those of sign-ins among them.
    pub found: Vec<(CallerName, Search, Vec<Record>)>,
    claimed: BTreeSet<u32>,
    /// The revoked keys of certificates.
    pub revoked: Vec<RevokedKey>,
    /// The holds on every caller.
    pub holds: Vec<Hold>,
}

impl Book {
    fn new(grants: HashMap<CallerName, FieldSet>, clock: Arc<dyn Clock>) -> Self {
        Self {
            grants,
            budgets: HashMap::new(),
            decoy_one_in: 0,
            forgetful: false,
            lose_claims: Vec::new(),
            fails_late: None,
            sealed: BTreeSet::new(),
            released: Vec::new(),
            erased: Vec::new(),
            mailed: Vec::new(),
            epoch: Epoch(0),
            hardened: Vec::new(),
            voided: Vec::new(),
            groups: BTreeMap::new(),
            renews: false,
            passkeys_checked: Vec::new(),
            presence: None,
            clock,
            indexed: 0,
            states: States::default(),
            unanswered: BTreeSet::new(),
            refuse_notes: false,
            found: Vec::new(),
            claimed: BTreeSet::new(),
            revoked: Vec::new(),
            holds: Vec::new(),
        }
    }

    pub fn is_decoy(&self, record: Record) -> bool {
        self.decoy_one_in > 0
            && u32::from(tag(MASTER, &record.0.to_be_bytes())[0]).is_multiple_of(self.decoy_one_in)
    }

    /// Fails if an operation is to fail once it was done.
    fn end(&mut self, done: Operation) -> Result<(), Problem> {
        match self.fails_late.take_if(|fails| *fails == done) {
            Some(_) => Err(Problem::new(ProblemType::INTERNAL, "it broke")),
            None => Ok(()),
        }
    }

    /// Notes that the records of a call are sealed.
    fn seal(&mut self, call: &ReleaseKeys) -> Result<(), Problem> {
        for record in call.groups.iter().flat_map(|group| &group.records) {
            if !self.sealed.insert(*record) {
                return Err(Problem::new(RECORDS_SEALED, format!("{record} was sealed before")));
            }
        }
        self.end(Operation::Seal)
    }

    fn check(&self, via: &CallerName, caller: &CallerName) -> Result<FieldSet, Problem> {
        assert_eq!(via.as_str(), "accounts", "only accounts speaks to keys here");
        let grant = self.grants.get(caller).copied();
        grant.ok_or_else(|| Problem::not_granted(format!("{caller} has no grant")))
    }
}

/// The moment at which a claim gets lost: before it was noted, or after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    Before,
    After,
}

/// A running `keys`.
pub struct TestKeys {
    address: SocketAddr,
    book: Arc<Mutex<Book>>,
}

impl TestKeys {
    /// Starts on a free port, with grants for the callers of the tests.
    pub async fn start(authority: &Authority, clock: Arc<dyn Clock>) -> Self {
        let identity = authority.identity("keys");
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.address();
        let name = |s: &str| s.parse::<CallerName>().unwrap();
        let all: FieldSet = Field::ALL.iter().copied().collect();
        let profile = FieldSet::EMPTY.with(Field::Name).with(Field::Email).with(Field::CardLast4);
        let grants = [
            (name("web-1"), all),
            (name("web-2"), profile),
            (name("import-1"), FieldSet::EMPTY),
            (name("response-1"), FieldSet::EMPTY),
        ];
        let book = Arc::new(Mutex::new(Book::new(grants.into(), clock)));
        let router = Routes::new()
            .call::<ReleaseKeys, _, _>(release)
            .call::<EraseRecords, _, _>(erase)
            .call::<ReadEpochs, _, _>(epochs)
            .call::<ReportMail, _, _>(report_mail)
            .call::<ApproveVoidOrder, _, _>(approve_void_order)
            .call::<CheckPassword, _, _>(passwords::check)
            .call::<EnrolPasswords, _, _>(passwords::enrol)
            .call::<EnrolPasskey, _, _>(passkeys::enrol)
            .call::<AskPasskey, _, _>(passkeys::ask)
            .call::<CheckPasskey, _, _>(passkeys::check)
            .call::<ListGroups, _, _>(groups)
            .call::<NoteVoidOrder, _, _>(note_voided)
            .call::<IndexAddresses, _, _>(index)
            .call::<NoteAddresses, _, _>(note_found)
            .call::<ClaimDecoys, _, _>(claim)
            .call::<CheckState, _, _>(|State(book): Shared, body| async move {
                Ok::<_, Problem>(book.lock().unwrap().states.check(body))
            })
            .call::<AcceptState, _, _>(|State(book): Shared, body| async move {
                Ok::<_, Problem>(book.lock().unwrap().states.accept(body))
            })
            .call::<ListRevokedKeys, _, _>(revoked)
            .call::<ReadHolds, _, _>(holds)
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

type Shared = State<Arc<Mutex<Book>>>;

async fn release(
    State(book): Shared,
    Caller(via): Caller,
    Body(call, encoding): Body<ReleaseKeys>,
) -> Result<Answer<ReleasedKeys>, Problem> {
    let mut book = book.lock().unwrap();
    let granted = match call.operation {
        Operation::Reseal => FieldSet::EMPTY,
        _ => book.check(&via, &call.caller)?,
    };
    let reads = call.operation == Operation::Release && call.warrant.is_none();
    let asked = |group: &KeyGroup| group.fields.union(group.unset);
    let asked = call.groups.iter().fold(FieldSet::EMPTY, |all, group| all.union(asked(group)));
    if reads && !asked.is_subset(granted) {
        return Err(Problem::not_granted("these fields are not granted"));
    }
    if reads && let Some(left) = book.budgets.get_mut(&call.caller) {
        *left = left
            .checked_sub(call.count())
            .ok_or_else(|| Problem::new(ProblemType::BUDGET_EXHAUSTED, "spent").retry_after(60))?;
    }
    if call.operation == Operation::Seal {
        book.seal(&call)?;
    }
    let (mut decoys, mut groups) = (Vec::new(), Vec::new());
    for KeyGroup { fields, unset, epoch, records } in &call.groups {
        let empty = fields.is_empty() && unset.is_empty();
        assert!(!records.is_empty() && !empty, "an empty release was asked for");
        assert!(unset.is_empty() || call.operation == Operation::Release);
        assert!(records.is_sorted_by(|a, b| a < b), "records must be ascending, none twice");
        let withheld = |r: &Record| call.warrant.is_some() && book.is_decoy(*r);
        let (nobody, mut open): (Vec<Record>, Vec<Record>) =
            records.iter().partition(|r| withheld(r));
        decoys.extend(nobody);
        if book.forgetful {
            open.pop();
        }
        let epoch = epoch.unwrap_or(book.epoch);
        let keys = |record: Record| RecordKeys {
            record,
            keys: fields.iter().map(|field| field_key(epoch, record, field)).collect(),
        };
        groups.push(ReleasedGroup { epoch, records: open.into_iter().map(keys).collect() });
    }
    book.presence = call.presence;
    book.released.extend(call.groups.into_iter().map(|group| Answered {
        caller: call.caller.clone(),
        operation: call.operation,
        warrant: call.warrant,
        group,
    }));
    Ok(Answer(ReleasedKeys { groups, decoys, erased: Vec::new() }, encoding))
}

async fn revoked(
    State(book): Shared,
    Body(ListRevokedKeys {}, encoding): Body<ListRevokedKeys>,
) -> Result<Answer<Vec<RevokedKey>>, Problem> {
    Ok(Answer(book.lock().unwrap().revoked.clone(), encoding))
}

async fn holds(
    State(book): Shared,
    Body(_, encoding): Body<ReadHolds>,
) -> Result<Answer<Vec<Hold>>, Problem> {
    Ok(Answer(book.lock().unwrap().holds.clone(), encoding))
}

async fn erase(
    State(book): Shared,
    Caller(via): Caller,
    Body(call, encoding): Body<EraseRecords>,
) -> Result<Answer<()>, Problem> {
    let mut book = book.lock().unwrap();
    book.check(&via, &call.caller)?;
    if !call.held && call.records.iter().any(|record| !book.erased.contains(record)) {
        return Err(Problem::not_found("no such record was given out"));
    }
    book.erased.extend(call.records);
    Ok(Answer((), encoding))
}

async fn report_mail(
    State(book): Shared,
    Body(call, encoding): Body<ReportMail>,
) -> Result<Answer<()>, Problem> {
    book.lock().unwrap().mailed.push(call.record);
    Ok(Answer((), encoding))
}

/// Counts the people who signed. The tests of `keys` check the signatures.
async fn approve_void_order(
    State(_): Shared,
    Body(call, encoding): Body<ApproveVoidOrder>,
) -> Result<Answer<()>, Problem> {
    let people: BTreeSet<_> = call.order.signatures.iter().map(|s| &s.approver).collect();
    if people.len() >= 2 || call.order.order.break_glass.is_some() {
        return Ok(Answer((), encoding));
    }
    Err(Problem::new(ORDER_REFUSED, "two people must sign"))
}

async fn epochs(
    State(book): Shared,
    Body(_, encoding): Body<ReadEpochs>,
) -> Result<Answer<DomainEpochs>, Problem> {
    let current = book.lock().unwrap().epoch;
    let readable = (0..=current.0).map(Epoch).collect();
    Ok(Answer(DomainEpochs { current, readable, reseal_until: None }, encoding))
}

async fn groups(
    State(book): Shared,
    Body(ListGroups {}, encoding): Body<ListGroups>,
) -> Result<Answer<BTreeMap<CallerName, CallerName>>, Problem> {
    Ok(Answer(book.lock().unwrap().groups.clone(), encoding))
}

async fn note_voided(
    State(book): Shared,
    Body(call, encoding): Body<NoteVoidOrder>,
) -> Result<Answer<()>, Problem> {
    let mut book = book.lock().unwrap();
    if book.refuse_notes {
        return Err(Problem::new(ProblemType::UNAVAILABLE, "the release log can't be written"));
    }
    let records = RoaringBitmap::deserialize_from(call.roaring.as_slice()).unwrap();
    book.voided.push(records.iter().collect());
    Ok(Answer((), encoding))
}

async fn index(
    State(book): Shared,
    Caller(via): Caller,
    Body(call, encoding): Body<IndexAddresses>,
) -> Result<Answer<IndexedAddresses>, Problem> {
    let mut book = book.lock().unwrap();
    book.check(&via, &call.caller)?;
    book.indexed += 1;
    let ticket = Ticket(book.indexed as u64);
    book.unanswered.insert(ticket);
    let indexes = call.digests.iter().map(|digest| KeyBytes::new(tag(INDEX, digest.expose())));
    Ok(Answer(IndexedAddresses { indexes: indexes.collect(), ticket }, encoding))
}

async fn note_found(
    State(book): Shared,
    Caller(via): Caller,
    Body(call, encoding): Body<NoteAddresses>,
) -> Result<Answer<()>, Problem> {
    let mut book = book.lock().unwrap();
    book.check(&via, &call.caller)?;
    if book.refuse_notes {
        return Err(Problem::new(ProblemType::UNAVAILABLE, "the release log can't be written"));
    }
    assert!(book.unanswered.remove(&call.ticket), "a look-up is noted once");
    book.found.push((call.caller, call.search, call.records));
    Ok(Answer((), encoding))
}

async fn claim(
    State(book): Shared,
    Caller(via): Caller,
    Body(call, encoding): Body<ClaimDecoys>,
) -> Result<Answer<ClaimedDecoys>, Problem> {
    assert_eq!(via.as_str(), "accounts");
    let mut book = book.lock().unwrap();
    let range = call.from.0..call.from.0 + call.count;
    let lost = book.lose_claims.pop();
    if lost == Some(Lost::Before) {
        return Err(Problem::new(ProblemType::INTERNAL, "it broke"));
    }
    if range.clone().any(|n| !book.claimed.insert(n)) {
        return Err(Problem::new(DECOYS_CLAIMED, "these numbers were claimed before"));
    }
    if lost == Some(Lost::After) {
        return Err(Problem::new(ProblemType::INTERNAL, "it broke"));
    }
    book.states.give(range.end);
    let decoys = range.map(Record).filter(|r| book.is_decoy(*r)).collect();
    Ok(Answer(ClaimedDecoys { decoys }, encoding))
}

struct Bytes32;

impl KeyType for Bytes32 {
    fn len(&self) -> usize {
        32
    }
}

fn field_key(epoch: Epoch, record: Record, field: Field) -> FieldKey {
    let master = Salt::new(HKDF_SHA256, &epoch.0.to_be_bytes()).extract(&MASTER);
    let number = record.0.to_be_bytes();
    let mut out = [0; 32];
    master.expand(&[&number, &[field as u8]], Bytes32).unwrap().fill(&mut out).unwrap();
    FieldKey(KeyBytes::new(out))
}

fn tag(key: [u8; 32], input: &[u8]) -> [u8; 32] {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), input);
    tag.as_ref().try_into().unwrap()
}
