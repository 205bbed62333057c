//! Traffic that goes on whatever happens, and remembers what was answered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use accounts_api::{Coarse, CreateCustomer, OpenSession, Profile, ReadCustomers};
use cofferdam_core::{CustomerNumber, Field, FieldSet, Personal};
use cofferdam_wire::{CallError, Client};
use estate::Compartment::{Accounts, Payments};
use payments_api::{CardDetails, CardToken, StoreCards};
use tokio::task::JoinHandle;

use crate::site::Site;

/// The host that reads, and later counts as fallen.
pub const READER: &str = "web-ky-2";
/// The pause after each call, so that the budgets last for the run: 600 a minute.
const PAUSE: Duration = Duration::from_millis(110);
/// The longest time until every kind of call works again after a fault.
const AGAIN: Duration = Duration::from_secs(30);

/// The calls that the compartments acknowledged so far.
#[derive(Default)]
pub struct Answered {
    /// Customers whose sign-up was acknowledged, with the places in their addresses.
    pub customers: Mutex<BTreeMap<CustomerNumber, u32>>,
    /// Customers for whom the reader asked.
    pub asked: Mutex<BTreeSet<CustomerNumber>>,
    /// Customers whose telephone number the reader got.
    pub read: Mutex<BTreeSet<CustomerNumber>>,
    /// Customers who signed in at the reader.
    pub signed_in: Mutex<BTreeSet<CustomerNumber>>,
    /// Cards that were stored.
    pub cards: Mutex<Vec<CardToken>>,
    failed: AtomicU32,
    /// The last error of each kind of call.
    errors: Mutex<BTreeMap<&'static str, String>>,
    stop: AtomicBool,
}

impl Answered {
    /// The figures, in words.
    pub fn summary(&self) -> String {
        format!(
            "{} sign-ups, {} of {} customers read, {} signed in, {} cards, {} calls failed",
            locked(&self.customers).len(),
            locked(&self.read).len(),
            locked(&self.asked).len(),
            locked(&self.signed_in).len(),
            locked(&self.cards).len(),
            self.failed.load(Ordering::Relaxed)
        )
    }

    /// The number of calls of each kind that were acknowledged.
    fn counts(&self) -> [usize; 4] {
        let customers = locked(&self.customers).len();
        let [read, signed_in] = [&self.read, &self.signed_in].map(|of| locked(of).len());
        [customers, read, signed_in, locked(&self.cards).len()]
    }
}

/// Calls that run until they are stopped.
pub struct Traffic {
    answered: Arc<Answered>,
    callers: Vec<JoinHandle<()>>,
}

impl Traffic {
    /// Starts to sign customers up, to read them, and to store cards.
    pub fn start(site: &Site) -> Self {
        let answered = Arc::new(Answered::default());
        let callers = vec![
            tokio::spawn(sign_up(site.client(Accounts, "web-ky-1"), answered.clone())),
            tokio::spawn(read(site.client(Accounts, READER), answered.clone())),
            tokio::spawn(store_cards(site.client(Payments, "checkout-1"), answered.clone())),
        ];
        Self { answered, callers }
    }

    /// The figures, in words.
    pub fn summary(&self) -> String {
        self.answered.summary()
    }

    /// Waits until a call of each kind was acknowledged again.
    pub async fn goes_on(&self) {
        let (before, deadline) = (self.answered.counts(), Instant::now() + AGAIN);
        loop {
            let now = self.answered.counts();
            if now.iter().zip(before).all(|(now, before)| *now > before) {
                return;
            }
            let errors = locked(&self.answered.errors).clone();
            assert!(
                Instant::now() < deadline,
                "calls fail after the fault: {before:?}, {now:?}, {errors:?}"
            );
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Lets the calls in hand end.
    pub async fn stop(self) -> Arc<Answered> {
        self.answered.stop.store(true, Ordering::Relaxed);
        for caller in self.callers {
            caller.await.unwrap();
        }
        self.answered
    }
}

async fn sign_up(accounts: Client, answered: Arc<Answered>) {
    let language = "en".parse().unwrap();
    let coarse = Coarse { country: None, region: None, language, minor: false };
    for place in 0_u32.. {
        let given = |text: String| Some(Personal::from(text));
        let profile = Profile {
            name: format!("Person {place}").into(),
            email: email(place),
            phone: given(format!("+1 502 55 {place:05}")),
            billing_address: None,
            shipping_address: None,
            card_last4: None,
            coarse: coarse.clone(),
        };
        let call = CreateCustomer { profile, password: password(place) };
        match accounts.call(&call).await {
            Ok(number) => {
                let before = locked(&answered.customers).insert(number, place);
                assert!(before.is_none(), "{number:?} twice");
            }
            Err(e) => fail(&answered, "sign up", &e),
        }
        if paused(&answered).await {
            return;
        }
    }
}

fn email(place: u32) -> Personal {
    format!("person.{place}@home.example").into()
}

fn password(place: u32) -> Personal {
    format!("a long password {place}").into()
}

/// Signs a customer in who was not asked for yet, and reads them.
async fn read(accounts: Client, answered: Arc<Answered>) {
    while !paused(&answered).await {
        let next = {
            let asked = locked(&answered.asked);
            let customers = locked(&answered.customers);
            let mut left = customers.iter().filter(|(of, _)| !asked.contains(of));
            left.next().map(|(of, place)| (*of, *place))
        };
        let Some((number, place)) = next else { continue };
        locked(&answered.asked).insert(number);
        let sign_in = OpenSession { email: email(place), password: password(place) };
        let token = match accounts.call(&sign_in).await {
            Ok(session) => {
                locked(&answered.signed_in).insert(session.record);
                session.token
            }
            Err(e) => {
                fail(&answered, "sign in", &e);
                continue;
            }
        };
        let fields = FieldSet::EMPTY.with(Field::Name).with(Field::Phone);
        let (records, session) = (vec![number], Some(token));
        match accounts.call(&ReadCustomers { records, fields, session }).await {
            Ok(customers) => {
                let got = customers.iter().filter(|of| of.fields.contains_key(&Field::Phone));
                locked(&answered.read).extend(got.map(|customer| customer.record));
            }
            Err(e) => fail(&answered, "read", &e),
        }
    }
}

async fn store_cards(payments: Client, answered: Arc<Answered>) {
    while !paused(&answered).await {
        let number = Personal::new("4111111111111111");
        let card = CardDetails { number, expiry_month: 12, expiry_year: 2040 };
        match payments.call(&StoreCards { cards: vec![card] }).await {
            Ok(stored) => {
                locked(&answered.cards).extend(stored.into_iter().map(|card| card.token));
            }
            Err(e) => fail(&answered, "store a card", &e),
        }
    }
}

/// Waits for a moment. Whether the traffic must stop.
async fn paused(answered: &Answered) -> bool {
    tokio::time::sleep(PAUSE).await;
    answered.stop.load(Ordering::Relaxed)
}

fn fail(answered: &Answered, call: &'static str, error: &CallError) {
    locked(&answered.errors).insert(call, error.to_string());
    answered.failed.fetch_add(1, Ordering::Relaxed);
}

/// The content of a mutex, also if a caller panicked with it in hand.
pub fn locked<T>(of: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
