//! The loops, which run by themselves: they follow the release logs and the customers, and take
//! returned mail, and hold letters to their claims. The mail room of `mailing` is the fifth loop.

mod follow_customers;
mod follow_logs;
mod hold_claims;
mod take_returns;

pub use follow_customers::{Customers, current_customers, follow_customers};
pub use follow_logs::{copy_logs, follow_logs};
pub use hold_claims::hold_claims;
pub use take_returns::Returns;
