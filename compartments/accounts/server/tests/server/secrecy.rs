//! No plaintext is in the database, its WAL or any log line.

use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use accounts_api::{
    CreateCustomer, FindCustomer, ImportCustomers, OpenSession, Profile, ReadCustomers,
    RequestReset, Session,
};
use cofferdam_core::{Field, FieldSet, Personal, Record};
use tracing_subscriber::fmt::MakeWriter;

use crate::support::{Shop, ada, legacy_row, person};

const PASSWORD: &str = "correct horse battery";

/// Keeps all log lines, at the most detailed level.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// The texts of a profile, and the parts of the name as well.
fn secrets(profile: &Profile) -> Vec<String> {
    let texts = [
        Some(&profile.name),
        Some(&profile.email),
        profile.phone.as_ref(),
        profile.billing_address.as_ref(),
        profile.shipping_address.as_ref(),
    ];
    let mut out: Vec<String> =
        texts.into_iter().flatten().map(|t| t.expose().to_lowercase()).collect();
    out.extend(profile.name.expose().to_lowercase().split(' ').map(str::to_owned));
    out
}

/// The bytes as lower-case text, with a mark for bytes that are no text.
fn readable(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).to_ascii_lowercase()
}

async fn use_everything(shop: &Shop) -> Session {
    let web = shop.client("web-1");
    let password = Personal::new(PASSWORD);
    let create = CreateCustomer { profile: ada(), password: password.clone() };
    let record = web.call(&create).await.unwrap();
    let rows = (1..=50).map(|n| legacy_row(n, person(n), &format!("swordfish {n}"))).collect();
    let import = ImportCustomers { source: "file".into(), rows };
    shop.client("import-1").call(&import).await.unwrap();
    let all: FieldSet = [
        Field::Name,
        Field::Email,
        Field::Phone,
        Field::BillingAddress,
        Field::ShippingAddress,
        Field::CardLast4,
    ]
    .into_iter()
    .collect();
    let records = shop.numbers((0..50).map(Record)).await;
    web.call(&ReadCustomers { records, fields: all, session: None }).await.unwrap();
    let email = person(7).email;
    let open = OpenSession { email, password: Personal::new("swordfish 7") };
    web.call(&open).await.unwrap();
    let email = ada().email;
    let wrong = OpenSession { email: email.clone(), password: Personal::new("wrong guess") };
    web.call(&wrong).await.unwrap_err();
    web.call(&FindCustomer { email: email.clone() }).await.unwrap();
    web.call(&RequestReset { email: email.clone() }).await.unwrap();
    let twice = CreateCustomer { profile: ada(), password: password.clone() };
    web.call(&twice).await.unwrap_err();
    let session = web.call(&OpenSession { email, password }).await.unwrap();
    assert_eq!(session.record, record);
    session
}

#[tokio::test]
async fn no_plaintext_is_in_the_database_its_wal_or_the_log() {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(lines.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();

    let shop = Shop::open().await;
    shop.keys.book().decoy_one_in = 10;
    let session = use_everything(&shop).await;

    // The files are read while the server runs, with a WAL, and after it has stopped. SQLite may
    // delete the WAL while the test reads it.
    let read = |dir: &std::path::Path| -> Vec<(String, String)> {
        let text = |f: &PathBuf| Some((f.display().to_string(), readable(&std::fs::read(f).ok()?)));
        Shop::database_files(dir).iter().filter_map(text).collect()
    };
    let mut files = read(shop.dir.path());
    assert!(files.iter().any(|(name, text)| name.ends_with("-wal") && text.len() > 100_000));
    let dir = shop.stop().await;
    files.extend(read(dir.path()));
    assert!(files.iter().any(|(_, text)| text.contains("salted_sha1")), "nothing was stored");
    let log = readable(&lines.0.lock().unwrap());
    assert!(log.contains("/v1/customers/import"), "nothing was logged");
    files.push(("the log".into(), log));

    let mut secrets: Vec<String> = (1..=50).flat_map(|n| secrets(&person(n))).collect();
    secrets.extend(self::secrets(&ada()));
    secrets.extend(["swordfish", PASSWORD, "wrong guess", session.token.expose()].map(Into::into));
    secrets.extend(["mailbox.example", "example.com", "example.org"].map(Into::into));
    // Short words appear by chance in half a megabyte of ciphertext.
    secrets.retain(|s| s.len() >= 5);
    for (name, text) in &files {
        for secret in &secrets {
            assert!(!text.contains(&secret.to_ascii_lowercase()), "{secret:?} is in {name}");
        }
    }
}

/// Four digits appear in ciphertext by chance, so this test looks at the column.
#[tokio::test]
async fn no_column_holds_the_last_four_digits() {
    let shop = Shop::open().await;
    let create = CreateCustomer { profile: ada(), password: Personal::new(PASSWORD) };
    shop.client("web-1").call(&create).await.unwrap();
    let dir = shop.stop().await;
    let path = dir.path().join(crate::support::DATABASE);
    let db = sqlx::SqlitePool::connect(&format!("sqlite://{}", path.display())).await.unwrap();
    let sealed: Vec<u8> =
        sqlx::query_scalar("SELECT card_last4 FROM customers").fetch_one(&db).await.unwrap();
    assert_eq!(sealed.len(), 12 + 4 + 16);
    assert!(!readable(&sealed).contains("4929"));
}
