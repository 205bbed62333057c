//! End-to-end tests. They start the real binary, call it under the certificates of an estate, kill
//! it, and read what it leaves.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test whose ground is not there must fail"
)]

mod crash;
mod customer_numbers;
mod doubts;
mod drill;
mod evidence;
mod fixture;
mod foreign;
mod foreign_cases;
mod gate;
mod halves;
mod history;
mod import;
mod instances;
mod keys;
mod killed;
mod letter_orders;
mod letters;
mod passkeys;
mod read_letters;
mod refusals;
mod relay;
mod reset_pages;
mod restore;
mod returned_cases;
mod returns;
mod roots_view;
mod sending;
mod start;
mod stolen_key;
mod support;
mod table_cases;
mod up;
mod verify;
mod workers;
