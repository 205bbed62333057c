//! The loops, which run by themselves: they follow the release logs and the customers, and take
//! returned mail. The mail room of `mailing` is the fourth loop.

mod follow_customers;
mod follow_logs;
mod take_returns;

pub use follow_customers::{Customers, current_customers, follow_customers};
pub use follow_logs::{copy_logs, follow_logs};
pub use take_returns::Returns;
