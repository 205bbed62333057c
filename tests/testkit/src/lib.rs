//! Real parts for tests: a certificate authority, a fresh database for each test, a DNS server,
//! mail servers, a hardware module, a browser and an authenticator in software.
//!
//! May touch: temporary directories, loopback ports, and the PostgreSQL and Postfix that
//! `COFFERDAM_TEST_POSTGRES` and `COFFERDAM_TEST_POSTFIX` name. Knows no server of ours. Called by:
//! tests and benches only. An error here panics and so fails the test.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test must fail if its setup fails"
)]

mod address;
mod authority;
mod browser;
mod dns;
pub mod load;
mod passkey;
mod postfix;
pub mod postgres;
mod second;
mod smtp_sink;
mod softhsm;
mod states;
mod until;
mod wire;

pub use address::free_address;
pub use authority::{Authority, connector};
pub use browser::Browser;
pub use dns::Dns;
pub use passkey::SoftPasskey;
pub use postfix::Postfix;
pub use second::{make_halves, second_instance};
pub use smtp_sink::SmtpSink;
pub use softhsm::SoftHsm;
pub use states::States;
pub use until::until;
pub use wire::Wire;
