//! The real server over real mutual TLS, with a small `keys` beside it.
#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

mod authorisation;
mod cards;
mod reseal;
mod secrecy;
mod support;
