//! An estate under test, with its customers.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use accounts_api::{
    Coarse, CreateCustomer, OpenSession, Profile, ReadCustomerNumbers, ReadCustomers,
};
use cofferdam_core::{CustomerNumber, Field, FieldSet, Personal, Record, SystemClock, SystemRng};
use cofferdam_wire::Client;
use estate::{Compartment, Estate, Plan, Running};
use keys_api::Budget;
use testkit::load::{Measured, measure};

/// The callers of the load, which sign people in by turns: each has a budget a minute.
const WEB: [&str; 2] = ["web-ky-1", "web-ky-2"];
/// The password of everybody who signs in.
const PASSWORD: &str = "correct horse battery";
/// The number of people who sign in, each after the other.
const SIGNING_IN: u32 = 16;
/// A budget that no measurement uses up.
const OFTEN: Budget =
    Budget { minute: 100_000_000, hour: 1_000_000_000, day: 1_000_000_000, burst: 0 };

/// A running estate.
pub struct Site {
    running: Running,
    web: [Client; 2],
    numbers: Arc<Vec<CustomerNumber>>,
}

impl Site {
    /// Makes an estate in `dir`, starts it, and brings customers in.
    pub async fn start(dir: &Path, binary: &Path, customers: u32) -> Self {
        make(dir).await;
        Self::run(dir, binary, customers).await
    }

    /// The same, without halves of keys.
    pub async fn without_halves(dir: &Path, binary: &Path, customers: u32) -> Self {
        make(dir).await;
        for of in ["accounts", "payments", "response"] {
            let file = dir.join(of).join(format!("{of}.toml"));
            let mut config: toml::Table = fs::read_to_string(&file).unwrap().parse().unwrap();
            config.remove("halves");
            fs::write(&file, config.to_string()).unwrap();
            fs::remove_file(dir.join(of).join(format!("{of}.db"))).unwrap();
        }
        Self::run(dir, binary, customers).await
    }

    async fn run(dir: &Path, binary: &Path, customers: u32) -> Self {
        let estate = Estate::open(dir).unwrap();
        let running = Running::start(&estate, binary).await.unwrap();
        import(dir, binary, customers);
        let client = |of, caller: &str| estate.client(of, &caller.parse().unwrap()).unwrap();
        let web = WEB.map(|caller| client(Compartment::Accounts, caller));
        let controller = estate.own_client(Compartment::Accounts, Compartment::Response).unwrap();
        let records = (0..customers).map(Record).collect::<Vec<_>>();
        let mut numbers = Vec::new();
        for page in records.chunks(1_000) {
            let read = ReadCustomerNumbers { records: page.to_vec() };
            numbers.extend(controller.call(&read).await.unwrap());
        }
        for person in 0..SIGNING_IN {
            web[0].call(&sign_up(person)).await.unwrap();
        }
        Self { running, web, numbers: Arc::new(numbers) }
    }

    /// Reads the names and addresses of `profiles` customers in each call.
    pub async fn read(&self, span: Duration, connections: usize, profiles: u32) -> Measured {
        let (web, numbers) = (self.web[0].clone(), self.numbers.clone());
        let fields = [Field::Name, Field::Email, Field::ShippingAddress];
        let fields: FieldSet = fields.into_iter().collect();
        measure(span, connections, move |call| {
            let (web, numbers) = (web.clone(), numbers.clone());
            async move {
                // The stride is prime, so the calls visit all customers in turn.
                let number = |n: u32| {
                    let place = call.wrapping_mul(profiles).wrapping_add(n).wrapping_mul(7_919);
                    numbers[place as usize % numbers.len()]
                };
                let mut records: Vec<_> = (0..profiles).map(number).collect();
                records.sort_unstable();
                records.dedup();
                let read =
                    web.call(&ReadCustomers { records, fields, session: None }).await.unwrap();
                assert!(!read.is_empty());
            }
        })
        .await
    }

    /// Signs people in, at one caller or the other.
    pub async fn sign_in(&self, span: Duration, round: usize) -> Measured {
        let web = self.web[round % 2].clone();
        measure(span, 8, move |call| {
            let web = web.clone();
            async move {
                let email = email(call % SIGNING_IN);
                let open = OpenSession { email, password: Personal::new(PASSWORD) };
                web.call(&open).await.unwrap();
            }
        })
        .await
    }

    /// Stops every process.
    pub async fn stop(&mut self) {
        self.running.stop().await;
    }
}

async fn make(dir: &Path) {
    let plan =
        Plan { presence: false, web_release: OFTEN, decoy_one_in: u32::MAX, ..Plan::default() };
    estate::create(dir, &plan, &SystemClock, &SystemRng).await.unwrap();
}

fn import(dir: &Path, binary: &Path, customers: u32) {
    let mut rows = "name,email,phone,billing_address,shipping_address,card_last4,country,region,\
                    language,minor,password_scheme,password_salt,password_hash\n"
        .to_owned();
    for n in 0..customers {
        writeln!(
            rows,
            "Person {n},person.{n}@home.example,+1 502 555 0100,{n} Main St,{n} Side St,4242,US,KY,\
             en,false,salted_sha1,salt,{n:040x}"
        )
        .unwrap();
    }
    let file = dir.join("customers.csv");
    fs::write(&file, rows).unwrap();
    let mut add = Command::new(binary);
    let added = add.args(["customers", "add"]).arg(&file).arg("--dir").arg(dir).output().unwrap();
    assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
}

fn email(person: u32) -> Personal {
    Personal::new(format!("guest.{person}@home.example"))
}

fn sign_up(person: u32) -> CreateCustomer {
    let profile = Profile {
        name: Personal::new("Ada Lovelace"),
        email: email(person),
        phone: None,
        billing_address: None,
        shipping_address: None,
        card_last4: None,
        coarse: Coarse {
            country: Some("US".parse().unwrap()),
            region: None,
            language: "en".parse().unwrap(),
            minor: false,
        },
    };
    CreateCustomer { profile, password: Personal::new(PASSWORD) }
}
