//! Halves of keys: a database, the secrets of `keys`, and a half open something only together.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use accounts_api::{ADDRESS_TAKEN, Coarse, CreateCustomer, OpenSession, Profile, ReadCustomers};
use cofferdam_core::{CustomerNumber, Field, FieldSet, Personal};
use cofferdam_wire::{Client, write_secret};
use estate::Compartment::{self, Accounts, Keys, Payments, Response};

use testkit::SoftHsm;

use crate::fixture::unpack;
use crate::keys::give_share;
use crate::support::{Place, Process, Up, assert_refused, cofferdam, run, stdout, wait_until};

pub const PASSWORD: &str = "sunshine1";
const HALVED: [Compartment; 3] = [Accounts, Payments, Response];

#[tokio::test(flavor = "multi_thread")]
async fn an_estate_from_before_halves_moves_to_them() {
    let place = unpack("estate-2026-11-29.tar.gz");
    let up = Up::start(&place);
    let web = place.client(Accounts, "web-ky-2");
    let old = sign_up(&web, 1).await;
    let running = place.init(Accounts);
    drop(up);
    assert_refused(&running, "another process serves from the database");

    fs::create_dir(place.dir.join("halves")).unwrap();
    add_half(&place, Accounts, 0, "halves/early.key");
    assert_refused(&place.init(Accounts), "write from_epoch = 1");
    assert!(!place.dir.join("halves/early.key").exists(), "a secret of no half is left");
    place.configure(Accounts, |config| drop(config.remove("halves")));
    for compartment in HALVED {
        add_half(&place, compartment, 1, &format!("halves/{compartment}.key"));
        let config = place.file(&format!("{compartment}/{compartment}.toml"));
        let refused = run([compartment.as_str(), "serve", "--config", &config]);
        assert_refused(&refused, &format!("made, run: cofferdam {compartment} init --config FILE"));
        stdout(&place.init(compartment));
    }
    let up = Up::start(&place);
    sign_in(&web, 1, old).await;
    let new = sign_up(&web, 2).await;
    for domain in ["accounts", "payments"] {
        let order = place.file(&format!("{domain}.order"));
        stdout(&place.run(["order", "draft", "rotate", "--domain", domain, "--out", &order]));
        place.sign_and_apply(&order);
    }
    stdout(&place.run(["epoch", "list", "--wait"]));
    let last = sign_up(&web, 3).await;
    for (person, number) in [(1, old), (2, new), (3, last)] {
        sign_in(&web, person, number).await;
        assert_eq!(name_of(&web, person).await, format!("Person {person}"));
        let again = web.call(&create(person)).await.unwrap_err();
        assert!(again.is(ADDRESS_TAKEN), "{again}");
    }
    drop(up);

    // The secrets of `keys` and a copy of the database open no row that has a half.
    let database = format!("sqlite://{}", place.file("accounts/accounts.db"));
    let db = sqlx::SqlitePool::connect(&database).await.unwrap();
    for table in ["credentials", "addresses"] {
        let text = format!("SELECT COUNT(*) FROM {table} WHERE half IS NOT 1");
        let bare: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(text)).fetch_one(&db).await.unwrap();
        assert_eq!(bare, 0, "{table}");
    }
}

#[tokio::test]
async fn a_compartment_starts_with_the_half_of_its_database_alone() {
    let place = Place::with_estate().await;
    for compartment in HALVED {
        let config = place.file(&format!("{compartment}/{compartment}.toml"));
        // A backup is tested without an estate, so no other compartment runs.
        let serve = || run([compartment.as_str(), "serve", "--config", &config]);
        let (key, aside) = (format!("halves/{compartment}.key"), place.file("aside"));
        fs::rename(place.dir.join(&key), &aside).unwrap();
        assert_refused(&serve(), &key);
        let other = b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        write_secret(&place.dir.join(&key), other).unwrap();
        assert_refused(&serve(), "is not the one that was made for this database");
        fs::rename(&aside, place.dir.join(&key)).unwrap();
        let made = stdout(&place.init(compartment));
        assert_eq!(made.trim(), "Every half of the configuration was made before.");
    }
    add_half(&place, Accounts, 0, "halves/second.key");
    assert_refused(&place.init(Accounts), "two [[halves]] have from_epoch = 0");
}

#[tokio::test]
async fn a_half_is_forgotten_once_nothing_rests_under_it() {
    let place = Place::with_estate().await;
    let _keys = place.serve(Keys).await;
    let accounts = place.serve(Accounts).await;
    let web = place.client(Accounts, "web-ky-1");
    let number = sign_up(&web, 1).await;
    assert_refused(&place.init(Accounts), "another process serves from the database");
    drop(accounts);

    let first = place.toml("accounts/accounts.toml")["halves"].clone();
    let with_halves = |halves: toml::Value| {
        place.configure(Accounts, |config| drop(config.insert("halves".into(), halves)));
    };
    for (from, file, why) in [
        (1, "halves/accounts.key", "two [[halves]] name the file"),
        (7, "halves/second.key", "write from_epoch = 1"),
    ] {
        add_half(&place, Accounts, from, file);
        assert_refused(&place.init(Accounts), why);
        with_halves(first.clone());
    }
    let config = place.file("accounts/accounts.toml");
    with_halves(toml::Value::Array(Vec::new()));
    let serve = || run(["accounts", "serve", "--config", &config]);
    assert_refused(&serve(), "the configuration lacks the half from epoch 0");
    add_half(&place, Accounts, 0, "halves/accounts.key");

    // A half whose shares or whose file were lost before anything rests under it.
    add_half(&place, Accounts, 1, "halves/second.key");
    stdout(&place.init(Accounts));
    fs::remove_file(place.dir.join("halves/second.key")).unwrap();
    assert_refused(&serve(), "halves/second.key is not there");
    with_halves(first);
    let _accounts = place.serve(Accounts).await;
    sign_in(&web, 1, number).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_half_is_replaced_and_then_not_needed() {
    let place = Place::with_estate().await;
    let up = Up::start(&place);
    let web = place.client(Accounts, "web-ky-1");
    let number = sign_up(&web, 1).await;
    drop(up);
    add_half(&place, Accounts, 1, "halves/second.key");
    stdout(&place.init(Accounts));
    let up = Up::start(&place);
    let order = place.file("rotate.order");
    stdout(&place.run(["order", "draft", "rotate", "--domain", "accounts", "--out", &order]));
    place.sign_and_apply(&order);
    stdout(&place.run(["epoch", "list", "--wait"]));
    drop(up);
    place.configure(Accounts, |config| {
        let halves = config["halves"].as_array_mut().unwrap();
        halves.remove(0);
    });
    fs::remove_file(place.dir.join("halves/accounts.key")).unwrap();
    let _up = Up::start(&place);
    sign_in(&web, 1, number).await;
    assert_eq!(name_of(&web, 1).await, "Person 1");
    let again = web.call(&create(1)).await.unwrap_err();
    assert!(again.is(ADDRESS_TAKEN), "{again}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verifier_that_does_not_open_keeps_nobody_else_from_moving() {
    let place = Place::with_estate().await;
    let up = Up::start(&place);
    let web = place.client(Accounts, "web-ky-1");
    let number = sign_up(&web, 1).await;
    sign_up(&web, 2).await;
    drop(up);
    let database = format!("sqlite://{}", place.file("accounts/accounts.db"));
    let db = sqlx::SqlitePool::connect(&database).await.unwrap();
    let damage = "UPDATE credentials SET verifier = zeroblob(48) \
         WHERE record = (SELECT MAX(record) FROM credentials)";
    sqlx::query(damage).execute(&db).await.unwrap();
    db.close().await;
    add_half(&place, Accounts, 1, "halves/second.key");
    stdout(&place.init(Accounts));
    let _up = Up::start(&place);
    let order = place.file("rotate.order");
    stdout(&place.run(["order", "draft", "rotate", "--domain", "accounts", "--out", &order]));
    place.sign_and_apply(&order);
    wait_until("the damage is told", async || {
        place.json(["epoch", "list"]).to_string().contains("do not open under any half")
    })
    .await;
    sign_in(&web, 1, number).await;
}

#[tokio::test]
async fn custodians_keep_a_half() {
    let place = Place::with_estate().await;
    let _keys = place.serve(Keys).await;
    fs::create_dir(place.dir.join("guarded")).unwrap();
    place.configure(Accounts, |config| {
        let mut custody = toml::toml! { provider = "custodians" };
        custody.insert("socket".into(), place.file("guarded/unseal.sock").into());
        config["halves"].as_array_mut().unwrap().push(half_of(1, custody).into());
    });
    let made = stdout(&place.init(Accounts));
    let shares: Vec<_> = made.lines().filter_map(|line| line.split_once(": ")).collect();
    assert_eq!(shares.len(), 3, "{made}");
    let _accounts = place.spawn(Accounts, "accounts");
    let socket = place.dir.join("guarded/unseal.sock");
    wait_until("accounts waits for shares", async || socket.exists()).await;
    let give = |share: usize| give_share(&place, Accounts, shares[share].1);
    assert_eq!(stdout(&give(0)).trim(), "1 of 2 shares");
    assert_eq!(stdout(&give(2)).trim(), "the secret of accounts is open");
    let client = place.client(Accounts, "operator-1");
    wait_until("accounts answers", async || client.is_healthy().await).await;
}

/// `init` is killed at any moment, between the file of a half and its row too. The next one goes on, and the
/// compartment starts.
#[tokio::test]
async fn a_killed_init_is_repeated() {
    let place = Place::with_estate().await;
    let _keys = place.serve(Keys).await;
    let config = place.file("accounts/accounts.toml");
    let mut lasted = Duration::ZERO;
    for round in 0..12_u32 {
        place.configure(Accounts, |config| {
            let database = place.file(&format!("accounts/round-{round}.db"));
            config.insert("database".into(), database.into());
            config.insert("halves".into(), toml::Value::Array(Vec::new()));
        });
        add_half(&place, Accounts, 0, &format!("halves/round-{round}.key"));
        let began = Instant::now();
        if round == 0 {
            stdout(&place.init(Accounts));
            lasted = began.elapsed();
            continue;
        }
        let mut process = Process::spawn(cofferdam(["accounts", "init", "--config", &config]));
        tokio::time::sleep(lasted * round / 12).await;
        process.kill();
        stdout(&place.init(Accounts));
    }
    let _accounts = place.serve(Accounts).await;
    sign_up(&place.client(Accounts, "web-ky-1"), 1).await;
}

/// The file of a half was written, and a crash kept its row out of the database: the half is taken as it
/// is. It can't be made anew, because another database may rest under it.
#[tokio::test]
async fn a_half_without_its_row_is_taken() {
    let place = Place::with_estate().await;
    let _keys = place.serve(Keys).await;
    add_half(&place, Accounts, 1, "halves/second.key");
    let file = place.dir.join("halves/second.key");
    let secret = b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    write_secret(&file, secret).unwrap();
    stdout(&place.init(Accounts));
    assert_eq!(fs::read(&file).unwrap(), secret);
    let _accounts = place.serve(Accounts).await;
}

/// A half that never leaves a hardware module: customers rest under it, and without the module the
/// compartment does not start.
#[tokio::test]
async fn a_module_keeps_a_half() {
    let place = Place::with_estate().await;
    let _keys = place.serve(Keys).await;
    let hsm = SoftHsm::with_token("cofferdam");
    write_secret(&hsm.path("pin"), SoftHsm::PIN.as_bytes()).unwrap();
    place.configure(Accounts, |config| {
        let mut custody = toml::toml! {
            provider = "hsm"
            token = "cofferdam"
            key = "half"
        };
        let path = |path: &Path| toml::Value::from(path.to_str().unwrap());
        custody.insert("module".into(), path(&SoftHsm::module()));
        custody.insert("pin_file".into(), path(&hsm.path("pin")));
        custody.insert("library_dirs".into(), toml::Value::Array(vec![path(hsm.dir())]));
        config.insert("halves".into(), toml::Value::Array(vec![half_of(0, custody).into()]));
        config.insert("database".into(), place.file("accounts/with-module.db").into());
    });
    let config = place.file("accounts/accounts.toml");
    let command = |name| {
        let mut command = cofferdam(["accounts", name, "--config", &config]);
        command.envs([hsm.environment()]);
        command
    };
    stdout(&command("init").output().unwrap());
    let start = async || {
        let running = Process::spawn(command("serve"));
        let client = place.client(Accounts, "operator-1");
        wait_until("accounts answers", async || client.is_healthy().await).await;
        running
    };
    let web = place.client(Accounts, "web-ky-1");
    let running = start().await;
    let number = sign_up(&web, 1).await;
    drop(running);
    let running = start().await;
    sign_in(&web, 1, number).await;
    assert_eq!(name_of(&web, 1).await, "Person 1");
    drop(running);
    fs::rename(hsm.path("tokens"), hsm.path("stolen")).unwrap();
    assert_refused(&command("serve").output().unwrap(), "the half from epoch 0");
}

fn add_half(place: &Place, compartment: Compartment, from: u16, file: &str) {
    place.configure(compartment, |config| {
        let mut custody = toml::toml! { provider = "file" };
        custody.insert("root_key".into(), place.file(file).into());
        let half = half_of(from, custody);
        let halves = config.entry("halves").or_insert_with(|| toml::Value::Array(Vec::new()));
        halves.as_array_mut().unwrap().push(half.into());
    });
}

fn half_of(from_epoch: u16, custody: toml::Table) -> toml::Table {
    let mut half = toml::Table::new();
    half.insert("from_epoch".to_owned(), i64::from(from_epoch).into());
    half.insert("custody".to_owned(), custody.into());
    half
}

pub fn email(person: u32) -> Personal {
    Personal::new(format!("person.{person}@halves.example"))
}

fn create(person: u32) -> CreateCustomer {
    let coarse = Coarse {
        country: Some("US".parse().unwrap()),
        region: None,
        language: "en".parse().unwrap(),
        minor: false,
    };
    let profile = Profile {
        name: Personal::new(format!("Person {person}")),
        email: email(person),
        phone: None,
        billing_address: None,
        shipping_address: None,
        card_last4: None,
        coarse,
    };
    CreateCustomer { profile, password: Personal::new(PASSWORD) }
}

pub async fn sign_up(web: &Client, person: u32) -> CustomerNumber {
    web.call(&create(person)).await.unwrap()
}

async fn sign_in(web: &Client, person: u32, number: CustomerNumber) {
    let (email, password) = (email(person), Personal::new(PASSWORD));
    let session = web.call(&OpenSession { email, password }).await.unwrap();
    assert_eq!(session.record, number);
}

/// The name of a customer, as the app server sees it while the customer is signed in.
async fn name_of(web: &Client, person: u32) -> String {
    let (email, password) = (email(person), Personal::new(PASSWORD));
    let session = web.call(&OpenSession { email, password }).await.unwrap();
    let (records, fields) = (vec![session.record], FieldSet::EMPTY.with(Field::Name));
    let session = Some(session.token);
    let read = web.call(&ReadCustomers { records, fields, session }).await.unwrap();
    read[0].fields[&Field::Name].expose().to_owned()
}
