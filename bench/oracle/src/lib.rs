//! Compares what statements read with what the import of the database's log says. The truth is
//! measured: a statement runs on a real PostgreSQL again and again, each time with something of one
//! person changed, and whoever's change changes the answer was read.
//!
//! May touch: databases and roles of its own on the server that `COFFERDAM_TEST_POSTGRES` names, and
//! that server's log. Called by: the bench, and a test with few statements.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    missing_docs,
    reason = "a failed step ends the measurement, and only the bench and its test see this crate"
)]

pub mod figures;
mod import;
mod server;
mod shop;
pub mod statements;
mod truth;

use figures::Figures;
use import::{Import, Said};
use server::Connection;
pub use shop::MAPPING;
use shop::Shop;
use statements::Statement;
use truth::Truth;

/// The statements between two tidyings of the tables.
const BATCH: usize = 50;
/// The number of further measurements that an under-count must stand.
const REPEATED: usize = 3;

/// Measures statements in a database of this name, which must be the caller's own. `mapping` is what
/// the import is told about the shop.
#[must_use]
pub fn measure(database: &str, mapping: &str, statements: &[Statement]) -> Figures {
    let mut shop = Shop::open(database);
    let mut on = shop.connect("measured");
    let mut import = Import::open(&mut shop, mapping);
    let mut figures = Figures::default();
    for batch in statements.chunks(BATCH) {
        let said = import.read(batch);
        for (statement, said) in batch.iter().zip(&said) {
            match truth::measure(&mut on, statement) {
                Err(why) => figures.set_aside(statement, why),
                Ok(truth) => {
                    let truth = confirmed(&mut on, statement, truth, said);
                    figures.count(statement, &truth, said);
                }
            }
        }
        shop.tidy();
    }
    figures
}

/// The reads that each of several measurements shows. The statement is measured again if the import
/// says less than the first measurement: chance may change an answer too.
fn confirmed(
    on: &mut Connection,
    statement: &Statement,
    mut truth: Truth,
    said: &[Said; 4],
) -> Truth {
    for _ in 0..REPEATED {
        if said.iter().all(|said| said.read.is_superset(&truth.read)) {
            break;
        }
        let again = truth::measure(on, statement).unwrap_or_default();
        truth.read.retain(|read| again.read.contains(read));
    }
    truth
}

/// The schema of the shop in a database of this name, for `sqlsmith`.
pub fn with_schema<T>(database: &str, part: impl FnOnce() -> T) -> T {
    let _shop = Shop::open(database);
    part()
}
