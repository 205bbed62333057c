//! No card and no token is in the database, its WAL or any log line.

use std::io::Write;
use std::sync::{Arc, Mutex};

use payments_api::{ReadCard, RevealCard, StoreCards};
use sqlx::Row;
use tempfile::TempDir;
use testkit::postgres;
use tracing_subscriber::fmt::MakeWriter;

use crate::support::{Till, card};

const NUMBERS: [&str; 3] = ["4111111111111111", "378282246310005", "6011000990139424"];

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

/// Makes every call that carries a card. Returns the texts that must be nowhere.
async fn use_everything(till: &Till) -> Vec<String> {
    let mut secrets = vec!["11/2014".to_owned()];
    let stored = till.store(&NUMBERS).await;
    for (number, stored) in NUMBERS.iter().zip(stored) {
        let token = stored.token;
        till.call("checkout-1", &ReadCard { token: token.clone() }).await.unwrap();
        till.call("processor-1", &RevealCard { token: token.clone() }).await.unwrap();
        till.call("checkout-1", &RevealCard { token: token.clone() }).await.unwrap_err();
        secrets.extend([(*number).to_owned(), number[number.len() - 4..].to_owned()]);
        secrets.push(token.to_string());
    }
    let mistyped = StoreCards { cards: vec![card("4111111111111112")] };
    till.call("checkout-1", &mistyped).await.unwrap_err();
    secrets.push("4111111111111112".to_owned());
    secrets
}

fn assert_absent(what: &str, bytes: &[u8], secrets: &[String]) {
    for secret in secrets {
        let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!found, "{secret} is in {what}");
    }
}

#[tokio::test]
async fn no_card_is_in_the_database_or_the_log() {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .without_time()
        .with_writer(lines.clone());
    let _guard = tracing::subscriber::set_default(subscriber.finish());
    let mut till = Till::open().await;
    let secrets = use_everything(&till).await;

    let names = ["payments.db", "payments.db-wal"];
    let paths = names.map(|name| till.dir.path().join(name));
    let files = || paths.each_ref().map(|path| std::fs::read(path).unwrap_or_default());
    let [main, wal] = files();
    assert!(main.len() + wal.len() > 10_000, "there is something to look at");
    assert_absent("the database", &main, &secrets);
    assert_absent("the write-ahead log", &wal, &secrets);

    let said = lines.0.lock().unwrap().clone();
    assert!(String::from_utf8_lossy(&said).contains("/v1/cards/reveal"));
    // Four digits may appear in a port or a duration.
    let long: Vec<_> = secrets.into_iter().filter(|s| s.len() > 6).collect();
    assert_absent("the log", &said, &long);

    till.stop().await;
    assert_absent("the closed database", &files()[0], &long);
}

#[tokio::test]
async fn no_card_is_in_postgres() {
    let database = postgres::Database::create().await;
    let till = Till::open_on(TempDir::new().unwrap(), &database.url()).await;
    let secrets = use_everything(&till).await;

    let pool = sqlx::AnyPool::connect(&database.url()).await.unwrap();
    let rows = sqlx::query("SELECT * FROM cards").fetch_all(&pool).await.unwrap();
    assert_eq!(rows.len(), NUMBERS.len());
    for row in rows {
        for column in ["token_hash", "number", "expiry", "masked"] {
            assert_absent("a row", &row.get::<Vec<u8>, _>(column), &secrets);
        }
    }
    pool.close().await;
}
