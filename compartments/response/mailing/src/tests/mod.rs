//! Mailings with a clock, a ledger, a relay and notes in memory.

mod breakdowns;
mod fakes;
mod harness;
mod sending;
