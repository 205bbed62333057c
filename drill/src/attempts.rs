//! The calls that the thief's certificate must not open, each tried once.

use accounts_api as accounts;
use cofferdam_core::{
    Call, CallerName, CustomerNumber, Domain, Epoch, Field, FieldSet, Operation, Personal, Reason,
    Record, Rng, Sha256, Timestamp, WarrantSubject,
};
use cofferdam_wire::{CallError, Client, ProblemType};
use jiff::tz::TimeZone;
use keys_api::{
    ApproverSecret, ChangeEpoch, ChangePolicy, ClaimDecoys, EpochChange, EpochOrder, EraseRecords,
    HoldId, KeyGroup, ListCallers, OpenWarrant, Policy, ReadAlarms, ReadCheckpoint, ReadEntries,
    ReadEpochs, ReadPolicy, ReleaseKeys, Signed, ThawCaller, ThawOrder, Warrant, WarrantId,
};
use payments_api::{CardDetails, CardToken, CountCards, ReadCard, RevealCard, StoreCards};
use response_api::{
    DeclareIncident, FallenHost, HostKind, IncidentId, ListAlarms, ListIncidents, People,
    VoidCredentials, VoidWhose,
};

/// The thief's means: a stolen certificate, and secrets that it saw.
pub struct Stolen<'a> {
    /// The name in the stolen certificate.
    pub name: &'a CallerName,
    /// A client of `keys` under that certificate.
    pub keys: &'a Client,
    /// A client of `accounts` under that certificate.
    pub accounts: &'a Client,
    /// A client of `payments` under that certificate.
    pub payments: &'a Client,
    /// A client of `response` under that certificate.
    pub response: &'a Client,
    /// A card's token, as the shop stores it with an order.
    pub token: &'a CardToken,
    /// A customer with a billing address.
    pub customer: CustomerNumber,
    /// A session that somebody opened at another app server.
    pub session: &'a Personal,
    /// Whether app servers see customers only while these are signed in there.
    pub presence: bool,
    /// The instant of the attempts.
    pub now: Timestamp,
    /// The source of the forged warrant's number.
    pub rng: &'a dyn Rng,
}

/// One attempt, with its answer.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// The attempt in a few words.
    pub what: &'static str,
    /// The code of the problem that came back.
    pub refusal: Option<String>,
    /// The error that came back instead of a problem.
    pub other: Option<String>,
    expected: ProblemType,
}

impl Attempt {
    /// Whether the attempt was refused for the expected reason.
    pub fn held(&self) -> bool {
        self.refusal.as_deref() == Some(self.expected.code)
    }

    /// Describes the outcome in a few words.
    pub fn ended(&self) -> String {
        match (&self.refusal, &self.other) {
            (Some(code), _) => code.clone(),
            (None, Some(other)) => other.clone(),
            (None, None) => "was answered".to_owned(),
        }
    }
}

/// Makes every attempt, one after the other.
pub async fn try_everything(stolen: &Stolen<'_>) -> Vec<Attempt> {
    let mut attempts = try_customers(stolen).await;
    attempts.extend(try_cards(stolen).await);
    attempts.extend(try_keys(stolen).await);
    attempts.extend(try_orders(stolen).await);
    attempts
}

async fn try_customers(stolen: &Stolen<'_>) -> Vec<Attempt> {
    let at = stolen.accounts;
    let billing = FieldSet::EMPTY.with(Field::Name).with(Field::BillingAddress);
    let read = |fields, session| {
        let records = vec![stolen.customer];
        accounts::ReadCustomers { records, fields, session }
    };
    let outside = read(billing, None);
    let invented = accounts::CheckSession { token: Personal::new("A".repeat(43)) };
    // The session is good here, because the two servers share sessions. It is another customer's.
    let others = read(FieldSet::EMPTY.with(Field::Name), Some(stolen.session.clone()));
    let contacts = accounts::ReadContacts { warrant: "0".repeat(32), records: vec![Record(0)] };
    let coarse = accounts::ListCustomers { from: Record(0), limit: 10_000 };
    let resolve = accounts::ResolveCustomerNumbers { numbers: vec![stolen.customer] };
    let numbers = accounts::ReadCustomerNumbers { records: vec![Record(0)] };
    let import = accounts::ImportCustomers { source: "thief".to_owned(), rows: Vec::new() };
    let mut attempts = vec![
        refused("read a field outside its grant", at, &outside).await,
        tried("invent a session", at, &invented, accounts_api::NO_SESSION).await,
        refused("list all customers' coarse data", at, &coarse).await,
        refused("find the record behind a number", at, &resolve).await,
        refused("find the number of a record", at, &numbers).await,
        refused("read contacts under no warrant", at, &contacts).await,
        refused("import customers", at, &import).await,
    ];
    if stolen.presence {
        let what = "read a customer with another's session";
        attempts.push(tried(what, at, &others, accounts_api::NO_SESSION).await);
    }
    attempts
}

async fn try_cards(stolen: &Stolen<'_>) -> Vec<Attempt> {
    let (at, token) = (stolen.payments, stolen.token.clone());
    let card = CardDetails {
        number: Personal::new("4111111111111111"),
        expiry_month: 12,
        expiry_year: year(stolen.now),
    };
    vec![
        refused("read a masked card", at, &ReadCard { token: token.clone() }).await,
        refused("reveal a card", at, &RevealCard { token }).await,
        refused("store a card", at, &StoreCards { cards: vec![card] }).await,
        refused("count the cards", at, &CountCards {}).await,
    ]
}

async fn try_keys(stolen: &Stolen<'_>) -> Vec<Attempt> {
    let at = stolen.keys;
    let direct = ReleaseKeys {
        domain: Domain::Accounts,
        caller: stolen.name.clone(),
        operation: Operation::Release,
        groups: vec![KeyGroup {
            fields: FieldSet::EMPTY.with(Field::Name),
            unset: FieldSet::EMPTY,
            epoch: None,
            records: vec![Record(0)],
        }],
        warrant: None,
        presence: None,
    };
    let claim = ClaimDecoys { domain: Domain::Accounts, from: Record(0), count: 10_000 };
    let erase = EraseRecords {
        domain: Domain::Accounts,
        caller: stolen.name.clone(),
        records: vec![Record(0)],
        held: true,
    };
    vec![
        refused("take keys without accounts", at, &direct).await,
        refused("read the release log", at, &ReadEntries { from: 0, limit: 100 }).await,
        refused("read the log's checkpoint", at, &ReadCheckpoint { since: 0 }).await,
        refused("read the alarms", at, &ReadAlarms { after: 0 }).await,
        refused("list the callers", at, &ListCallers {}).await,
        refused("ask where the decoys are", at, &claim).await,
        refused("open a forged warrant", at, &OpenWarrant { warrant: forged_warrant(stolen) })
            .await,
        refused("read the policy", at, &ReadPolicy {}).await,
        refused("grant itself everything", at, &ChangePolicy { policy: unsigned_policy() }).await,
        refused("read the epochs", at, &ReadEpochs { domain: Domain::Accounts }).await,
        refused("destroy a master key", at, &ChangeEpoch { order: unsigned_retirement(stolen) })
            .await,
        refused("erase customers", at, &erase).await,
    ]
}

/// A policy that nobody signed.
fn unsigned_policy() -> Signed<Policy> {
    let order = Policy { version: 2, approvers: Vec::new(), callers: Vec::new() };
    Signed { order, signatures: Vec::new() }
}

/// An order that nobody signed.
fn unsigned_retirement(stolen: &Stolen<'_>) -> Signed<EpochOrder> {
    let change = EpochChange::Retire { epoch: Epoch(0) };
    let order =
        EpochOrder { domain: Domain::Accounts, change, until: stolen.now, break_glass: None };
    Signed { order, signatures: Vec::new() }
}

/// Orders that only `response` may give, and calls of `response` itself.
async fn try_orders(stolen: &Stolen<'_>) -> Vec<Attempt> {
    let caller = stolen.name.clone();
    #[expect(clippy::expect_used, reason = "these are words")]
    let reason: Reason = "it was not me".parse().expect("a reason");
    let hold = HoldId::BEFORE;
    let order = ThawOrder {
        caller: caller.clone(),
        incident: 1,
        hold,
        until: stolen.now,
        reason: reason.clone(),
    };
    let thaw_at_keys = ThawCaller { order: Signed { order, signatures: Vec::new() } };
    let thaw = cofferdam_core::FreezeCaller {
        caller: caller.clone(),
        frozen: false,
        incident: None,
        reason,
    };
    let void = accounts::VoidCredentials {
        incident: 1,
        set_before: stolen.now,
        whose: accounts::VoidWhose::Only { roaring: Vec::new(), again: false },
    };
    let void_response =
        VoidCredentials { incident: IncidentId(1), whose: VoidWhose::Exposed, set_before: None };
    let declare = DeclareIncident {
        title: "It was web-ky-2".to_owned(),
        fallen: vec![FallenHost { host: caller, kind: HostKind::App }],
        from: stolen.now,
        to: None,
        found: "a hint".to_owned(),
        people: People::Accounts,
        unlisted: vec![],
    };
    let at = stolen.response;
    vec![
        refused("thaw itself at keys", stolen.keys, &thaw_at_keys).await,
        refused("thaw itself at accounts", stolen.accounts, &thaw).await,
        refused("thaw itself at payments", stolen.payments, &thaw).await,
        refused("void credentials", stolen.accounts, &void).await,
        refused("declare an incident", at, &declare).await,
        refused("list the incidents", at, &ListIncidents {}).await,
        refused("read the alarms in response", at, &ListAlarms { after: 0 }).await,
        refused("void through response", at, &void_response).await,
    ]
}

/// The year of an instant, in UTC.
pub fn year(now: Timestamp) -> u16 {
    u16::try_from(now.to_zoned(TimeZone::UTC).year()).unwrap_or(0)
}

/// A warrant over every record, signed by two people who are no approvers.
fn forged_warrant(stolen: &Stolen<'_>) -> Signed<Warrant> {
    let warrant = Warrant {
        id: WarrantId::random(stolen.rng),
        incident: 1,
        subject: WarrantSubject::Letter { letter: 1, version: Sha256([0; 32]) },
        caller: stolen.name.clone(),
        domain: Domain::Accounts,
        fields: FieldSet::EMPTY.with(Field::Name).with(Field::Email),
        records: u32::MAX,
        from: stolen.now,
        until: stolen.now,
    };
    let people = ["ann", "bob"].map(|name| ApproverSecret::generate(name, stolen.rng));
    let signatures = people.iter().map(|person| person.sign(&warrant)).collect();
    Signed { order: warrant, signatures }
}

async fn refused<C: Call>(what: &'static str, client: &Client, call: &C) -> Attempt {
    tried(what, client, call, ProblemType::NOT_GRANTED).await
}

async fn tried<C: Call>(
    what: &'static str,
    client: &Client,
    call: &C,
    expected: ProblemType,
) -> Attempt {
    let (refusal, other) = match client.call(call).await {
        Ok(_) => (None, None),
        Err(CallError::Problem(problem)) => (Some(problem.code().to_owned()), None),
        Err(e) => (None, Some(e.to_string())),
    };
    Attempt { what, refusal, other, expected }
}
