//! `bench-contain`: measures the time until one order has voided the credentials of all customers
//! in the tables of `accounts`. In the same run and database, it measures the peer: a shop without
//! orders updates every row. With `--orders`, it measures the times of orders instead, with two
//! instances of each compartment of which one is killed or stopped.
//!
//! May touch: databases of its own on the PostgreSQL server that `COFFERDAM_TEST_POSTGRES` names; with
//! `--orders`, loopback and the processes that it starts. It stops by itself. Called by: people who measure (see `docs/performance.md`).
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a measurement prints its figures, and fails if it can't be made"
)]

mod orders;
mod pairs;

use std::path::PathBuf;
use std::time::Instant;

use accounts_server::store::{OverEverybody, Store};
use clap::Parser;
use cofferdam_core::{Record, Timestamp};
use sqlx::PgPool;

/// The number of customers to which the figures are extrapolated.
const ALL: f64 = 24_000_000.0;

/// Measures the time until all credentials are void.
#[derive(Debug, Parser)]
struct Args {
    /// The number of customers in the table
    #[arg(long, default_value_t = 5_000_000)]
    customers: u32,
    /// Measure the times of orders
    #[arg(long)]
    orders: bool,
    /// The number of orders for each fault of each instance
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// The binary under test, for `--orders`
    #[arg(long, default_value = "target/release/cofferdam")]
    binary: PathBuf,
}

#[tokio::main]
async fn main() {
    let args = Args::parse();
    if args.orders {
        return orders::measure(&args.binary, args.customers, args.rounds).await;
    }
    let database = testkit::postgres::Database::create().await;
    let store = Store::open(&database.location()).await.unwrap();
    let pool = PgPool::connect(&database.url()).await.unwrap();
    fill(&pool, args.customers).await;
    println!("{} credentials, {} MB", args.customers, size(&pool).await);

    let (until, now) = (at(1_000_000), at(2_000_000));
    let started = Instant::now();
    let order = OverEverybody { incident: 1, signed: &[1; 32], set_before: until, ordered_at: now };
    let last = store.last_order().await.unwrap();
    let mut change = store.db().begin_shared_change().await.unwrap();
    store.insert_over_everybody(&mut change, &order, last).await.unwrap();
    change.commit().await.unwrap();
    let held = started.elapsed();
    let orders = store.orders().await.unwrap();
    assert!(orders.voids(Record(7), at(500_000)));
    println!("order: durable, and holds after   {:>12.4} s, one row", held.as_secs_f64());
    let started = Instant::now();
    let counted = store.count_set_before(until).await.unwrap();
    println!("order: {counted} counted afterwards {:>12.4} s", started.elapsed().as_secs_f64());

    let before: i64 = wal(&pool).await;
    let started = Instant::now();
    let updated = sqlx::query("UPDATE credentials SET verifier = ''::bytea, set_at = set_at + 1")
        .execute(&pool)
        .await
        .unwrap();
    let seconds = started.elapsed().as_secs_f64();
    assert_eq!(updated.rows_affected(), u64::from(args.customers));
    let written = (wal(&pool).await - before) / 1_000_000;
    println!("peer: UPDATE of every row         {seconds:>12.1} s, {written} MB of WAL");
    println!("peer: table afterwards, {} MB", size(&pool).await);
    let whole = seconds * ALL / f64::from(args.customers);
    println!("peer: for 24 million, so          {whole:>12.0} s");
    println!("ratio: {:.0} ×", seconds / held.as_secs_f64());
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

async fn fill(pool: &PgPool, customers: u32) {
    let insert = "INSERT INTO credentials (record, scheme, salt, verifier, set_at)
        SELECT n, 'argon2id', decode(md5(n::text), 'hex'),
               decode(md5(n::text) || md5((-n)::text), 'hex'), n
        FROM generate_series(0, $1::bigint - 1) AS n";
    sqlx::query(insert).bind(i64::from(customers)).execute(pool).await.unwrap();
    sqlx::query("VACUUM ANALYZE credentials").execute(pool).await.unwrap();
    sqlx::query("CHECKPOINT").execute(pool).await.unwrap();
}

/// The size of the table with its indexes, in megabytes.
async fn size(pool: &PgPool) -> i64 {
    let size = sqlx::query_scalar("SELECT pg_total_relation_size('credentials')");
    let bytes: i64 = size.fetch_one(pool).await.unwrap();
    bytes / 1_000_000
}

/// The number of bytes of write-ahead log written so far.
async fn wal(pool: &PgPool) -> i64 {
    let written = sqlx::query_scalar("SELECT (pg_current_wal_lsn() - '0/0')::bigint");
    written.fetch_one(pool).await.unwrap()
}
