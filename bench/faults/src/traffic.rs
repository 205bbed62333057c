//! Traffic that goes on whatever happens, and remembers what was answered.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use accounts_api::{Coarse, CreateCustomer, Profile, ReadCustomers};
use cofferdam_core::{CustomerNumber, Field, FieldSet, Personal};
use cofferdam_wire::Client;
use estate::Compartment::{Accounts, Payments};
use payments_api::{CardDetails, CardToken, StoreCards};
use tokio::task::JoinHandle;

use crate::site::Site;

/// The host that reads, and later counts as fallen.
pub const READER: &str = "web-ky-2";
/// The pause after each call, so that the budgets last for the run.
const PAUSE: Duration = Duration::from_millis(40);

/// The calls that the compartments acknowledged so far.
#[derive(Default)]
pub struct Answered {
    /// Customers whose sign-up was acknowledged.
    pub customers: Mutex<BTreeSet<CustomerNumber>>,
    /// Customers for whom the reader asked.
    pub asked: Mutex<BTreeSet<CustomerNumber>>,
    /// Customers whose telephone number the reader got.
    pub read: Mutex<BTreeSet<CustomerNumber>>,
    /// Cards that were stored.
    pub cards: Mutex<Vec<CardToken>>,
    failed: AtomicU32,
    stop: AtomicBool,
}

impl Answered {
    /// The figures, in words.
    pub fn summary(&self) -> String {
        format!(
            "{} sign-ups, {} of {} customers read, {} cards, {} calls failed",
            count(&self.customers),
            count(&self.read),
            count(&self.asked),
            locked(&self.cards).len(),
            self.failed.load(Ordering::Relaxed)
        )
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
    for number in 0_u32.. {
        let given = |text: String| Some(Personal::from(text));
        let profile = Profile {
            name: format!("Person {number}").into(),
            email: format!("person.{number}@home.example").into(),
            phone: given(format!("+1 502 55 {number:05}")),
            billing_address: None,
            shipping_address: None,
            card_last4: None,
            coarse: coarse.clone(),
        };
        let call = CreateCustomer { profile, password: format!("a long password {number}").into() };
        match accounts.call(&call).await {
            Ok(number) => assert!(locked(&answered.customers).insert(number), "{number:?} twice"),
            Err(_) => fail(&answered),
        }
        if paused(&answered).await {
            return;
        }
    }
}

/// Reads the customer who signed up last but was not asked for yet.
async fn read(accounts: Client, answered: Arc<Answered>) {
    while !paused(&answered).await {
        let next = {
            let asked = locked(&answered.asked);
            locked(&answered.customers).iter().rev().find(|of| !asked.contains(of)).copied()
        };
        let Some(number) = next else { continue };
        locked(&answered.asked).insert(number);
        let fields = FieldSet::EMPTY.with(Field::Name).with(Field::Phone);
        match accounts.call(&ReadCustomers { records: vec![number], fields }).await {
            Ok(customers) => {
                let got = customers.iter().filter(|of| of.fields.contains_key(&Field::Phone));
                locked(&answered.read).extend(got.map(|customer| customer.record));
            }
            Err(_) => fail(&answered),
        }
    }
}

async fn store_cards(payments: Client, answered: Arc<Answered>) {
    while !paused(&answered).await {
        let number = Personal::new("4111111111111111");
        let card = CardDetails { number, expiry_month: 12, expiry_year: 2099 };
        match payments.call(&StoreCards { cards: vec![card] }).await {
            Ok(stored) => {
                locked(&answered.cards).extend(stored.into_iter().map(|card| card.token));
            }
            Err(_) => fail(&answered),
        }
    }
}

/// Waits for a moment. Whether the traffic must stop.
async fn paused(answered: &Answered) -> bool {
    tokio::time::sleep(PAUSE).await;
    answered.stop.load(Ordering::Relaxed)
}

fn fail(answered: &Answered) {
    answered.failed.fetch_add(1, Ordering::Relaxed);
}

/// The content of a mutex, also if a caller panicked with it in hand.
pub fn locked<T>(of: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

fn count<T>(of: &Mutex<BTreeSet<T>>) -> usize {
    locked(of).len()
}
