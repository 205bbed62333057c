//! The peer: a careful shop without `keys`. Its data is sealed by pgcrypto in PostgreSQL, and it
//! writes a durable audit row for each read.

use std::time::Duration;

use sqlx::AnyPool;
use sqlx::any::AnyPoolOptions;
use testkit::postgres::Database;

/// The number of rows in the table. The table fits into memory, which favours the peer.
const ROWS: i64 = 200_000;

/// The figures of the peer.
pub struct Peer {
    /// The number of rows read in a second, one by one.
    pub single: f64,
    /// The number of rows read in a second, in batches of 1,000.
    pub batched: f64,
}

const SINGLE: &str = "WITH a AS (INSERT INTO audit (caller, record) VALUES ('web-1', $1)) \
    SELECT pgp_sym_decrypt(email, 'a key of thirty-two characters!!') FROM customer WHERE record = $1";
const BATCH: &str = "WITH a AS (INSERT INTO audit (caller, record) \
    SELECT 'web-1', record FROM customer WHERE record BETWEEN $1 AND $1 + 999) \
    SELECT pgp_sym_decrypt(email, 'a key of thirty-two characters!!') \
    FROM customer WHERE record BETWEEN $1 AND $1 + 999";

/// Fills a database and reads from it.
pub async fn run(span: Duration, connections: usize) -> Peer {
    let database = Database::create().await;
    sqlx::any::install_default_drivers();
    let pool = AnyPoolOptions::new()
        .max_connections(u32::try_from(connections).unwrap())
        .connect(&database.url())
        .await
        .unwrap();
    fill(&pool).await;
    let single = read(&pool, span, connections, SINGLE, 1).await;
    let batched = read(&pool, span, 4, BATCH, 1_000).await;
    pool.close().await;
    Peer { single, batched }
}

async fn fill(pool: &AnyPool) {
    for statement in [
        "CREATE EXTENSION pgcrypto",
        "CREATE TABLE customer (record BIGINT PRIMARY KEY, email BYTEA NOT NULL)",
        "CREATE TABLE audit (at TIMESTAMPTZ NOT NULL DEFAULT now(), caller TEXT NOT NULL, \
         record BIGINT NOT NULL)",
        "INSERT INTO customer SELECT n, pgp_sym_encrypt('person.' || n || '@post.example', \
         'a key of thirty-two characters!!', 'compress-algo=0, cipher-algo=aes256') \
         FROM generate_series(0, 199999) n",
    ] {
        sqlx::query(statement).execute(pool).await.unwrap();
    }
}

async fn read(
    pool: &AnyPool,
    span: Duration,
    connections: usize,
    statement: &'static str,
    batch: u32,
) -> f64 {
    let pool = pool.clone();
    let measured = testkit::load::measure(span, connections, move |number| {
        let pool = pool.clone();
        async move {
            let record = i64::from(number.wrapping_mul(7_919).wrapping_mul(batch)) % (ROWS - 1_000);
            let rows = sqlx::query(statement).bind(record).fetch_all(&pool).await.unwrap();
            assert_eq!(rows.len(), batch as usize);
        }
    })
    .await;
    measured.calls * f64::from(batch)
}
