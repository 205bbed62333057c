//! Real parts for the tests of the compartments: an authority that makes certificates, a fresh
//! database for each test, mail servers, a browser.
//!
//! May touch: temporary directories, and the PostgreSQL and Postfix that `COFFERDAM_TEST_POSTGRES`
//! and `COFFERDAM_TEST_POSTFIX` name. Knows no server. Called by: tests and benches only; whatever
//! goes wrong here panics and so fails them.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test whose ground is not there must fail"
)]

mod address;
mod authority;
mod browser;
mod dns;
mod postfix;
pub mod postgres;
mod smtp_sink;

pub use address::free_address;
pub use authority::Authority;
pub use browser::Browser;
pub use dns::Dns;
pub use postfix::Postfix;
pub use smtp_sink::SmtpSink;
