//! The calls that must go on: of staff, app servers, visitors and the mail server.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use accounts_api::{Coarse, CreateCustomer, Profile, ReadCustomers};
use cofferdam_core::{Compartment, CustomerNumber, Field, FieldSet, Personal};
use cofferdam_wire::{Client, Identity};
use payments_api::{CardDetails, StoreCards};
use response_api::{ListCallers, ListIncidents};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::manners::Listener;
use crate::site::Site;

/// The pause between two calls of a kind.
const PAUSE: Duration = Duration::from_millis(40);
/// The time after which a call has failed.
const PATIENCE: Duration = Duration::from_secs(10);

/// A kind of call.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// Staff list the incidents.
    Staff(Over),
    /// Staff list the callers, for which `response` asks `keys`.
    StaffAndKeys(Over),
    /// An app server reads a customer, for which `accounts` asks `keys`.
    AppServer(Over),
    /// A checkout server stores a card, for which `payments` asks `keys`.
    Checkout(Over),
    /// A visitor reads a public page.
    Visitor,
    /// The mail server greets, and leaves.
    Mail,
}

/// The connection of a call.
#[derive(Debug, Clone, Copy)]
pub enum Over {
    /// One that was opened before.
    Kept,
    /// A new one, with its handshake.
    New,
}

/// The figures of each kind, in the order of [`Kind::ALL`].
pub struct Figures(Vec<Figure>);

/// The figures of one kind of call.
pub struct Figure {
    /// The median, in milliseconds.
    pub median: f64,
    /// The 99th percentile, in milliseconds.
    pub p99: f64,
    /// The number of calls without a good answer.
    pub failed: usize,
}

impl Kind {
    /// The kinds, in the order in which they are measured.
    pub const ALL: [Self; 10] = [
        Self::Staff(Over::Kept),
        Self::Staff(Over::New),
        Self::StaffAndKeys(Over::Kept),
        Self::StaffAndKeys(Over::New),
        Self::AppServer(Over::Kept),
        Self::AppServer(Over::New),
        Self::Checkout(Over::Kept),
        Self::Checkout(Over::New),
        Self::Visitor,
        Self::Mail,
    ];

    /// The name in words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Staff(Over::Kept) => "staff",
            Self::Staff(Over::New) => "staff, new connection",
            Self::StaffAndKeys(Over::Kept) => "staff over keys",
            Self::StaffAndKeys(Over::New) => "staff over keys, new",
            Self::AppServer(Over::Kept) => "app server",
            Self::AppServer(Over::New) => "app server, new connection",
            Self::Checkout(Over::Kept) => "checkout",
            Self::Checkout(Over::New) => "checkout, new connection",
            Self::Visitor => "visitor",
            Self::Mail => "mail server",
        }
    }
}

impl Figures {
    /// The figures of a kind.
    pub fn of(&self, kind: Kind) -> &Figure {
        let at = Kind::ALL.iter().position(|of| of.name() == kind.name()).unwrap();
        &self.0[at]
    }
}

impl Figure {
    fn of(times: &[Option<Duration>]) -> Self {
        let mut took: Vec<Duration> = times.iter().map(|time| time.unwrap_or(PATIENCE)).collect();
        took.sort_unstable();
        let at = |part: usize| took[(took.len() * part / 100).min(took.len() - 1)];
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        let failed = times.iter().filter(|time| time.is_none()).count();
        Self { median: ms(at(50)), p99: ms(at(99)), failed }
    }
}

/// Makes calls of every kind at the same time, for `span`.
pub async fn measure(site: &Site, span: Duration) -> Figures {
    let mut running = JoinSet::new();
    for (at, kind) in Kind::ALL.into_iter().enumerate() {
        let caller = Caller::new(site, kind);
        running.spawn(async move { (at, caller.repeat(span).await) });
    }
    let mut times = running.join_all().await;
    times.sort_unstable_by_key(|(at, _)| *at);
    Figures(times.into_iter().map(|(_, times)| Figure::of(&times)).collect())
}

/// Signs a customer up, and returns the customer number.
pub async fn sign_up(site: &Site) -> CustomerNumber {
    let coarse =
        Coarse { country: None, region: None, language: "en".parse().unwrap(), minor: false };
    let profile = Profile {
        name: Personal::new("Ada Example"),
        email: Personal::new("ada@home.example"),
        phone: Some(Personal::new("+1 502 555 0100")),
        billing_address: None,
        shipping_address: None,
        card_last4: None,
        coarse,
    };
    let call = CreateCustomer { profile, password: Personal::new("a long password") };
    site.client(Compartment::Accounts, "web-ky-1").call(&call).await.unwrap()
}

/// Makes the calls of one kind.
struct Caller {
    kind: Kind,
    of: Compartment,
    base: String,
    identity: Identity,
    customer: CustomerNumber,
    page: SocketAddr,
    mail: SocketAddr,
}

impl Caller {
    fn new(site: &Site, kind: Kind) -> Self {
        let (of, caller) = match kind {
            Kind::AppServer(_) => (Compartment::Accounts, "web-ky-1"),
            Kind::Checkout(_) => (Compartment::Payments, "checkout-1"),
            Kind::Staff(_) | Kind::StaffAndKeys(_) | Kind::Visitor | Kind::Mail => {
                (Compartment::Response, "operator-1")
            }
        };
        let identity = site.estate.identity(&caller.parse().unwrap()).unwrap();
        let base = site.estate.addresses.of(of).to_owned();
        Self {
            kind,
            of,
            base,
            identity,
            customer: site.customer,
            page: site.address(Listener::Page),
            mail: site.address(Listener::Mail),
        }
    }

    /// A client without an open connection.
    fn new_client(&self) -> Client {
        Client::new(self.of, &self.base, &self.identity)
    }

    async fn repeat(self, span: Duration) -> Vec<Option<Duration>> {
        let (begun, kept) = (Instant::now(), self.new_client());
        let mut times = Vec::new();
        while begun.elapsed() < span {
            let client = if self.needs_new() { self.new_client() } else { kept.clone() };
            let started = Instant::now();
            let made = tokio::time::timeout(PATIENCE, self.make(&client)).await;
            times.push(matches!(made, Ok(true)).then(|| started.elapsed()));
            tokio::time::sleep(PAUSE).await;
        }
        times
    }

    const fn needs_new(&self) -> bool {
        use Kind::{AppServer, Checkout, Staff, StaffAndKeys};
        matches!(
            self.kind,
            Staff(Over::New) | StaffAndKeys(Over::New) | AppServer(Over::New) | Checkout(Over::New)
        )
    }

    /// Makes one call. Whether it had a good answer.
    async fn make(&self, client: &Client) -> bool {
        match self.kind {
            Kind::Staff(_) => client.call(&ListIncidents {}).await.is_ok(),
            Kind::StaffAndKeys(_) => client.call(&ListCallers {}).await.is_ok(),
            Kind::AppServer(_) => {
                let fields = FieldSet::EMPTY.with(Field::Name).with(Field::Phone);
                let read = ReadCustomers { records: vec![self.customer], fields, session: None };
                client.call(&read).await.is_ok()
            }
            Kind::Checkout(_) => {
                let number = Personal::new("4111111111111111");
                let card = CardDetails { number, expiry_month: 12, expiry_year: 2040 };
                client.call(&StoreCards { cards: vec![card] }).await.is_ok()
            }
            Kind::Visitor => answers(self.visit(), "HTTP/1.1 200").await,
            Kind::Mail => answers(self.greet(), "\n221 ").await,
        }
    }

    async fn visit(&self) -> io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(self.page).await?;
        let head = b"GET /verify HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        stream.write_all(head).await?;
        let mut page = Vec::new();
        stream.read_to_end(&mut page).await?;
        Ok(page)
    }

    async fn greet(&self) -> io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(self.mail).await?;
        stream.write_all(b"LHLO relay\r\nQUIT\r\n").await?;
        let mut said = Vec::new();
        stream.read_to_end(&mut said).await?;
        Ok(said)
    }
}

async fn answers(said: impl Future<Output = io::Result<Vec<u8>>>, needle: &str) -> bool {
    said.await.is_ok_and(|said| String::from_utf8_lossy(&said).contains(needle))
}
