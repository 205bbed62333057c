//! Real parts for the tests of the compartments: an authority that makes certificates, and a
//! fresh database for each test.
//!
//! May touch: temporary directories, and the PostgreSQL server that `COFFERDAM_TEST_POSTGRES`
//! names. Knows no server. Called by: tests only; whatever goes wrong here panics and so fails
//! the test.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test whose ground is not there must fail"
)]

mod authority;
pub mod postgres;

pub use authority::Authority;
