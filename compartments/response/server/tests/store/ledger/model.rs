//! The ledger against a plain model: random steps of two workers on two letters. After each step
//! every answer, every row and every count must equal the model's.

mod steps;
mod world;

use std::cell::Cell;

use cofferdam_store::Location;
use proptest::collection::vec;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use response_server::store::Store;
use tokio::runtime::Runtime;

use steps::{Step, step};
use world::World;

/// The most steps of a case.
const STEPS: usize = 100;

#[test]
fn the_ledger_on_sqlite_does_what_the_model_does() {
    let dir = tempfile::tempdir().unwrap();
    compare(&Location::Sqlite(dir.path().join("response.db")), 64);
}

#[test]
fn the_ledger_on_postgres_does_what_the_model_does() {
    let runtime = Runtime::new().unwrap();
    let database = runtime.block_on(testkit::postgres::Database::create());
    compare(&database.location(), 24);
}

/// Tries `cases` random sequences of steps, each on letters of its own.
fn compare(location: &Location, cases: u32) {
    let runtime = Runtime::new().unwrap();
    let store = runtime.block_on(Store::open(location)).unwrap();
    let mut runner =
        TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(cases) });
    let case = Cell::new(0);
    let result = runner.run(&vec(step(), 1..STEPS), |steps| {
        case.set(case.get() + 1);
        runtime.block_on(replay(&store, case.get(), &steps))
    });
    result.unwrap_or_else(|e| panic!("{e}"));
}

async fn replay(store: &Store, case: u32, steps: &[Step]) -> Result<(), TestCaseError> {
    let mut world = World::new(store, case).await;
    for step in steps {
        world.take(step).await?;
        world.compare().await?;
    }
    world.compare_handed_over().await
}
