//! The rules of the compartment. No I/O: no code here touches a table, a socket or a clock.

pub mod address;
pub mod alone;
pub mod batch;
pub mod customer_numbers;
pub mod decoy;
pub mod donors;
pub mod import;
pub mod letter;
pub mod numbers;
pub mod orders;
pub mod parts;
pub mod password;
pub mod profile;
pub mod salts;
pub mod settle;
pub mod token;
pub mod voiding;
