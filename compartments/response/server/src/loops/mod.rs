//! The loops, which run by themselves: they follow the release logs and the customers, anchor the
//! journals, take returned mail, and hold letters to their claims. The mail room of `mailing` is one
//! more loop.

mod anchor_journals;
mod ask_witnesses;
mod follow_customers;
mod follow_logs;
mod hold_claims;
mod take_returns;

pub use anchor_journals::{anchor_journals, check_journals};
pub use ask_witnesses::{ask_witnesses, hold_against};
pub use follow_customers::{Customers, current_customers, follow_customers};
pub use follow_logs::{copy_logs, follow_logs};
pub use hold_claims::hold_claims;
pub use take_returns::Returns;
