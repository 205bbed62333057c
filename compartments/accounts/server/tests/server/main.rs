//! The accounts server as its callers see it: over mutual TLS, with a real database.

#[cfg(test)]
mod authorisation;
#[cfg(test)]
mod contain;
#[cfg(test)]
mod customers;
#[cfg(test)]
mod decoys;
#[cfg(test)]
mod import;
#[cfg(test)]
mod secrecy;
#[cfg(test)]
mod sessions;
#[cfg(test)]
#[path = "../support/mod.rs"]
mod support;
